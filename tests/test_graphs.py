"""The shipped graphs are what scripts/make_graphs.py writes."""

import json
import subprocess
import sys

import pytest
from paths import ROOT


def test_graphs_are_up_to_date():
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "make_graphs.py"), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


SINGLE = {"plot", "curves", "example"}
"""Outputs of one picture."""


@pytest.mark.parametrize("path", sorted((ROOT / "workflows").glob("*.json")), ids=lambda path: path.stem)
def test_frames_are_shown_as_a_video_and_not_as_hundreds_of_pictures(path):
    graph = json.loads(path.read_text(encoding="utf-8"))
    nodes = {node["id"]: node for node in graph["nodes"]}
    shown = [link for link in graph["links"] if nodes[link[3]]["type"] in ("PreviewImage", "SaveImage", "MaskPreview")]
    assert {nodes[source]["outputs"][slot]["name"] for _, source, slot, *_ in shown} <= SINGLE
