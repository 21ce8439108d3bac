"""What a prior left out of a row's letters, told by what changes in the picture as the row comes or goes.

Dark letters before a dark tree, white ones before a wall: a prior sees a part of them, and pieces stay. But where the
scene is calm, two frames of which one has the row and the other has not differ by the row alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .colours import distance
from .passing import CALM, CHANGED
from .rows import Row
from .steady import picture_of

SHADE = 48.0
"""Levels of 255 by which a pixel's colour differs from the letters' at most: a box that comes with them has another."""
KNOWN = 0.8
"""Share of the letters that the prior sees which have changed at least: else it is not the row that comes or goes."""


def came_with(row: Row, colour: Sequence[float], there: np.ndarray, empty: np.ndarray, scale: float) -> np.ndarray:
    """Which pixels of a row's rectangle [h, w] bool have its letters' colour [3] in a small frame [H, W, 3] uint8, and
    changed with it. empty: the frame beside it in which the row is not there. scale: the small frames' size over the
    masks'. Nothing where the scene changes too."""
    height, width = row.soft.shape
    size = tuple(round(side / scale) for side in there.shape[:2])
    wide = row.region.grown(row.region.height, *size)
    differs = distance(picture_of(there, wide, scale), picture_of(empty, wide, scale))
    top, left = (round(by * scale) for by in (row.region.top - wide.top, row.region.left - wide.left))
    now = picture_of(there, row.region, scale)
    bottom, right = top + now.shape[0], left + now.shape[1]
    changed = differs[top:bottom, left:right] > CHANGED
    beside = differs[:top], differs[bottom:], differs[:, :left], differs[:, right:]
    # on some side there is no other row that comes with it
    calm = min((part.mean() for part in beside if part.size), default=np.inf) <= CALM
    if not calm or changed.shape != now.shape[:2]:
        return np.zeros((height, width), dtype=bool)
    ys, xs = ((np.arange(n) * have // n) for n, have in zip((height, width), changed.shape))
    letters = row.soft > 127
    whole = changed[np.ix_(ys, xs)]
    if not letters.any() or whole[letters].mean() < KNOWN:
        return np.zeros((height, width), dtype=bool)
    alike = distance(now, np.asarray(colour, dtype=np.float32)) <= SHADE
    return (changed & alike)[np.ix_(ys, xs)] & ~letters
