"""Rows in which standing text and text that moves behind it have run into one another, taken apart.

A score over a board with adverts is one blob to a prior. In the looks before and after there is text all over it too;
but only the score shows the same pixels. And where a row has stood by itself before, it is known within the blob.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..frames.region import Region
from .align import alike, overlap
from .rows import Row
from .steady import picture_of

WINDOW = 9
"""Pixels of the small frames over which a place is compared: a letter or two."""
SAME, OTHER = 0.7, 0.4
"""Correlation of a place with itself in another look, over which it stands, and under which it shows something else."""
FLAT = 16.0
"""Variance, in levels squared, under which there is nothing to compare."""
SHARE = 0.05
"""Of a row's letters, that must stand and that must have changed for it to be two."""
TALLER = 1.8
"""How many times as high as a row what it has run into is at least: a row itself grows along its line."""
STILL = 0.55
"""How alike the letters of a row are to those at its place in what it has run into, where they are the same ones."""
NEAR = 12
"""Pixels around text, on a frame of 1280, in which text of the next look is taken for it."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A look at a frame: its soft mask [H, W] uint8, and the small frame [h, w, 3] uint8."""

    soft: np.ndarray
    small: np.ndarray

    @property
    def scale(self) -> float:
        """The size of the small frame over the mask's."""
        return max(self.small.shape[:2]) / max(self.soft.shape)


def taken_apart(rows: Sequence[Row], now: Seen, before: Seen, after: Seen) -> list[Row]:
    """Rows of one look, those of two kinds as two: what stands, and what moves. before, after: the looks beside it."""
    return [part for row in rows for part in _parts(row, now, before, after)]


def _parts(row: Row, now: Seen, *others: Seen) -> list[Row]:
    letters = row.soft > 127
    least = SHARE * letters.sum()
    stands, changed = np.zeros(letters.shape, dtype=bool), letters.copy()
    for other in others:
        alike = _alike(row.region, now, other)
        stands |= ndimage.uniform_filter((alike > SAME).astype(np.float32), WINDOW) > 0.5
        changed &= (alike < OTHER) & _text_near(row.region, other)
    changed &= ~stands
    if min(changed.sum(), (letters & stands).sum()) <= least:
        return [row]
    return [_only(row, stands), _only(row, ~stands, moves=True)]


def known_apart(row: Row, known: Sequence[Row]) -> list[Row]:
    """A row of one look as several, where rows that stood by themselves in the look before have run into it."""
    parts = []
    for other in known:
        at = overlap(other.region, row.region)
        if row.moves or row.upright or other.upright or at != other.region:
            continue
        if row.region.height < TALLER * at.height:
            continue
        here, inside = np.zeros(row.soft.shape, dtype=bool), at.within(row.region)
        here[inside.rows, inside.columns] = True
        if min((row.soft[here] > 0).sum(), (row.soft[~here] > 0).sum()) == 0:
            continue
        part = _only(row, here)
        if alike(other.soft, other.region, part.soft, part.region) >= STILL:
            part.letter = other.letter
            parts.append(part)
            row = _only(row, ~here)
    return [*parts, row]


def _text_near(region: Region, other: Seen) -> np.ndarray:
    """Whether there is text near each pixel of a rectangle in another look."""
    reach = max(1, round(NEAR * max(other.soft.shape) / 1280))
    wide = region.grown(reach, *other.soft.shape)
    text = ndimage.maximum_filter(other.soft[wide.rows, wide.columns] > 127, 2 * reach + 1)
    inside = region.within(wide)
    return text[inside.rows, inside.columns]


def _alike(region: Region, now: Seen, other: Seen) -> np.ndarray:
    """How alike two small frames are around each pixel of a rectangle of the masks; 1 where there is nothing in it."""
    one, two = (picture_of(seen.small, region, seen.scale).mean(2) for seen in (now, other))
    mean = lambda values: ndimage.uniform_filter(values, WINDOW, mode="nearest")
    ones, twos = mean(one), mean(two)
    spread = (mean(one * one) - ones**2).clip(1.0) * (mean(two * two) - twos**2).clip(1.0)
    alike = (mean(one * two) - ones * twos) / np.sqrt(spread)
    alike[spread < FLAT**2] = 1.0
    ys, xs = (
        ((np.arange(n) + 0.5) * have / n).astype(int) for n, have in zip((region.height, region.width), alike.shape)
    )
    return alike[np.ix_(ys, xs)]


def _only(row: Row, here: np.ndarray, moves: bool = False) -> Row:
    """The part of a row where `here` [h, w] bool is true."""
    soft = np.where(here, row.soft, 0)
    lines, columns = (np.flatnonzero((soft > 0).any(axis)) for axis in (1, 0))
    inner = Region.between(int(lines[0]), int(columns[0]), int(lines[-1]) + 1, int(columns[-1]) + 1)
    at = Region(row.region.top + inner.top, row.region.left + inner.left, inner.height, inner.width)
    return Row(at, soft[inner.rows, inner.columns], row.sure, row.letter, row.upright, moves)
