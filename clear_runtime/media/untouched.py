"""Samples as they were stored: where nothing was replaced, a new frame is given the source's own.

Colour is stored at half the fineness of the picture, so that going to RGB and back blurs it a little. What nobody
touched does not go that way.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn import functional as F


def same_form(stored, pixel_format: str, turns: int = 0) -> bool:
    """Whether a decoded frame has a pixel format, whatever its range is called, and is stored so many anticlockwise
    quarter turns from upright."""
    turned = round(getattr(stored, "rotation", 0) / 90) % 4
    return stored.format.name.replace("yuvj", "yuv") == pixel_format and turned == turns


def keep_untouched(new, source, mask: Tensor) -> None:
    """Give the frame `new` all samples of `source`, of the same pixel format, but those that mask [H, W] > 0 covers: of
    colour, also those that a covered pixel beside them goes into."""
    touched = (mask > 0).float()[None, None]
    wide = F.max_pool2d(touched, 3, 1, 1)
    for index, component in enumerate(new.format.components):
        there = touched if index == 0 else wide
        size = (component.height, component.width)
        if there.shape[2:] != size:
            there = F.adaptive_max_pool2d(there, size)
        keep = there[0, 0].numpy() == 0
        old, out = _plane(source, index), _plane(new, index)
        np.copyto(out, old, where=keep)


def _plane(frame, index: int) -> np.ndarray:
    """A plane of a frame as [h, w], over its own memory."""
    plane, depth = frame.planes[index], frame.format.components[index].bits
    kind = np.uint8 if depth <= 8 else np.uint16
    width = plane.line_size // np.dtype(kind).itemsize
    return np.frombuffer(plane, kind).reshape(-1, width)[: plane.height, : plane.width]
