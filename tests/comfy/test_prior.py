"""Prior Mask and Train Prior in a running ComfyUI."""
import numpy as np
import pytest
from comfy_graphs import graph_of
from PIL import Image
from tiny_pairs import write_pair

from launch.server import NodeFailed


def pictures(server, outputs, key):
    return [np.asarray(Image.open(server.base / i["type"] / i["subfolder"] / i["filename"]).convert("RGB"), dtype=float) for i in outputs[key]["images"]]


def test_the_shipped_graph_shows_heat_and_a_curve(comfyui, template, small_clip):
    prompt = template("Prior mask.json", LoadVideo={"file": "small.mp4"}, CLEAR_PriorMask={"threshold": 0.3})
    keys = {node["inputs"]["images"][1]: key for key, node in prompt.items() if node["class_type"] == "PreviewImage"}
    outputs = comfyui.run(prompt, bound=120)
    frames = pictures(comfyui, outputs, keys[2])
    assert len(frames) == len(small_clip) and frames[0].shape == (96, 128, 3)
    assert [p.shape for p in pictures(comfyui, outputs, keys[3])] == [(240, 960, 3)]


def test_a_prior_is_trained_in_the_graph_and_listed(comfyui):
    folder = comfyui.base / "input" / "pairs"
    folder.mkdir()
    write_pair(folder, "one", frames=4)
    graph = graph_of(("CLEAR_TrainPrior", {"pairs": str(folder), "clean": "", "name": "graph_prior", "model": "light", "start": "bundled light prior",
                                           "steps": 2, "batch": 1, "rate": 0.0, "seed": 0}), ("PreviewImage", {"images": ("@0", 1)}))
    assert [p.shape for p in pictures(comfyui, comfyui.run(graph, bound=180), "1")] == [(280, 640, 3)]
    kind, options = comfyui.get("/object_info/CLEAR_PriorMask")["CLEAR_PriorMask"]["input"]["required"]["prior"]
    assert "graph_prior.safetensors" in (options["options"] if kind == "COMBO" else kind)


def test_a_folder_without_pairs_is_refused_in_a_sentence(comfyui, tmp_path):
    graph = graph_of(("CLEAR_TrainPrior", {"pairs": str(tmp_path), "name": "x", "model": "light", "start": "from scratch", "steps": 1, "batch": 1, "rate": 0.0, "seed": 0}),
                     ("PreviewImage", {"images": ("@0", 1)}))
    with pytest.raises(NodeFailed, match="No pairs in") as failed:
        comfyui.run(graph, bound=60)
    assert failed.value.kind == "ClearError"
