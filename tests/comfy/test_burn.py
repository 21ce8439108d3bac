"""Burn Subtitles and Load Training Pairs in a running ComfyUI."""

import pytest
from comfy_graphs import DEMO, graph_of

from clear_runtime.media.video import read_facts, read_frames
from launch.server import NodeFailed

LOOK = {
    "scripts": "latin",
    "look": "as set",
    "font": "",
    "size": 8.0,
    "colour": "#ffffff",
    "outline": 7.0,
    "outline_colour": "#000000",
    "shadow": 0.0,
    "box_opacity": 0.0,
    "box_colour": "#000000",
    "opacity": 1.0,
    "position": "bottom",
    "margin": 5.0,
    "fade": 0.0,
    "seed": 0,
    "file": "",
}


def compared(server, output):
    """The video of the slider: both halves and the mask, one below the other."""
    layers = output["clear_compare"][0]["layers"]
    return server.base / layers["type"] / layers["filename"]


def test_the_shipped_graph_burns_lines_into_the_clean_demo_clip(comfyui, template):
    prompt = template("Make training pairs.json")
    outputs = comfyui.run(prompt, bound=240)
    by_class = {node["class_type"]: key for key, node in prompt.items()}
    clean = list(read_frames(DEMO / "bunny_clean.mp4"))
    layers = list(read_frames(compared(comfyui, outputs[by_class["CLEAR_BeforeAfter"]])))
    height = clean[0].shape[0]
    assert len(layers) == len(clean) and layers[0].shape[0] == 3 * height
    masks = [(frame[2 * height :].mean(-1) > 0.5).numpy() for frame in layers]
    halves = {
        prompt[key]["inputs"]["filename_prefix"]: outputs[key]["images"][0]
        for key in prompt
        if prompt[key]["class_type"] == "SaveVideo"
    }
    saved, untouched = (halves[f"CLEAR/pairs/{half}/film"] for half in ("subtitled", "clean"))
    assert saved["filename"] == untouched["filename"], "the halves of a pair find one another by name"
    path = comfyui.base / saved["type"] / saved["subfolder"] / saved["filename"]
    assert read_facts(path).audio and abs(read_facts(path).fps - read_facts(DEMO / "bunny_clean.mp4").fps) < 0.01
    burned = next(read_frames(path))
    where = masks[0]
    change = (burned - clean[0]).abs().amax(-1).numpy()
    assert where.any() and change[where].mean() > 0.15 and change[:200].mean() < 0.03
    text = outputs[by_class["PreviewAny"]]["text"]
    assert "line" in "".join(text) and "font" in "".join(text)


def test_the_clean_demo_clip_and_a_style_give_training_clips(comfyui):
    pairs = {
        "subtitled": "",
        "clean": "clear_demo_clean.mp4",
        "match": "by name",
        "frames": 9,
        "per_video": 3,
        "long_side": 320,
        "seed": 0,
    }
    graph = graph_of(
        ("EmptyImage", {"width": 640, "height": 352, "batch_size": 1, "color": 0}),
        ("CLEAR_BurnSubtitles", {"images": ("@0", 0), "fps": 24.0, **LOOK}),
        ("CLEAR_LoadPairs", {**pairs, "style": ("@1", 2)}),
        ("PreviewAny", {"source": ("@2", 1)}),
    )
    text = "".join(comfyui.run(graph, bound=300)["3"]["text"])
    assert text.startswith("3 clips of 9 frames (320x176) from 1 video.")


def test_a_font_that_is_not_there_is_refused_in_a_sentence(comfyui):
    graph = graph_of(
        ("EmptyImage", {"width": 640, "height": 352, "batch_size": 1, "color": 0}),
        ("CLEAR_BurnSubtitles", {"images": ("@0", 0), "fps": 24.0, **LOOK, "font": "Nowhere Sans"}),
        ("PreviewImage", {"images": ("@1", 0)}),
    )
    with pytest.raises(NodeFailed, match="No font of the family 'Nowhere Sans'") as failed:
        comfyui.run(graph, bound=300)
    assert failed.value.kind == "ClearError"
