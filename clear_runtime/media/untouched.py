"""Samples as they were stored: where nothing was replaced, a new frame is given the source's own.

Colour is stored at half the fineness of the picture, so that going to RGB and back blurs it a little. What nobody
touched does not go that way.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .colour import Colour, tag, to_stored

GRID = 16
"""Pixels: a part that is converted begins and ends at multiples, and is converted as it would be in the whole."""


def same_form(stored, pixel_format: str, turns: int = 0) -> bool:
    """Whether a decoded frame has a pixel format, whatever its range is called, and is stored so many anticlockwise
    quarter turns from upright."""
    turned = round(getattr(stored, "rotation", 0) / 90) % 4
    return stored.format.name.replace("yuvj", "yuv") == pixel_format and turned == turns


def with_touched(frame: Tensor, source, mask: Tensor, pixel_format: str, colour: Colour, by):
    """The stored frame `source`, whose pixel format that is, with what mask [H, W] > 0 covers of `frame` [H, W, 3] in
    0..1: of colour, also the samples that a covered pixel beside them goes into. Only what is near is converted.
    colour, by: as of to_stored."""
    # brings FFmpeg's libraries: only where a file is written
    import av

    size = frame.shape[:2]
    new = av.VideoFrame(size[1], size[0], pixel_format)
    tag(new, colour)
    for index in range(len(new.format.components)):
        np.copyto(_plane(new, index), _plane(source, index))
    touched = (mask > 0).numpy()
    rows, columns = (_around(touched.any(axis)) for axis in (1, 0))
    if rows.start == rows.stop:
        return new
    covered = touched[rows, columns]
    made = to_stored(frame[rows, columns], pixel_format, colour, by, lines=size[0])
    wide = F.max_pool2d(torch.from_numpy(covered)[None, None].float(), 3, 1, 1)
    for index, component in enumerate(new.format.components):
        whole, changed = _plane(new, index), _plane(made, index)
        down, across = (round(of / own) for of, own in zip(size, (component.height, component.width)))
        where = covered if index == 0 else F.adaptive_max_pool2d(wide, changed.shape)[0, 0].numpy() > 0
        top, left = rows.start // down, columns.start // across
        inside = whole[top : top + changed.shape[0], left : left + changed.shape[1]]
        np.copyto(inside, changed, where=where)
    return new


def _around(line: np.ndarray) -> slice:
    """What is true in a line [n], one more on both sides, and on to GRID: every sample of colour there lies whole
    within or without."""
    at = np.flatnonzero(line)
    if not len(at):
        return slice(0, 0)
    return slice(max(0, at[0] - 1) // GRID * GRID, min(len(line), -(-(at[-1] + 2) // GRID) * GRID))


def _plane(frame, index: int) -> np.ndarray:
    """A plane of a frame as [h, w], over its own memory."""
    plane, depth = frame.planes[index], frame.format.components[index].bits
    kind = np.uint8 if depth <= 8 else np.uint16
    width = plane.line_size // np.dtype(kind).itemsize
    return np.frombuffer(plane, kind).reshape(-1, width)[: plane.height, : plane.width]
