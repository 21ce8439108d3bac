"""Comfy: the nodes in the ComfyUI that was brought along, its models on the device and in its hands."""

from __future__ import annotations

import os

from .part import begin
from .site import COMFYUI_PATH
from .tests import run_tests

NODES = (
    *("equality", "remove", "minimax", "composite", "optical_flow", "prior_nodes"),
    *("train_lora", "train_prior", "nano"),
)
"""Tests of tests/nodes: ComfyUI's modules and the pack in one process."""
SERVER = ("remove", "minimax", "remove_video", "prior", "train_lora", "composite")
"""Tests of tests/comfy: a ComfyUI that is started."""

if __name__ == "__main__":
    run = begin()
    if COMFYUI_PATH not in os.environ:
        why = "no ComfyUI was brought along: `bench prepare --comfyui TREE`"
        run.results.add("comfy", {"outcome": "skipped", "message": why})
        raise SystemExit
    if run.tiny:
        run_tests(run, ["nodes/test_nano.py"])
    paths = [f"nodes/test_{name}.py" for name in NODES] + [f"comfy/test_{name}.py" for name in SERVER]
    run_tests(run, paths, "-n", "2", "--dist", "loadfile")  # the nodes' process and the server's
