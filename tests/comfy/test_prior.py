"""Prior Mask and Train Prior in a running ComfyUI."""

import numpy as np
import pytest
from comfy_graphs import DEMO, cut, graph_of
from PIL import Image
from tiny_pairs import write_pair

from launch.server import NodeFailed


def pictures(server, outputs, key):
    return [
        np.asarray(Image.open(server.base / i["type"] / i["subfolder"] / i["filename"]).convert("RGB"), dtype=float)
        for i in outputs[key]["images"]
    ]


def test_the_shipped_graph_shows_heat_and_a_curve(comfyui, template, small_clip):
    prompt = template("Show where subtitles are.json", LoadVideo={"file": "small.mp4"}, CLEAR_PriorMask={"threshold": 0.3})
    keys = {node["inputs"]["images"][1]: key for key, node in prompt.items() if node["class_type"] == "PreviewImage"}
    outputs = comfyui.run(prompt, bound=300)
    frames = pictures(comfyui, outputs, keys[2])
    assert len(frames) == len(small_clip) and frames[0].shape == (96, 128, 3)
    assert [p.shape for p in pictures(comfyui, outputs, keys[3])] == [(240, 960, 3)]


def test_the_shipped_graph_trains_a_prior_and_marks_subtitles_with_it(comfyui, template, small_clip):
    cut(comfyui, "small_clean.mp4", DEMO / "bunny_clean.mp4")
    prompt = template(
        "Train a prior.json",
        LoadVideo={"file": "small.mp4"},
        CLEAR_TrainPrior={
            "pairs": "small.mp4",
            "clean": "small_clean.mp4",
            "name": "shipped_prior",
            "steps": 3,
            "batch": 1,
        },
    )
    ids = {node["class_type"]: key for key, node in prompt.items()}
    shown = {
        tuple(node["inputs"]["images"]): key for key, node in prompt.items() if node["class_type"] == "PreviewImage"
    }
    outputs = comfyui.run(prompt, bound=240)
    for output in (1, 2):
        (picture,) = pictures(comfyui, outputs, shown[ids["CLEAR_TrainPrior"], output])
        assert picture.shape[1] == 640 and picture.std() > 10
    assert outputs[ids["PreviewAny"]]["text"][0].startswith("1 of 1 pairs can be used")
    assert (comfyui.base / "models" / "clear" / "shipped_prior.safetensors").exists()
    overlay = shown[ids["CLEAR_PriorMask"], 2]
    trained = pictures(comfyui, outputs, overlay)
    assert len(trained) == len(small_clip)
    del prompt[ids["CLEAR_PriorMask"]]["inputs"]["trained"]
    bundled = pictures(comfyui, comfyui.run(prompt, bound=300), overlay)
    assert max(abs(a - b).max() for a, b in zip(trained, bundled)) > 30, (
        "three steps from scratch mark other pixels than the bundled prior"
    )


def test_a_prior_is_trained_in_the_graph_and_listed(comfyui):
    folder = comfyui.base / "input" / "pairs"
    folder.mkdir()
    write_pair(folder, "one", frames=4)
    graph = graph_of(
        (
            "CLEAR_TrainPrior",
            {
                "pairs": str(folder),
                "clean": "",
                "name": "graph_prior",
                "model": "light",
                "start": "bundled light prior",
                "steps": 2,
                "batch": 1,
                "rate": 0.0,
                "seed": 0,
            },
        ),
        ("PreviewImage", {"images": ("@0", 1)}),
    )
    assert [p.shape for p in pictures(comfyui, comfyui.run(graph, bound=180), "1")] == [(280, 640, 3)]
    kind, options = comfyui.get("/object_info/CLEAR_PriorMask")["CLEAR_PriorMask"]["input"]["required"]["prior"]
    assert "graph_prior.safetensors" in (options["options"] if kind == "COMBO" else kind)


def test_a_folder_without_pairs_is_refused_in_a_sentence(comfyui, tmp_path):
    graph = graph_of(
        (
            "CLEAR_TrainPrior",
            {
                "pairs": str(tmp_path),
                "name": "x",
                "model": "light",
                "start": "from scratch",
                "steps": 1,
                "batch": 1,
                "rate": 0.0,
                "seed": 0,
            },
        ),
        ("PreviewImage", {"images": ("@0", 1)}),
    )
    with pytest.raises(NodeFailed, match="No pairs in") as failed:
        comfyui.run(graph, bound=300)
    assert failed.value.kind == "ClearError"
