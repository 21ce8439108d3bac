"""Removals to compare with that have nothing of ours, or only the fill: what a text detector marks, or the true mask,
painted over."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..errors import ClearError
from ..fill.plain import fill
from .cases import BenchCase
from .ocr import Reader, filled

RADIUS = 3  # pixels around a hole that OpenCV looks at, as in its own example

TEXT_BOXES = "OCR boxes, OpenCV"
TRUE_MASK = "true mask, OpenCV"
TRUE_MASK_FILL = "true mask, fill"
BASELINES = (TEXT_BOXES, TRUE_MASK, TRUE_MASK_FILL)


def baseline(column: str, case: BenchCase, read: Reader | None) -> Tensor:
    """The case's frames as one of BASELINES leaves them. The true mask is not grown: this is the most that its methods
    can reach. Raises ClearError for text boxes without a reader."""
    if column == TRUE_MASK_FILL:
        return fill(case.subtitled, case.mask)
    if column == TRUE_MASK:
        return inpainted(case.subtitled, case.mask)
    if read is None:
        raise ClearError(f'The column "{TEXT_BOXES}" needs --ocr.')
    return inpainted(case.subtitled, torch.stack([filled(read(frame), *frame.shape[:2]) for frame in case.subtitled]))


def inpainted(frames: Tensor, masks: Tensor) -> Tensor:
    """Frames [T, H, W, 3] in 0..1 with what masks [T, H, W] bool mark painted over by OpenCV, frame by frame (Telea,
    "An image inpainting technique based on the fast marching method", 2004). Raises ClearError where OpenCV is
    missing."""
    try:
        # an optional package
        import cv2
    except ImportError as missing:
        raise ClearError(
            'Inpainting by OpenCV needs the package opencv-python, which rapidocr brings: pip install "rapidocr>=3.10"'
        ) from missing
    levels, holes = (
        (frames.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy(),
        masks.to(torch.uint8).cpu().numpy(),
    )
    return (
        torch.from_numpy(
            np.stack([cv2.inpaint(frame, hole, RADIUS, cv2.INPAINT_TELEA) for frame, hole in zip(levels, holes)])
        ).float()
        / 255
    )
