"""Bars side by side are no letters: of an equaliser, a fence, a radiator, a bar code, a piano.

A prior takes them for a row of I. But letters differ from top to bottom, and do not stand at one distance; bars are the
same all the way down, one like the other.
"""

from __future__ import annotations

import numpy as np

from .rows import RowRules

LEAST = 6.0
"""Levels of 255, as a standard deviation, under which a picture shows nothing."""


def are_bars(crop: np.ndarray, rules: RowRules = RowRules()) -> bool:
    """Whether what a row shows [h, w, 3] in levels of 255 are upright bars at one distance."""
    grey = crop.astype(np.float32).mean(2)
    ends = len(grey) // 4  # bars differ in length, and rails join them
    middle = grey[ends : len(grey) - ends]
    along, spread = middle.mean(0), float(middle.std())
    if not rules.bars or spread < LEAST or along.std() < rules.straight * spread:
        return False
    begins = np.flatnonzero(np.diff((along > along.mean()).astype(np.int8)) > 0)
    if len(begins) < rules.bars:
        return False
    apart = np.diff(begins)
    return bool(apart.std() <= rules.even * apart.mean())
