"""Opaque boxes beside parts of the scene that have their colour: black ones over a dark picture.

Such a box and the scene run into one area, so its outline says nothing. Its edges do, wherever the scene is of another
colour: they lie on four straight lines around the letters, and nothing but letters shows within.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label, maximum_filter1d

from ...frames.region import Region
from .options import OpaqueOptions, TouchingOptions
from .plain_box import PlainBox, View, colours_of

BESIDE = 2
"""Pixels on either side of an edge that are compared: encoders blur what lies between."""


@dataclass(frozen=True)
class _Window:
    """A window of a frame, [h, w] bool each. like: has the box's colour. inside: that, or a letter. unlike: neither."""

    like: np.ndarray
    inside: np.ndarray
    unlike: np.ndarray
    marks: np.ndarray

    @property
    def turned(self) -> _Window:
        return _Window(self.like.T, self.inside.T, self.unlike.T, self.marks.T)

    @property
    def flipped(self) -> _Window:
        return _Window(self.like[::-1], self.inside[::-1], self.unlike[::-1], self.marks[::-1])


def touching_boxes(view: View, marks: np.ndarray, near: Region) -> Iterator[PlainBox]:
    """The boxes in a window of a frame. marks [h, w] bool: all of the window's; near: its part with them."""
    options, found = view.options.touching, list[PlainBox]()
    for colour in colours_of(view.planes[:, near.rows, near.columns], view.options, options.seen):
        off = np.abs(view.planes.astype(np.int16) - colour[:, None, None]).max(0)
        for alike in options.alike:
            like = off <= alike
            window = _Window(like, like | marks, ~(like | marks), marks)
            boxes = (_box(window, *ends, near, view, options) for ends in _pairs(window, near, options))
            seen = [_plain_box(box, window, colour, view) for box in boxes if box is not None]
            found += [box for box in seen if not any(map(box.meets, found))]
    yield from found


def _begins(window: _Window, columns: slice) -> np.ndarray:
    """For each row, the share of the columns in which a box may begin with it: another colour above it, and nothing of
    that below."""
    out, height = np.zeros(len(window.inside)), len(window.inside)
    if height > 2 * BESIDE:
        above = window.unlike[: -2 * BESIDE, columns]
        below = window.inside[BESIDE + 1 : height - BESIDE + 1, columns] & window.inside[2 * BESIDE :, columns]
        out[BESIDE : height - BESIDE] = (above & below).mean(1)
    return out


def _edges(window: _Window, columns: slice, least: float) -> list[int]:
    """The rows with which a box may begin: of those nearby that are as good, the middle one."""
    shares = _begins(window, columns)
    best = (shares >= least) & (shares >= maximum_filter1d(shares, 2 * BESIDE + 1))
    runs, count = label(best)
    return [round(float(np.flatnonzero(runs == n + 1).mean())) for n in range(count)]


def _pairs(window: _Window, near: Region, options: TouchingOptions) -> Iterator[tuple[int, int]]:
    """First row and the row after the last of what may be a box, lower ones first; none overlaps another."""
    height = len(window.inside)
    tops = _edges(window, near.columns, options.edge)
    bottoms = [height - y for y in _edges(window.flipped, near.columns, options.edge)]
    last = height + 1
    for bottom in sorted(bottoms, reverse=True):
        for top in sorted(tops, reverse=True):
            if bottom <= last and bottom - top >= options.lowest and _between(window, top, bottom) >= options.within:
                yield top, bottom
                last = top + BESIDE
                break


def _between(window: _Window, top: int, bottom: int) -> float:
    """How much of what stands between two rows, from the first to the last letter, may be a box."""
    letters = np.flatnonzero(window.marks[top:bottom].any(0))
    if not len(letters):
        return 0.0
    return float(window.inside[top + 1 : bottom - 1, letters[0] : letters[-1] + 1].mean())


def _box(window: _Window, top: int, bottom: int, near: Region, view: View, options: TouchingOptions) -> Region | None:
    """The rectangle between two rows that ends on both sides, or None."""
    rows = slice(top + BESIDE, bottom - BESIDE)
    across = window.turned
    letters = np.flatnonzero(window.marks[top:bottom].any(0))
    if not len(letters):
        return None
    lefts = [x for x in _edges(across, rows, options.end) if x <= letters[0] + options.over]
    width = len(across.inside)
    rights = [width - x for x in _edges(across.flipped, rows, options.end)]
    rights = [x for x in rights if x >= letters[-1] - options.over]
    if not lefts or not rights:
        return None
    box = Region.between(top, max(lefts), bottom, min(rights))
    if max(_crossed(window, box, options.over), _crossed(across, box.turned, options.over)) > options.crossed:
        return None  # letters that stand half on something of the scene
    if min(_seen(window, box), _seen(across, box.turned)) < options.own:
        return None  # marks that end in a line, beside a scene of that colour
    return box if _holds_letters(window, box, view.options) else None


def _crossed(window: _Window, box: Region, over: int) -> float:
    """How far letters go across the upper or lower edge, whatever is more: what is marked in each row from the edge to
    `over` pixels beyond, as a share of the row of the box in which most is."""
    shares = window.marks[:, box.columns].mean(1)
    beyond = shares[max(0, box.top - over) : box.top + 1], shares[box.bottom - 1 : box.bottom + over]
    return max(rows.min() for rows in beyond) / max(shares[box.rows].max(), 1e-6)


def _seen(window: _Window, box: Region) -> float:
    """The share of the upper or lower edge, whatever is less, along which the box's own colour is seen to begin, where
    nothing is marked."""
    bare = window.like & ~window.marks
    ends = (box.top - BESIDE, box.top + 1), (box.bottom + BESIDE - 1, box.bottom - 2)
    height = len(bare)
    return min(
        float((window.unlike[beyond, box.columns] & bare[within, box.columns]).mean()) if 0 <= beyond < height else 0.0
        for beyond, within in ends
    )


def _holds_letters(window: _Window, box: Region, options: OpaqueOptions) -> bool:
    """Whether a rectangle is of one colour but for letters, and these come near to its ends."""
    inner = box.grown(-1, *window.inside.shape) if min(box.height, box.width) > 2 else box
    of = lambda part: part[inner.rows, inner.columns]
    marks = of(window.marks)
    if of(window.inside).mean() < options.touching.within or (of(window.like) & ~marks).mean() < options.touching.bare:
        return False
    if marks.mean() < options.letters:
        return False
    room = options.around * box.height
    return all(max(at[0], size - 1 - at[-1]) <= room for at, size in _extents(marks))


def _extents(marks: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
    for axis in (0, 1):
        yield np.flatnonzero(marks.any(1 - axis)), marks.shape[axis]


def _plain_box(box: Region, window: _Window, colour: np.ndarray, view: View) -> PlainBox:
    wide = box.grown(view.options.touching.soft, *window.like.shape)
    plain = np.zeros((wide.height, wide.width), dtype=bool)
    inside = box.within(wide)
    plain[inside.rows, inside.columns] = window.like[box.rows, box.columns] & ~window.marks[box.rows, box.columns]
    region = wide.out_of(view.window)
    return PlainBox(region, np.ones_like(plain), plain, colour, True, view.options.jumps)
