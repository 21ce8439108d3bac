"""Drawn graphs as prompts, as the schemas of two versions of ComfyUI want them."""

import pytest

from launch import graph
from launch.console import Problem

# The parts of /object_info that matter, as ComfyUI 0.3.75 and 0.33 give them for the same nodes.
CODEC = [
    "COMFY_DYNAMICCOMBO_V3",
    {
        "options": [
            {"key": "auto", "inputs": {"required": {}}},
            {"key": "h264", "inputs": {"required": {"crf": ["FLOAT", {}]}}},
        ]
    },
]


SAVE = {
    "old": {
        "required": {
            "video": ["VIDEO", {}],
            "filename_prefix": ["STRING", {}],
            "format": ["COMBO", {}],
            "codec": ["COMBO", {}],
        }
    },
    "new": {
        "required": {
            "video": ["VIDEO", {}],
            "filename_prefix": ["STRING", {}],
            "format": [
                "COMFY_DYNAMICCOMBO_V3",
                {"options": [{"key": "auto", "inputs": {"required": {"codec": CODEC}}}]},
            ],
        },
        "optional": {"codec": CODEC},
    },
}


def object_info(version):
    nodes = {
        "Load": {"required": {"file": ["COMBO", {"video_upload": True}]}},
        "Sample": {
            "required": {
                "video": ["VIDEO", {}],
                "seed": ["INT", {"control_after_generate": True}],
                "steps": ["INT", {}],
            },
            "optional": {"mask": ["MASK", {}], "mode": [["a", "b"], {}]},
        },
        "SaveVideo": SAVE[version],
    }
    return {
        name: {"input": inputs, "input_order": {k: list(v) for k, v in inputs.items()}}
        for name, inputs in nodes.items()
    }


def drawn():
    return {
        "links": [[1, 10, 0, 20, 0, "VIDEO"], [2, 20, 0, 30, 0, "VIDEO"]],
        "nodes": [
            {"id": 10, "type": "Load", "widgets_values": ["a.mp4", "image"]},
            {
                "id": 20,
                "type": "Sample",
                "inputs": [{"name": "video", "link": 1}, {"name": "mask", "link": None}],
                "widgets_values": [7, "fixed", 5, "b"],
            },
            {
                "id": 30,
                "type": "SaveVideo",
                "inputs": [{"name": "video", "link": 2}],
                "widgets_values": ["out", "auto", "auto"],
            },
            {"id": 40, "type": "MarkdownNote", "widgets_values": ["hello"]},
        ],
    }


@pytest.mark.parametrize(
    "version, nested",
    [("old", {"format": "auto", "codec": "auto"}), ("new", {"format": "auto", "format.codec": "auto"})],
)
def test_the_same_drawn_graph_fits_both_schemas(version, nested):
    assert graph.to_prompt(drawn(), object_info(version)) == {
        "10": {"class_type": "Load", "inputs": {"file": "a.mp4"}},
        "20": {"class_type": "Sample", "inputs": {"video": ["10", 0], "seed": 7, "steps": 5, "mode": "b"}},
        "30": {"class_type": "SaveVideo", "inputs": {"video": ["20", 0], "filename_prefix": "out", **nested}},
    }


def test_a_chosen_option_brings_its_own_values():
    drawing = drawn()
    drawing["nodes"][2]["widgets_values"] = ["out", "auto", "h264", 12.0]
    inputs = graph.to_prompt(drawing, object_info("new"))["30"]["inputs"]
    assert inputs["format.codec"] == "h264" and inputs["format.codec.crf"] == 12.0


def test_muted_nodes_are_left_out_and_unknown_ones_named():
    drawing = drawn()
    drawing["nodes"][2]["mode"] = graph.MUTED
    assert set(graph.to_prompt(drawing, object_info("old"))) == {"10", "20"}
    drawing["nodes"][1]["type"] = "CLEAR_Unheard"
    with pytest.raises(Problem, match="no node CLEAR_Unheard"):
        graph.to_prompt(drawing, object_info("old"))


def test_only_what_an_output_needs():
    prompt = graph.to_prompt(drawn(), object_info("old"))
    assert set(graph.only_to(prompt, {"Sample"})) == {"10", "20"}


def test_a_subgraph_is_laid_open():
    """Inputs and outputs of the folded node lead to what is inside."""

    def node(number, kind, inputs=(), outputs=1):
        slots = [{"name": name, "link": link} for name, link in inputs]
        return {"id": number, "type": kind, "inputs": slots, "outputs": [{}] * outputs, "widgets_values": []}

    def link(number, *ends):
        return dict(zip(("id", "origin_id", "origin_slot", "target_id", "target_slot"), (number, *ends)))

    inside = {
        "id": "folded",
        "inputs": [{"name": "film"}, {"name": "level"}],
        "nodes": [node(1, "Cut", [("video", 1), ("level", 4)]), node(2, "Paint", [("frames", 2)])],
        "links": [link(1, -10, 0, 1, 0), link(2, 1, 0, 2, 0), link(3, 2, 0, -20, 0), link(4, -10, 1, 1, 1)],
    }
    whole = {
        "nodes": [node(7, "Load"), node(8, "folded", [("film", 1), ("level", None)]), node(9, "Save", [("what", 2)])],
        "links": [[1, 7, 0, 8, 0, "VIDEO"], [2, 8, 0, 9, 0, "IMAGE"]],
        "definitions": {"subgraphs": [inside]},
    }
    info = {kind: {"input": {}} for kind in ("Load", "Cut", "Paint", "Save")}
    assert {key: one["inputs"] for key, one in graph.to_prompt(whole, info).items()} == {
        "7": {},
        "8:1": {"video": ["7", 0]},
        "8:2": {"frames": ["8:1", 0]},
        "9": {"what": ["8:2", 0]},
    }
