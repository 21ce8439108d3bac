"""Nodes of later ComfyUIs that shipped graphs use, as one of them said that they are.

newer_nodes.json holds them, as /object_info has them but for their words. Recorded by `python -m pytest
tests/comfy/test_newer_nodes.py` with CLEAR_RECORD_NODES=1, on a ComfyUI that has them all.
"""

import json
from pathlib import Path

RECORD = Path(__file__).with_suffix(".json")
NAMES = ("SAM3_Detect", "SAM3_VideoTrack", "SAM3_TrackToMask", "OpticalFlowLoader")
KEPT = ("default", "min", "max", "step", "forceInput")


def recorded() -> dict:
    return json.loads(RECORD.read_text(encoding="utf-8"))


def described(info: dict) -> dict:
    """What a graph depends on, of a node of /object_info: inputs in order with type, default and bounds; outputs."""
    groups = {group: specs for group, specs in info["input"].items() if group in ("required", "optional")}
    return {
        "input": {
            group: {name: [spec[0], _kept(spec)] for name, spec in specs.items()} for group, specs in groups.items()
        },
        "output": info["output"],
        "output_name": info["output_name"],
    }


def _kept(spec: list) -> dict:
    options = spec[1] if len(spec) > 1 else {}
    kept = {name: options[name] for name in KEPT if name in options}
    return kept | ({"options": []} if spec[0] == "COMBO" else {})  # which files there are is the machine's
