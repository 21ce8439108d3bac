"""Prior Mask and Train Prior in a running ComfyUI."""

import numpy as np
import pytest
from comfy_graphs import DEMO, cut, graph_of
from PIL import Image
from tiny_pairs import write_pair

from clear_runtime.media.video import read_frames
from launch.server import NodeFailed


def pictures(server, outputs, key):
    return [
        np.asarray(Image.open(server.base / i["type"] / i["subfolder"] / i["filename"]).convert("RGB"), dtype=float)
        for i in outputs[key]["images"]
    ]


def heat_video(server, output):
    """Of the slider: frames, the same under heat [T, H, W, 3], and marks [T, H, W]."""
    layers = output["clear_compare"][0]["layers"]
    whole = np.stack([frame.numpy() for frame in read_frames(server.base / layers["type"] / layers["filename"])])
    before, heat, marks = np.split(whole, 3, axis=1)
    return before, heat, marks.mean(-1)


def test_the_shipped_graph_shows_heat_and_a_curve(comfyui, template, small_clip):
    prompt = template(
        "Show where subtitles are.json", LoadVideo={"file": "small.mp4"}, CLEAR_PriorMask={"threshold": 0.3}
    )
    keys = {node["class_type"]: key for key, node in prompt.items()}
    outputs = comfyui.run(prompt, bound=300)
    before, heat, marks = heat_video(comfyui, outputs[keys["CLEAR_BeforeAfter"]])
    assert before.shape == (len(small_clip), 96, 128, 3)
    assert np.abs(heat - before)[marks > 0.5].mean() > 10 * np.abs(heat - before)[marks < 0.1].mean()
    assert [p.shape for p in pictures(comfyui, outputs, keys["PreviewImage"])] == [(240, 960, 3)]
    assert not list((comfyui.base / "output").rglob("*heat*")), "looking saves nothing"


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
    reports = ["".join(outputs[key]["text"]) for key, node in prompt.items() if node["class_type"] == "PreviewAny"]
    assert any(text.startswith("1 of 1 pairs can be used") for text in reports)
    assert (comfyui.base / "models" / "clear" / "shipped_prior.safetensors").exists()
    slider = ids["CLEAR_BeforeAfter"]
    _, trained, _ = heat_video(comfyui, outputs[slider])
    assert len(trained) == len(small_clip)
    del prompt[ids["CLEAR_PriorMask"]]["inputs"]["trained"]
    _, bundled, _ = heat_video(comfyui, comfyui.run(prompt, bound=300)[slider])
    assert abs(trained - bundled).max() > 0.12, "three steps from scratch mark other pixels than the bundled prior"


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
