"""What a row shows on its way in or out, between its place and nothing: letters that slide, pop or are blown away.

They are blurred, aslant or half outside of the frame, so that a prior does not read them, and last for a few frames.
Beside a scene that is calm for as long, they are all that changes at the row's height.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import ndimage

from ..frames.region import Region
from .colours import distance
from .rows import Row
from .track import Look

LASTS = 10
"""Frames, at the usual rate, that it takes at most."""
CHANGED = 12
"""Levels of 255 by which a pixel differs from the empty scene that a letter stands in front of, or its blur."""
CALM = 4.0
"""Levels by which the scene above or below may differ from it on average; what comes with a line stands on one side."""
EDGES = 1.2
"""How many times as strong as those of the scene that is taken for empty the edges are there: letters have more. Else
it is that scene which shows some."""
ROOM = 0.3
"""Of the row's height, by which letters on their way reach above and below it."""
LEAST = 0.1
"""Share of the row's own area that changes at least: less is an encoder's."""
AT_ONCE = 3.0
"""How many times as much changes in the first of its frames as in the one before, and as that least: letters are there
at once, a hand comes gradually."""
CLOSED = 0.2
"""Of a letter's height, over which what has changed is joined: over a part of the scene of their colour letters do not
show."""
SOFT = 2
"""Pixels of the small frames by which it is widened, for letters are blurred then."""


def passing(row: Row, frames: Sequence[tuple[int, np.ndarray]], scale: float, size: tuple[int, int]) -> Iterator[Look]:
    """What of a row shows in frames that follow one another from its own on, nearest first, as (number, small frame
    [h, w, 3]); the last of them is the empty scene. scale: the small frames' size over the masks'; size: (height,
    width) of these. Nothing where the scene itself changes, or is not seen empty."""
    if len(frames) < 2:
        return
    looks: list[Look] = []
    (_, empty), before = frames[-1], 0
    top, bottom = row.region.top * scale, row.region.bottom * scale
    room, least = ROOM * (bottom - top), LEAST * np.count_nonzero(row.marks) * scale**2
    band = slice(max(0, int(top - room)), min(len(empty), int(bottom + room) + 1))
    for t, small in frames[:-1]:
        differs = distance(small.astype(np.int16), empty)
        changed = ndimage.binary_opening(differs[band] > CHANGED, np.ones((2, 2)))
        area = int(changed.sum())
        if area < least:
            if before >= AT_ONCE * max(area, least):
                yield from looks  # and before, the scene was empty
            return
        high = band.stop - band.start
        beside = differs[max(0, band.start - high) : band.start], differs[band.stop : band.stop + high]
        if min((part.mean() for part in beside if part.size), default=0) > CALM:
            return
        if _edges(small[band], changed) < EDGES * _edges(empty[band], changed):
            return
        before = area
        looks.append(Look(t, _row(_whole(changed, round(CLOSED * row.letter * scale)), band.start, scale, size, row)))


def _whole(changed: np.ndarray, gap: int) -> np.ndarray:
    """What has changed [h, w] bool, without gaps, and a little more."""
    gap = max(1, gap)
    joined = ndimage.binary_closing(np.pad(changed, gap), np.ones((3, 3)), iterations=gap)
    whole = ndimage.binary_fill_holes(joined)[gap:-gap, gap:-gap]
    return ndimage.binary_dilation(whole, iterations=SOFT)


def _edges(picture: np.ndarray, where: np.ndarray) -> float:
    """How strong the edges of a picture [h, w, 3] are in a part of it [h, w] bool."""
    grey = picture.astype(np.float32).mean(2)
    return float(np.hypot(*np.gradient(grey))[where].mean())


def _row(changed: np.ndarray, top: int, scale: float, size: tuple[int, int], row: Row) -> Row:
    """A part of a small frame [h, w] bool, from line `top` on, as a row of the masks."""
    height, width = size
    place = ndimage.find_objects(changed.astype(np.uint8))[0]
    down, across = place
    inside = changed[place]
    region = Region.between(
        round((top + down.start) / scale),
        round(across.start / scale),
        min(height, round((top + down.stop) / scale)),
        min(width, round(across.stop / scale)),
    )
    ys, xs = ((np.arange(n) * have // n) for n, have in zip((region.height, region.width), inside.shape))
    return Row(region, inside[np.ix_(ys, xs)].astype(np.uint8) * 255, row.sure, row.letter, row.upright)
