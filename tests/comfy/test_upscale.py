"""Graphs that need files of other models, with small random ones: the right sizes and counts come back."""

import pytest
import torch
from safetensors.torch import save_file

from clear_runtime.media.video import read_facts, read_frames

REQUIRED = dict(steps=1, cfg=1.0, seed=0, window=81, overlap=16, control="auto", region="auto", mask_from="prior")
REQUIRED |= dict(grow=4, feather=4)


@pytest.fixture
def upscaler(comfyui):
    """SRVGGNetCompact (Real-ESRGAN's small one) for four times the size, random."""
    torch.manual_seed(0)
    layers = [torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.PReLU(8)]
    layers += [torch.nn.Conv2d(8, 8, 3, padding=1), torch.nn.PReLU(8), torch.nn.Conv2d(8, 3 * 4 * 4, 3, padding=1)]
    path = comfyui.base / "models" / "upscale_models" / "random_x4.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({f"body.{name}": value for name, value in torch.nn.Sequential(*layers).state_dict().items()}, path)
    return path.name


def test_clean_then_upscale_gives_every_frame_four_times_as_large(comfyui, template, small_clip, upscaler):
    prompt = template(
        "Clean, then upscale.json",
        LoadVideo={"file": "small.mp4"},
        UpscaleModelLoader={"model_name": upscaler},
        SaveVideo={"filename_prefix": "upscaled/film"},
    )
    comfyui.run(prompt, bound=300)
    (made,) = (comfyui.base / "output" / "upscaled").glob("film*.mp4")
    frames = list(read_frames(made))
    assert len(frames) == len(small_clip) and read_facts(made).audio
    assert all(tuple(frame.shape) == (4 * 96, 4 * 128, 3) for frame in frames)


def test_a_raft_of_comfyui_s_loader_drives_the_fill(comfyui, object_info, small_clip):
    if "OpticalFlowLoader" not in comfyui.get("/object_info"):
        pytest.skip("this ComfyUI is older than OpticalFlowLoader")
    from torchvision.models.optical_flow import raft_large

    torch.manual_seed(0)
    path = comfyui.base / "models" / "optical_flow" / "random_raft.pth"
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(raft_large(weights=None).state_dict(), path)
    made = comfyui.run(
        {
            "0": {"class_type": "LoadVideo", "inputs": {"file": "small.mp4"}},
            "1": {"class_type": "GetVideoComponents", "inputs": {"video": ["0", 0]}},
            "2": {"class_type": "OpticalFlowLoader", "inputs": {"model_name": path.name}},
            "3": {
                "class_type": "CLEAR_SubtitleRemove",
                "inputs": {"images": ["1", 0], "optical_flow": ["2", 0], "output": "preview", **REQUIRED},
            },
            "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "flow/frame"}},
        },
        bound=300,
    )
    assert len(made["4"]["images"]) == len(small_clip)
