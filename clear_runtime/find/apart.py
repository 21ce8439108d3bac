"""Rows in which standing text and text that moves behind it have run into one another, taken apart.

A score over a board with adverts is one blob to a prior. In the looks before and after there is text all over it too;
but only the score shows the same pixels. And where a row has stood by itself before, it is known within the blob.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from ..frames.region import Region, bounds
from .align import SAME, SAME_GROWN, alike, alike_grown, overlap, part
from .rows import Row
from .steady import picture_of

WINDOW = 9
"""Pixels of the small frames over which a place is compared: a letter or two."""
STANDS, CHANGED = 0.7, 0.4
"""Correlation of a place with itself in another look, over which it stands, and under which it shows something else."""
FLAT = 16.0
"""Variance, in levels squared, under which there is nothing to compare."""
STROKE, LEVELS = 3, 16.0
"""Pixels of the small frames, about a stroke, over which letters that stand keep their colour, to so many of 255."""
SHARE = 0.05
"""Of a row's letters, that must stand and that must have changed for it to be two."""
WHOLE = 0.8
"""Share of the letters of what stands that do so from one look to the next."""
TALLER = 1.8
"""How many times as high as a row what it has run into is at least: a row itself grows along its line."""
HELD = 0.8
"""Share of a row that lies in what it has run into, at least."""
NEAR = 12
"""Pixels around text, on a frame of 1280, in which text of the next look is taken for it."""
CLEARER = 0.1
"""By how much it is more alike as one that has grown than as one that stands, for it to have grown."""
RowsIn = Callable[[np.ndarray], list[Row]]
"""A soft mask [H, W] uint8 -> its rows."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A look at a frame: its soft mask [H, W] uint8, and the small frame [h, w, 3] uint8."""

    soft: np.ndarray
    small: np.ndarray

    @property
    def scale(self) -> float:
        """The size of the small frame over the mask's."""
        return max(self.small.shape[:2]) / max(self.soft.shape)


def taken_apart(rows: Sequence[Row], now: Seen, beside: Sequence[Seen], rows_in: RowsIn) -> list[Row]:
    """Rows of one look, those of two kinds apart: what stands, and what moves. beside: the looks before and after."""
    return [one for row in rows for one in _parts(row, now, beside, rows_in)] if beside else list(rows)


def _parts(row: Row, now: Seen, beside: Sequence[Seen], rows_in: RowsIn) -> list[Row]:
    letters = row.soft > 127
    least = SHARE * letters.sum()
    stands, changed = [], letters.copy()
    for other in beside:
        like, same_colour = _alike(row.region, now, other)
        stands.append(ndimage.uniform_filter(((like > STANDS) & same_colour).astype(np.float32), WINDOW) > 0.5)
        changed &= (like < CHANGED) & _text_near(row.region, other)
    either = np.any(stands, 0)
    changed &= ~either
    if min(changed.sum(), (letters & either).sum()) <= least:
        return [row]
    whole = np.zeros_like(now.soft)
    whole[row.region.rows, row.region.columns] = np.where(either, row.soft, 0)
    # by chance, places that move are alike too: they make rows of their own, or specks, which move on
    found = [one for one in rows_in(whole) if one.worth > least and _stands(one, row.region, stands)]
    if not found or any(_has_grown(row, other) for other in beside):
        return [row]
    gone = np.max([part(one.soft, one.region, row.region) for one in found], 0) > 0
    return [*found, _only(row, ~gone, moves=True)]


def _has_grown(row: Row, other: Seen) -> bool:
    """Whether a row is larger or smaller in another look, about its middle: there it stands, and moves at its ends."""
    wide = _around(row.region, other)
    own, there = _letters(row.soft, row.region), _letters(other.soft[wide.rows, wide.columns], wide)
    if own is None or there is None:
        return False
    grown = alike_grown(*own, *there)
    return grown >= SAME_GROWN and grown >= alike(*own, *there) + CLEARER


def _letters(soft: np.ndarray, region: Region) -> tuple[np.ndarray, Region] | None:
    """A mask [h, w] uint8 that lies at a rectangle, and that rectangle, without what is beside all letters."""
    inside = bounds(torch.from_numpy(soft > 127)[None])
    return None if inside is None else (soft[inside.rows, inside.columns], inside.out_of(region))


