"""Starting ComfyUI with the pack costs little: what the pack imports over what ComfyUI has imported anyway, seen in a
process of its own. `python -m clear_runtime bench startup` prints the seconds."""

import os

import pytest

from clear_runtime.bench.startup import start

HEAVY = {
    "accelerate",
    "av",
    "cv2",
    "diffsynth",
    "hypothesis",
    "lpips",
    "matplotlib",
    "modelscope",
    "onnxruntime",
    "peft",
    "pysubs2",
    "torchvision",
    "transformers",
}


@pytest.fixture(scope="module")
def started():
    return start(os.environ["COMFYUI_PATH"])


@pytest.mark.slow
def test_the_pack_brings_no_heavy_module(started):
    assert "CLEAR_SubtitleRemove" in started.node_ids
    assert HEAVY.isdisjoint(name.split(".")[0] for name in started.modules), started.modules


@pytest.mark.slow
def test_the_pack_brings_no_bench_no_command_and_nothing_that_paints(started):
    """What is used once in a while is imported when it is used."""
    mine = [name.removeprefix("clear_pack.") for name in started.modules if name.startswith("clear_pack.")]
    late = ("clear_runtime.bench", "clear_runtime.cli", "clear_runtime.engines.sampling", "clear_runtime.engines.lora")
    assert mine and not [name for name in mine if name.startswith((*late, "nodes.comfy.backend"))], mine
