"""Before / After in a running ComfyUI."""

from fractions import Fraction

import pytest
import torch
from comfy_graphs import cut, graph_of

from clear_runtime.media.video import read_facts, read_frames
from launch.console import Problem
from launch.server import NodeFailed

LOAD = ("LoadVideo", {"file": "small.mp4"}), ("GetVideoComponents", {"video": ("@0", 0)})
COMPARE = {"before": ("@1", 0), "after": ("@1", 0), "fps": ("@1", 2), "crf": 10.0, "filename_prefix": "t/one"}


def files(server, outputs, key="2"):
    return [
        server.base / "output" / i["subfolder"] / i["filename"] for i in outputs[key]["images"] + outputs[key]["video"]
    ]


def test_it_saves_three_files_and_numbers_them(comfyui, small_clip):
    graph = graph_of(*LOAD, ("CLEAR_BeforeAfter", {**COMPARE, "audio": ("@1", 1)}))
    picture, clean, both = files(comfyui, comfyui.run(graph, bound=300))
    assert [p.name for p in (picture, clean, both)] == [
        "one_00001_before_after.png",
        "one_00001_clean.mp4",
        "one_00001_before_after.mp4",
    ]
    facts = read_facts(clean)
    assert (facts.frames, facts.width, facts.height, facts.fps, facts.audio) == (9, 128, 96, Fraction(25), "aac")
    assert (torch.stack(list(read_frames(clean))) - small_clip).abs().mean() < 0.02
    assert read_facts(both).width == 2 * 128 + 2
    graph["2"]["inputs"]["crf"] = 9.0
    assert files(comfyui, comfyui.run(graph, bound=300))[1].name == "one_00002_clean.mp4"
    assert sorted(p.name for p in picture.parent.glob("one_*")) == [
        f"one_0000{n}_{end}" for n in (1, 2) for end in ("before_after.mp4", "before_after.png", "clean.mp4")
    ]


def test_an_odd_size_is_kept(comfyui):
    cut(comfyui, "odd.mp4", height=95, width=127)
    graph = graph_of(
        ("LoadVideo", {"file": "odd.mp4"}), LOAD[1], ("CLEAR_BeforeAfter", {**COMPARE, "filename_prefix": "t/odd"})
    )
    facts = read_facts(files(comfyui, comfyui.run(graph, bound=300))[1])
    assert (facts.width, facts.height, facts.frames) == (127, 95, 9)


def test_frames_that_do_not_match_are_refused_in_a_sentence(comfyui, small_clip):
    graph = graph_of(
        *LOAD,
        ("ImageFromBatch", {"image": ("@1", 0), "batch_index": 0, "length": 3}),
        ("CLEAR_BeforeAfter", {**COMPARE, "after": ("@2", 0), "filename_prefix": "t/never"}),
    )
    with pytest.raises(NodeFailed, match="'before' is 9 frames .* and 'after' is 3 frames") as failed:
        comfyui.run(graph, bound=300)
    assert failed.value.kind == "ClearError"
    assert not list((comfyui.base / "output").glob("**/never*"))


def test_a_prefix_cannot_climb_out_of_the_output_folder(comfyui, small_clip):
    graph = graph_of(*LOAD, ("CLEAR_BeforeAfter", {**COMPARE, "filename_prefix": "../../escaped"}))
    with pytest.raises(Problem, match="(?i)outside the output folder|Invalid"):
        comfyui.run(graph, bound=300)
    assert not list(comfyui.base.parent.glob("escaped*")) and not list(comfyui.base.glob("escaped*"))
