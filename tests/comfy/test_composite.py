"""The shipped graph for any other model's frames, in a running ComfyUI."""

import json

import torch.nn.functional as F
from comfy_graphs import pictures

GRAPH = "Remove subtitles (any other model).json"


def test_only_the_subtitle_s_pixels_come_from_the_other_model(comfyui, template, small_clip):
    prompt = template(GRAPH, LoadVideo={"file": "small.mp4"})
    node = {one["class_type"]: key for key, one in prompt.items()}
    # as another model's may be: of another size and darker
    prompt["smaller"] = {
        "class_type": "ImageScale",
        "inputs": {
            "image": [node["CLEAR_SubtitleRemove"], 0],
            "upscale_method": "area",
            "width": 96,
            "height": 72,
            "crop": "disabled",
        },
    }
    darker = {"image1": ["smaller", 0], "image2": ["black", 0], "blend_factor": 0.2, "blend_mode": "normal"}
    prompt |= {
        "black": {
            "class_type": "EmptyImage",
            "inputs": {"width": 96, "height": 72, "batch_size": len(small_clip), "color": 0},
        },
        "darker": {"class_type": "ImageBlend", "inputs": darker},
        "white": {"class_type": "MaskToImage", "inputs": {"mask": [node["CLEAR_Composite"], 1]}},
    }
    for name, of in {
        "frames": [node["CLEAR_Composite"], 0],
        "masks": ["white", 0],
        "source": [node["GetVideoComponents"], 0],
    }.items():
        prompt[name] = {"class_type": "SaveImage", "inputs": {"images": of, "filename_prefix": f"other/{name}"}}
    prompt[node["CLEAR_Composite"]]["inputs"]["cleaned"] = ["darker", 0]
    outputs = comfyui.run(prompt, bound=300)
    frames, masks, source = (pictures(comfyui, outputs, key) for key in ("frames", "masks", "source"))
    masks = masks[..., 0]
    assert frames.shape == source.shape == small_clip.shape
    assert masks.any(), "the subtitle was not found"
    # a picture file rounds the mask: its faintest edge, up to two pixels wide, reads as 0 there
    edge = F.max_pool2d((masks > 0).float()[:, None], 5, 1, 2)[:, 0] > 0
    assert (frames == source)[~edge].all()
    letters = masks == 255
    assert frames[letters].float().mean() < source[letters].float().mean() - 10, "bright letters are gone"
    said = json.dumps(outputs[node["CLEAR_Composite"]])
    assert "Subtitles in" in said and "something else" not in said
