"""A real ComfyUI with the pack in custom_nodes, started once for all tests of this folder."""

import json
import os
import sys
from pathlib import Path

import newer_nodes
import pytest
import torch
from comfy_graphs import cut
from paths import ROOT

from launch.graph import set_input, to_prompt
from launch.server import Server


@pytest.fixture(scope="session")
def comfyui():
    with Server(Path(sys.executable), Path(os.environ["COMFYUI_PATH"]), cpu=not torch.cuda.is_available()) as server:
        yield server


@pytest.fixture(scope="session")
def object_info(comfyui):
    """The server's nodes, and those of later ComfyUIs that it lacks, as they are on record."""
    return {**newer_nodes.recorded(), **comfyui.get("/object_info")}


@pytest.fixture(scope="session")
def small_clip(comfyui):
    """[9, 96, 128, 3]: the input frames as the server decodes them, `small.mp4` in its input folder."""
    return cut(comfyui, "small.mp4")


@pytest.fixture
def template(object_info):
    """A shipped graph as a prompt."""

    def load(name, **inputs):
        prompt = to_prompt(json.loads((ROOT / "workflows" / name).read_text(encoding="utf-8")), object_info)
        for class_type, values in inputs.items():
            set_input(prompt, class_type, **values)
        return prompt

    return load
