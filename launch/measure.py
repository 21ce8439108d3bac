"""Facts of a file before a run, and figures of its result after it."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from clear_runtime import metrics
from clear_runtime.frames.masks import grow
from clear_runtime.media import video


def facts(path: str) -> dict:
    found = video.read_facts(path)
    accelerator = (
        torch.cuda.is_available()
        or torch.backends.mps.is_available()
        or (hasattr(torch, "xpu") and torch.xpu.is_available())
    )
    return {"width": found.width, "height": found.height, "accelerator": bool(accelerator), "torch": torch.__version__}


def score(before: str, after: str, truth: str | None) -> dict:
    count_before, count_after = (video.count_frames(path) for path in (before, after))
    result = video.read_facts(after)
    found = {
        "frames_in": count_before,
        "frames_out": count_after,
        "size": [result.width, result.height],
        "fps": str(result.fps),
        "audio": result.audio,
    }
    if truth and count_before == count_after:
        found |= _against_truth(before, after, Path(truth))
    return found


def _against_truth(before: str, after: str, truth: Path) -> dict:
    told = json.loads(truth.read_text(encoding="utf-8"))
    bits = torch.from_numpy(np.array(Image.open(truth.parent / told["mask"])))
    source, cleaned, clean = (
        torch.stack(list(video.read_frames(p))) for p in (before, after, truth.parent / told["clean"])
    )
    mask = torch.zeros(source.shape[:3])
    for line in told["lines"]:
        mask[line["first"] : line["stop"]] = torch.maximum(
            mask[line["first"] : line["stop"]], (bits >> line["bit"] & 1).float()
        )
    near, far = grow(mask, 3), 1 - grow(mask, 12)
    return {
        "psnr_mask": round(metrics.masked_psnr(cleaned, clean, near), 2),
        "psnr_mask_of_input": round(metrics.masked_psnr(source, clean, near), 2),
        "psnr_background": round(metrics.masked_psnr(cleaned, source, far), 2),
        "flicker": round(metrics.flicker(cleaned, clean, near), 5),
    }
