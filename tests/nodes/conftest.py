"""A ComfyUI tree and the pack inside this process: no server, on the CPU. The tree is the one that COMFYUI_PATH
names."""

import asyncio
import contextlib
import importlib.util
import os
import sys
from pathlib import Path

import encoded_once
import pytest
import tiny_wan
from paths import ROOT
from tiny_lora_node import Pairs

COMFYUI = os.environ.get("COMFYUI_PATH", "")

if COMFYUI:
    # behind the project's own folder, whose `tests` and `clear_runtime` must win; the one name that both have is loaded
    # by its file below
    sys.path.insert(sys.path.index(str(ROOT)) + 1, COMFYUI)


def _module(name: str, path: Path, **options):
    spec = importlib.util.spec_from_file_location(name, path, **options)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def comfy_nodes(tmp_path_factory):
    """ComfyUI's own module `nodes`, with its model folders in a temporary place."""
    import comfy.cli_args
    import torch

    comfy.cli_args.args.cpu = not torch.cuda.is_available()
    import folder_paths

    models = tmp_path_factory.mktemp("models")
    folder_paths.models_dir = str(models)
    folder_paths.set_user_directory(str(tmp_path_factory.mktemp("user")))
    folder_paths.set_input_directory(str(tmp_path_factory.mktemp("input")))
    for name, (_, extensions) in list(folder_paths.folder_names_and_paths.items()):
        folder_paths.folder_names_and_paths[name] = ([str(models / name)], extensions)
    return _module("nodes", Path(COMFYUI) / "nodes.py")


@pytest.fixture(scope="session")
def pack(comfy_nodes):
    """The pack as ComfyUI imports it: a package of its own name, its folder not on the path."""
    package = _module("clear_pack", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    extension = asyncio.run(package.comfy_entrypoint())
    package.listed = {node.GET_SCHEMA().node_id: node for node in asyncio.run(extension.get_node_list())}
    return package


@pytest.fixture
def models(comfy_nodes):
    """The folder that stands for ComfyUI's `models`, emptied of files after the test."""
    import folder_paths

    folder = Path(folder_paths.models_dir)
    for name in ("diffusion_models", "loras", "clear"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    yield folder
    for file in folder.rglob("*"):
        if file.is_file():
            file.unlink()
    folder_paths.filename_list_cache.clear()


@pytest.fixture(scope="session")
def error(pack):
    """The ClearError that the pack raises; the package has been imported under a name of its own."""
    return sys.modules["clear_pack.clear_runtime.errors"].ClearError


@pytest.fixture(scope="session")
def weights():
    """A small random Wan and a LoRA for it: (state dict, normalised LoRA)."""
    state = tiny_wan.wan_state()
    return state, tiny_wan.lora_state(state)


@pytest.fixture(scope="session")
def load_model(pack):
    """State dict -> MODEL in float32."""
    import comfy.sd
    import torch

    def load(state):
        return comfy.sd.load_diffusion_model_state_dict(dict(state), model_options={"dtype": torch.float32})

    return load


@pytest.fixture(scope="session")
def run(pack):
    """Run a node by its id under inference mode, as ComfyUI does; returns its results."""
    import torch

    def call(node_id, **inputs):
        with torch.inference_mode():
            return pack.listed[node_id].execute(**inputs).result

    return call


@pytest.fixture(scope="session")
def cancelled(pack):
    """`with cancelled(at=3) as looks:` presses Cancel before the third look at it, `cancelled(when=...)` before the
    first look at which that is true. What runs inside must end by it. looks: one entry for each look."""
    import comfy.model_management as management

    @contextlib.contextmanager
    def pressed(at=None, when=None):
        looks = []

        def look():
            looks.append(1)
            if len(looks) == at if when is None else when():
                raise management.InterruptProcessingException()

        with pytest.MonkeyPatch.context() as patch, pytest.raises(management.InterruptProcessingException):
            patch.setattr(management, "throw_exception_if_processing_interrupted", look)
            if when is not None:
                patch.setattr(management, "processing_interrupted", when)
            yield looks

    return pressed


# -- Train CLEAR LoRA ------------------------------------------------------------------------------------------------


@pytest.fixture
def output(tmp_path, monkeypatch):
    import folder_paths

    monkeypatch.setattr(folder_paths, "get_output_directory", lambda: str(tmp_path / "output"))
    return tmp_path / "output" / "CLEAR"


@pytest.fixture(scope="module")
def small_nano(pack):
    """Load CLEAR Nano's base and LoRA, with two blocks and random weights."""
    from clear_pack.clear_runtime.engines.nano import load

    state = tiny_wan.wan_state(blocks=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "transformer_state_dict", lambda: {name: value.half() for name, value in state.items()})
        patch.setattr(
            load, "lora_state", lambda: {name: value.half() for name, value in tiny_wan.lora_state(state).items()}
        )
        yield load


@pytest.fixture(scope="module")
def nano(run, small_nano):
    return run("CLEAR_LoadNano", strength=0.0)


@pytest.fixture
def settings(pack, nano, monkeypatch):
    """What a training is asked for, with changes. Clips that another test has encoded are not encoded again."""
    from clear_pack.clear_runtime.train.lora import cache

    encoded_once.remember(monkeypatch, cache)

    def of(**changes):
        model, vae, positive = nano
        return (
            dict(
                model=model,
                vae=vae,
                positive=positive,
                pairs=Pairs(),
                prior="bundled light prior",
                name="mine",
                steps=2,
                rank=4,
                targets="q,k,v,o,ffn.0,ffn.2",
                rate=1e-3,
                batch=1,
                accumulate=1,
                frames=0,
                height=0,
                width=0,
                control="auto",
                precision="auto",
                checkpointing=True,
                optimiser="adamw",
                start="none",
                seed=0,
                preview_every=2,
            )
            | changes
        )

    return of
