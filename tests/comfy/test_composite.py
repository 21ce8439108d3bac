"""The shipped graph for any other model's frames, in a running ComfyUI."""

import json

from comfy_graphs import cleaned_within

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
    frames, masks, source = cleaned_within(comfyui, outputs, small_clip.shape)
    letters = masks == 255
    assert frames[letters].float().mean() < source[letters].float().mean() - 10, "bright letters are gone"
    said = json.dumps(outputs[node["CLEAR_Composite"]])
    assert "Subtitles in" in said and "something else" not in said
