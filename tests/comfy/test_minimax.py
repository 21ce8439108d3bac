"""The shipped graph with MiniMax-Remover in a running ComfyUI, with small random weights under its names."""

import threading

import pytest
import tiny_minimax
import tiny_wan
import torch
from comfy_graphs import cleaned_within, cut, pictures
from safetensors.torch import save_file

from clear_runtime.engines.minimax_names import original_names
from launch.console import Problem
from launch.server import NodeFailed

GRAPH = "Remove subtitles (MiniMax-Remover).json"


@pytest.fixture(scope="module", autouse=True)
def files(comfyui):
    """The two files that the graph names, and the model under its original names as well."""
    models = comfyui.base / "models"
    for folder in ("diffusion_models", "vae"):
        (models / folder).mkdir(parents=True, exist_ok=True)
    state = {name: value.half() for name, value in tiny_minimax.state().items()}
    save_file(state, models / "diffusion_models" / "Wan2_1-MiniMaxRemover_1_3B_fp16.safetensors")
    save_file(original_names(state), models / "diffusion_models" / "original.safetensors")
    save_file(tiny_wan.vae_state(), models / "vae" / "wan_2.1_vae.safetensors")


def node(prompt, class_type):
    return next(key for key, one in prompt.items() if one["class_type"] == class_type)


@pytest.fixture
def graph(template, comfyui):
    """The shipped graph on a small clip, and its frames, masks and source as picture files. Two steps: the least in
    which UniPC looks back at one."""

    def make(clip, load=None, **changes):
        prompt = template(GRAPH, LoadVideo={"file": clip})
        removal, source = node(prompt, "CLEAR_SubtitleRemove"), node(prompt, "GetVideoComponents")
        prompt[removal]["inputs"] |= {"grow": 4, "second_look": False, "steps": 2, **changes}
        prompt[node(prompt, "CLEAR_LoadMiniMax")]["inputs"] |= load or {}
        prompt |= {
            "frames": {"class_type": "SaveImage", "inputs": {"images": [removal, 0], "filename_prefix": "m/frame"}},
            "white": {"class_type": "MaskToImage", "inputs": {"mask": [removal, 1]}},
            "masks": {"class_type": "SaveImage", "inputs": {"images": ["white", 0], "filename_prefix": "m/mask"}},
            "source": {"class_type": "SaveImage", "inputs": {"images": [source, 0], "filename_prefix": "m/source"}},
        }
        return prompt

    return make


@pytest.mark.parametrize("sampler", ["unipc", "euler"])
def test_every_frame_comes_back_and_nothing_changes_outside_the_mask(comfyui, graph, small_clip, sampler):
    outputs = comfyui.run(graph("small.mp4", {"sampler": sampler}), bound=300)
    frames, masks, source = cleaned_within(comfyui, outputs, small_clip.shape)
    assert (frames != source)[masks > 127].any()


def test_the_file_under_its_original_names_paints_the_same(comfyui, graph, small_clip):
    community = comfyui.run(graph("small.mp4", seed=5), bound=300)
    original = comfyui.run(graph("small.mp4", {"model_name": "original.safetensors"}, seed=5), bound=300)
    assert torch.equal(pictures(comfyui, community, "frames"), pictures(comfyui, original, "frames"))


def test_a_mask_of_one_s_own_is_painted(comfyui, graph, small_clip):
    prompt = graph("small.mp4", subtitle=["area", 0], subtitle_use="only")
    prompt["area"] = {"class_type": "SolidMask", "inputs": {"value": 1.0, "width": 128, "height": 96}}
    outputs = comfyui.run(prompt, bound=300)
    frames, source = (pictures(comfyui, outputs, key) for key in ("frames", "source"))
    assert pictures(comfyui, outputs, "masks").min() == 255 and (frames != source).any(-1).float().mean() > 0.9


def test_cancel_ends_the_run(comfyui, graph):
    cut(comfyui, "long.mp4", count=17)
    prompt, seen = graph("long.mp4", steps=100), []
    removal = node(prompt, "CLEAR_SubtitleRemove")

    def on_progress(which, done, total):
        if which == removal:
            seen.append(done / total)
            if len(seen) == 6:
                threading.Thread(target=comfyui.interrupt).start()

    with pytest.raises(Problem, match="cancelled"):
        comfyui.run(prompt, on_progress, bound=300)
    assert len(seen) >= 6 and seen[-1] < 0.6, seen


@pytest.mark.parametrize(
    "changes, why",
    [
        ({"positive": ["nano", 2]}, "takes no prompt"),
        ({"cfg": 3.0}, "no guidance"),
        ({"vae": ["nano", 1]}, "needs Wan2.1's"),
        ({"vae": None}, "No VAE"),
        ({"mask_from": "difference"}, "mask_from"),
    ],
    ids=["a prompt", "guidance", "nano's VAE", "no VAE", "a mask from the difference"],
)
def test_what_it_has_no_use_for_is_refused_in_a_sentence(comfyui, graph, small_clip, changes, why):
    prompt = graph("small.mp4", **changes)
    prompt["nano"] = {"class_type": "CLEAR_LoadNano", "inputs": {"strength": 1.0}}
    inputs = prompt[node(prompt, "CLEAR_SubtitleRemove")]["inputs"]
    for name in [name for name, value in inputs.items() if value is None]:
        del inputs[name]
    with pytest.raises(NodeFailed, match=why) as caught:
        comfyui.run(prompt, bound=300)
    assert "Traceback" not in str(caught.value)
