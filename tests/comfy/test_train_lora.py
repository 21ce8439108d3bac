"""The graph that trains a LoRA and then removes subtitles with it, in a running ComfyUI."""

import numpy as np
import pytest
from own_film import BRIEF, write_film
from PIL import Image

from clear_runtime.engines import lora
from launch.server import NodeFailed


@pytest.fixture(scope="module")
def short(object_info):
    """Inputs that make the shipped graph's training short: 3 steps on clips of 5 small frames."""
    return {
        "CLEAR_LoadPairs": {"frames": 5, "per_video": 2, "long_side": 320},
        "CLEAR_TrainLoRA": {
            "name": "server_lora",
            "steps": 3,
            "rank": 4,
            "frames": 5,
            "height": 32,
            "width": 64,
            "preview_every": 3,
        },
    }


def picture(server, output):
    (item,) = output["images"]
    return np.asarray(
        Image.open(server.base / item["type"] / item["subfolder"] / item["filename"]).convert("RGB"), dtype=float
    )


def test_the_shipped_graph_trains_a_lora_and_cleans_the_clip_with_it(comfyui, template, short, small_clip):
    prompt = template(
        "Train a LoRA from clean film.json", **short, CLEAR_BeforeAfter={"filename_prefix": "trained/film"}
    )
    shown = {node["inputs"]["images"][1]: key for key, node in prompt.items() if node["class_type"] == "PreviewImage"}
    for node in prompt.values():
        if node["class_type"] == "LoadVideo" and node["inputs"]["file"] == "clear_demo.mp4":
            node["inputs"]["file"] = "small.mp4"
    outputs = comfyui.run(prompt, bound=240)
    curves, example = (picture(comfyui, outputs[shown[i]]) for i in (2, 3))
    assert curves.shape[1] == example.shape[1] == 640 and curves.std() > 10 and example.std() > 10
    folder = comfyui.base / "models" / "loras"
    state = lora.read_lora(folder / "server_lora.safetensors")
    assert lora.rank(state) == 4 and any(value.any() for name, value in state.items() if "lora_B" in name)
    assert (folder / "server_lora.occlusion_head.safetensors").exists()
    (cleaned,) = [
        i for output in outputs.values() for i in output.get("video", []) if i["filename"].endswith("_clean.mp4")
    ]
    from clear_runtime.media.video import read_frames

    assert len(list(read_frames(comfyui.base / "output" / cleaned["subfolder"] / cleaned["filename"]))) == len(
        small_clip
    )
    kind, options = comfyui.get("/object_info/CLEAR_ApplyLoRA")["CLEAR_ApplyLoRA"]["input"]["required"]["lora"]
    assert "server_lora.safetensors" in (options["options"] if kind == "COMBO" else kind)


def test_a_model_with_a_lora_is_refused_in_a_sentence(comfyui, template, short):
    prompt = template("Train a LoRA from clean film.json", **short, CLEAR_LoadNano={"strength": 1.0})
    with pytest.raises(NodeFailed, match="carries patches.*strength to 0") as failed:
        comfyui.run(prompt, bound=300)
    assert failed.value.kind == "ClearError"


def test_the_shipped_graph_trains_on_one_subtitled_film_and_cleans_it(comfyui, template, short):
    from clear_runtime.media.video import read_frames

    write_film(comfyui.base / "input" / "own.mp4", *BRIEF)
    training = short["CLEAR_TrainLoRA"] | {"name": "own_lora", "steps": 1, "preview_every": 1}
    prompt = template(
        "Train a LoRA from this film.json",
        LoadVideo={"file": "own.mp4"},
        CLEAR_LoadPairs={"subtitled": "own.mp4", "frames": 5, "per_video": 3, "long_side": 320},
        CLEAR_TrainLoRA=training,
        CLEAR_SubtitleRemoveVideo={"filename_prefix": "own/film"},
    )
    outputs = comfyui.run(prompt, bound=400)
    told = " ".join(str(output.get("text", "")) for output in outputs.values())
    assert "1 line of the film's own was measured" in told and "Saved:" in told
    assert (comfyui.base / "models" / "loras" / "own_lora.safetensors").exists()
    (cleaned,) = (comfyui.base / "output" / "own").glob("film*.mp4")
    assert len(list(read_frames(cleaned))) == BRIEF[1]
