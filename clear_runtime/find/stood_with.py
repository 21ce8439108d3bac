"""What a prior left out of a row's letters, told by what stands with them before a scene that moves.

The face of a pictograph, the heart of a wide letter: a prior marks their rims. But while all around them changes, they
show the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image
from scipy import ndimage

from ..frames.region import Region
from .colours import distance
from .rows import Row

SAMPLES, LEAST = 9, 5
"""Frames that are compared, at most and at least."""
STILL = 20.0
"""Levels of 255 between the brightest and the darkest that a pixel of what stands shows, one frame of either side left
out: an encoder's noise beside movement."""
MOVES = 2.5
"""How many times as much the scene around it changes."""
RIM = 2
"""Pixels around letters that may be theirs in part."""
KNOWN = 0.7
"""Share of the letters that the prior sees which stand at least: else they fade, or are translucent."""


def stood_with(row: Row, frames: Sequence[np.ndarray], scale: float) -> np.ndarray:
    """Which pixels of a row's rectangle [h, w] bool show the same in small frames [H, W, 3] uint8 through which the row
    stands, while what is around them changes. scale: the small frames' size over the masks'. Those that touch a letter
    count: the rest may be a scene without anything in it."""
    nothing = np.zeros(row.soft.shape, dtype=bool)
    if len(frames) < LEAST:
        return nothing
    some = np.linspace(0, len(frames) - 1, min(SAMPLES, len(frames))).round().astype(int)
    shown = np.sort(np.stack([_resized(frames[n], row.region, scale) for n in some]), axis=0)
    changes = distance(shown[-2], shown[1])
    letters, stands = row.soft > 127, changes <= STILL
    if not letters.any() or stands[letters].mean() < KNOWN:
        return nothing
    beside = ~ndimage.binary_dilation(letters, iterations=RIM)
    mean = lambda values: ndimage.uniform_filter(values.astype(np.float32), row.region.height, mode="constant")
    stands &= letters | (mean(changes * beside * ~stands) >= MOVES * STILL * mean(beside).clip(1e-3))
    labels, _ = ndimage.label(stands)
    return np.isin(labels, np.unique(labels[letters & stands])) & stands & ~letters


def _resized(frame: np.ndarray, region: Region, scale: float) -> np.ndarray:
    """What a small frame shows in a rectangle of the masks, at their size [h, w, 3] int16."""
    sides = (side * scale for side in (region.left, region.top, region.right, region.bottom))
    box = tuple(min(side, size) for side, size in zip(sides, (frame.shape[1], frame.shape[0]) * 2))
    size = region.width, region.height
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR, box), dtype=np.int16)