def _stands(row: Row, region: Region, stands: Sequence[np.ndarray]) -> bool:
    """Whether most of a row stands from one look to the next. stands: where these do, each [h, w] of a rectangle around
    it: of what moves, some places are like one look by chance, and some like the other."""
    letters = row.soft > 127
    return any(part(one, region, row.region)[letters].mean() >= WHOLE for one in stands)


def known_apart(row: Row, known: Sequence[Row]) -> list[Row]:
    """A row of one look as several, where rows that stood by themselves in the look before have run into it."""
    parts = []
    for other in known:
        here = None if row.moves else _in_it(row, other)
        if here is not None and (row.soft[~here] > 0).any():
            parts.append(_as(row, here, other))
            row = _only(row, ~here)
    return [*parts, row]


def by_itself(row: Row, own: Row) -> Row:
    """What is left of a row where it shows the letters of `own`, and something that they have run into."""
    here = _in_it(row, own)
    return row if here is None else _as(row, here, own)


def has_run_into(row: Row, place: Region) -> bool:
    """Whether a row that stands at a place mostly is far higher here: text grows along its line."""
    return not row.upright and row.region.height >= TALLER * place.height


def _in_it(row: Row, own: Row) -> np.ndarray | None:
    """Where a row [h, w] bool is the letters of another one, which has run into it; None where it has not."""
    at = overlap(own.region, row.region)
    if row.upright or own.upright or at is None or not has_run_into(row, at):
        return None
    if at.height * at.width < HELD * own.region.height * own.region.width:
        return None
    here, inside = np.zeros(row.soft.shape, dtype=bool), at.within(row.region)
    here[inside.rows, inside.columns] = True
    if not (row.soft[here] > 0).any():
        return None
    there = _only(row, here)
    return here if alike(own.soft, own.region, there.soft, there.region) >= SAME else None


def _as(row: Row, here: np.ndarray, own: Row) -> Row:
    """A part of a row that is another one, as high as this."""
    there = _only(row, here)
    there.letter = own.letter
    return there


def _text_near(region: Region, other: Seen) -> np.ndarray:
    """Whether there is text near each pixel of a rectangle in another look."""
    wide = _around(region, other)
    text = ndimage.maximum_filter(other.soft[wide.rows, wide.columns] > 127, 2 * _reach(other) + 1)
    inside = region.within(wide)
    return text[inside.rows, inside.columns]


def _around(region: Region, other: Seen) -> Region:
    return region.grown(_reach(other), *other.soft.shape)


def _reach(other: Seen) -> int:
    return max(1, round(NEAR * max(other.soft.shape) / 1280))


def _alike(region: Region, now: Seen, other: Seen) -> tuple[np.ndarray, np.ndarray]:
    """How alike two small frames are around each pixel of a rectangle of the masks; where there is nothing in it, as at
    the nearest edge of something: inside of a broad stroke. And whether a stroke there may have kept its colour."""
    one, two = (picture_of(seen.small, region, seen.scale).mean(2) for seen in (now, other))
    mean = lambda values: ndimage.uniform_filter(values, WINDOW, mode="nearest")
    ones, twos = mean(one), mean(two)
    spread = (mean(one * one) - ones**2).clip(1.0) * (mean(two * two) - twos**2).clip(1.0)
    alike = (mean(one * two) - ones * twos) / np.sqrt(spread)
    flat = spread < FLAT**2
    if flat.all():
        alike[:] = 1.0
    elif flat.any():
        alike = alike[tuple(ndimage.distance_transform_edt(flat, return_distances=False, return_indices=True))]
    same_colour = ndimage.minimum_filter(np.abs(one - two), STROKE, mode="nearest") <= LEVELS
    ys, xs = (
        ((np.arange(n) + 0.5) * have / n).astype(int) for n, have in zip((region.height, region.width), alike.shape)
    )
    return alike[np.ix_(ys, xs)], same_colour[np.ix_(ys, xs)]


def _only(row: Row, here: np.ndarray, moves: bool = False) -> Row:
    """The part of a row where `here` [h, w] bool is true."""
    soft = np.where(here, row.soft, 0)
    lines, columns = (np.flatnonzero((soft > 0).any(axis)) for axis in (1, 0))
    inner = Region.between(int(lines[0]), int(columns[0]), int(lines[-1]) + 1, int(columns[-1]) + 1)
    at = inner.out_of(row.region)
    return Row(at, soft[inner.rows, inner.columns], row.sure, row.letter, row.upright, moves)
