"""Whether the letters of a row stand still in the picture, whatever its masks say.

A prior's mask of a sign on a busy wall is a slab of which the outline hardly moves while its letters do. The picture
tells: what is burned in shows the same pixels again, and a scene that moves behind it does not. Thin and faint letters
show that scene between and behind them, but change less than it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from ..frames.region import Region
from .align import part
from .rows import Row

AROUND = 2
"""Pixels of the small frames around letters that count: an edge needs both of its sides."""
BESIDE = 3, 8
"""Pixels of the small frames between letters and what counts as beside them, and to where it does."""


class Standing(NamedTuple):
    """How the picture at a row's letters is a moment later. alike: its correlation, -1 to 1. On real clips what is
    burned in comes to 0.86 and more half a second later, what moves with the scene to 0.45, and both to more where
    nothing moves. change: how much the letters change over how much the picture beside them does; letters of a scene
    that moves change more than what they are written on. None where nothing is beside them."""

    alike: float
    change: float | None


def standing(row: Row, before: Sequence[np.ndarray], now: Sequence[np.ndarray], scale: float) -> Standing:
    """What small frames [h, w, 3] of two moments show where a row has letters in the first; of each moment the mean of
    some counts, for film has grain. scale: the small frames' size over the masks'."""
    return Standing(steady(row, before, now, scale), _change(*_crops(row, before, now, scale, BESIDE[1])))


def steady(row: Row, before: Sequence[np.ndarray], now: Sequence[np.ndarray], scale: float) -> float:
    """How alike alone (Standing)."""
    one, two, letters = _crops(row, before, now, scale, AROUND)
    there = ndimage.binary_dilation(letters, iterations=AROUND)
    if not there.any():
        return 0.0
    one, two = (picture[there].mean(1) for picture in (one, two))
    one, two = one - one.mean(), two - two.mean()
    norm = float(np.sqrt((one * one).sum() * (two * two).sum()))
    return float((one * two).sum()) / norm if norm > 1e-6 else 0.0


def _change(one: np.ndarray, two: np.ndarray, letters: np.ndarray) -> float | None:
    near, far = (ndimage.binary_dilation(letters, iterations=n) for n in BESIDE)
    inner = ndimage.binary_erosion(letters)
    inner, beside = inner if inner.any() else letters, far & ~near
    if not inner.any() or not beside.any():
        return None
    changes = np.abs(one - two).mean(-1)
    return float(changes[inner].mean() / max(1.0, changes[beside].mean()))


def _crops(row: Row, before: Sequence[np.ndarray], now: Sequence[np.ndarray], scale: float, around: int):
    """The two moments' pictures [h, w, 3] around a row, by so many pixels of the small frames, and its letters."""
    frame = tuple(round(side / scale) for side in before[0].shape[:2])
    wide = row.region.grown(round((around + 1) / scale), *frame)
    one, two = (np.mean([picture_of(small, wide, scale) for small in moment], 0) for moment in (before, now))
    soft = part(row.soft, row.region, wide)
    ys, xs = (((np.arange(n) + 0.5) * have / n).astype(int) for n, have in zip(one.shape, soft.shape))
    return one, two, soft[np.ix_(ys, xs)] > 127


def picture_of(small: np.ndarray, region: Region, scale: float) -> np.ndarray:
    """What a small frame [h, w, 3] shows in a rectangle of the masks, float32. scale: its size over the masks'."""
    top, left = int(region.top * scale), int(region.left * scale)
    height, width = (max(1, round(side * scale)) for side in (region.height, region.width))
    return small[top : top + height, left : left + width].astype(np.float32)
