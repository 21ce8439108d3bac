"""Rows of text in one frame: the letters that a prior marks, joined by their own size.

A row, not a pixel and not a cell of a grid, is what is removed or left: half a word is worse than either. Letters are
joined by distances in their own height, so that a row of 8 pixels and one of a quarter of the frame are found alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..frames.region import Region
from .spool import Packed, Spool, packed


@dataclass(frozen=True)
class RowRules:
    """What a row is. Shares of the letters' height, except where it says otherwise.

    clear, faint: shares of the threshold. What is over the first has the shape of letters, by which rows are joined; a
    row is completed by what is over the second. beside: how far apart two parts of a row stand at most;
    words of a spaced-out title do, a name in a corner and a line do not. level: how much of the lower of two parts
    must stand at the height of the other. sizes: how many times as tall as another a letter of its row is at most; what
    is lower is a stroke, a dot or a dash of it, if it is not wider than stroke times its height. column: how far apart
    two letters of a vertical line are at most, in their width. letters: of a column at least; two short words above one
    another are none. rim: pixels, on a frame of 1280, around the letters that may be faint. smallest: pixels of a row
    at least, and tallest: pixels of its letters at least, on a frame of 1280: less is a speck. bars: so many upright
    bars side by side are no letters (bars.py); 0: any may be. straight: share of their contrast that is between columns
    of the picture; even: how much the distance from one to the next varies, as a share of it. apart: what stands and
    what moves behind it are two, although they are one shape (apart.py).
    """

    clear: float = 0.8
    faint: float = 0.3
    beside: float = 0.9
    level: float = 0.5
    sizes: float = 2.2
    stroke: float = 2.5
    column: float = 0.7
    letters: int = 3
    rim: int = 3
    smallest: int = 90
    tallest: int = 6
    bars: int = 6
    straight: float = 0.92
    even: float = 0.2
    apart: bool = True


class Row:
    """A row of text in a frame, in the pixels of the mask that it was found in. soft: how sure the prior is of each
    pixel [h, w], 0 to 255, zero for what is another row's. sure: 0..1, of its letters as a whole. letter: their height
    (their width in a column). moves: whether it has been seen to move beside text that stands."""

    def __init__(
        self, region: Region, soft: np.ndarray, sure: float, letter: float, upright: bool = False, moves: bool = False
    ):
        self.region, self.sure, self.letter, self.upright, self.moves = region, sure, letter, upright, moves
        self.peak = float(soft.max()) / 255
        self._soft: np.ndarray | Packed = soft
        self._worth: float | None = None

    @property
    def soft(self) -> np.ndarray:
        return self._soft.unpacked() if isinstance(self._soft, Packed) else self._soft

    @soft.setter
    def soft(self, soft: np.ndarray) -> None:
        self._soft, self._worth = soft, None

    @property
    def is_packed(self) -> bool:
        return isinstance(self._soft, Packed)

    @property
    def worth(self) -> float:
        """How much of a row it shows, and how surely."""
        if self._worth is None:
            self._worth = self.sure * np.count_nonzero(self.soft > 127)
        return self._worth

    @property
    def marks(self) -> np.ndarray:
        return self.soft > 0

    def pack(self, spool: Spool | None = None) -> None:
        """Take a tenth of the memory from now on, or hardly any where there is a spool: a film has thousands of
        rows."""
        if not isinstance(self._soft, Packed):
            self._worth = self.worth  # what is asked of all looks of a track again and again
            self._soft = packed(self._soft, spool)


def rows_of(soft: np.ndarray, threshold: float, rules: RowRules = RowRules()) -> list[Row]:
    """The rows in a soft mask [H, W] uint8 (0 to 255) of one frame. threshold: 0..1, reached somewhere in each."""
    labels, boxes = _parts(soft, 255 * threshold * rules.clear, 255 * threshold * rules.faint)
    if not len(boxes):
        return []
    row_of = _joined(boxes, rules)
    rows = (_row(soft, labels, boxes, np.flatnonzero(row_of == n), threshold, rules) for n in range(row_of.max() + 1))
    return [row for row in rows if row is not None]


def _parts(soft: np.ndarray, clear: float, faint: float) -> tuple[np.ndarray, np.ndarray]:
    """The letters, or what there is of them, in a soft mask [H, W]: their numbers from 1 on [H, W], and the box of each
    [n, 4] as top, left, bottom, right. What is clear has a shape; what is only faint counts where nothing is clear."""
    labels = np.zeros(soft.shape, dtype=np.int32)
    marked = soft >= max(1, faint)
    lines, columns = np.flatnonzero(marked.any(1)), np.flatnonzero(marked.any(0))
    if not len(lines):
        return labels, np.empty((0, 4), dtype=np.int64)
    some = slice(lines[0], lines[-1] + 1), slice(columns[0], columns[-1] + 1)  # most of a frame is empty
    all_parts, count = ndimage.label(marked[some], np.ones((3, 3)))
    clear_parts, shapes = ndimage.label(soft[some] >= clear, np.ones((3, 3)))
    has_shape = np.zeros(count + 1, dtype=bool)
    has_shape[all_parts[clear_parts > 0]] = True
    has_shape[0] = True
    labels[some] = np.where(has_shape[all_parts], clear_parts, all_parts + shapes)
    used = np.bincount(labels[some].ravel()) > 0
    used[0] = False
    labels[some] = np.cumsum(used)[labels[some]] * used[labels[some]]
    found = ndimage.find_objects(labels)
    return labels, np.array([(y.start, x.start, y.stop, x.stop) for y, x in found], dtype=np.int64).reshape(-1, 4)


def _joined(boxes: np.ndarray, rules: RowRules) -> np.ndarray:
    """Boxes [n, 4] -> the number of the row of each, from 0 on. Parts of one size are joined into rows, then strokes
    and dots to them; and the rows again, until nothing changes: a dot that stands beside no letter stands inside the
    row of them."""
    group = np.arange(len(boxes))
    for step in (_of_one_size, _stroke_of):
        while True:
            rows = _around(boxes, group)
            joined = _components(_beside(rows, rules) & step(rows, rules))
            if joined.max() + 1 == len(rows):
                break
            group = joined[group]
    rows = _around(boxes, group)
    columns = _components(_above(rows, rules))
    sizes = np.bincount(columns)
    alone = sizes[columns] < rules.letters
    columns[alone] = columns.max() + 1 + np.arange(alone.sum())  # rows stay rows
    return np.unique(columns, return_inverse=True)[1][group]


def _around(boxes: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The box around each group's boxes."""
    out = np.empty((group.max() + 1, 4), dtype=np.int64)
    for side, pick in ((0, np.minimum), (1, np.minimum), (2, np.maximum), (3, np.maximum)):
        out[:, side] = boxes[:, side].max() if pick is np.minimum else 0
        pick.at(out[:, side], group, boxes[:, side])
    return out


def _beside(rows: np.ndarray, rules: RowRules) -> np.ndarray:
    """[n, n] bool: which of two boxes stand beside one another, or one within the other."""
    top, left, bottom, right = (rows[:, side] for side in range(4))
    height = bottom - top
    shared = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    apart = np.maximum(left[:, None], left) - np.minimum(right[:, None], right)
    taller, lower = np.maximum(height[:, None], height), np.minimum(height[:, None], height)
    # next to a tall part, a low one may be a stroke of the same letter; from afar, both must be letters of one size
    near = np.where(lower * 3 < taller, 0.35, rules.beside) * taller
    return (shared >= rules.level * lower) & (apart <= near)


def _of_one_size(rows: np.ndarray, rules: RowRules) -> np.ndarray:
    """[n, n] bool: which of two boxes may be letters of one size."""
    height = rows[:, 2] - rows[:, 0]
    return np.maximum(height[:, None], height) <= rules.sizes * np.minimum(height[:, None], height)


def _stroke_of(rows: np.ndarray, rules: RowRules) -> np.ndarray:
    """[n, n] bool: the same, or of which of two the lower may be a stroke, a dot or a dash of the other: small print
    that stands at the height of a tall sign is no part of it."""
    height, width = rows[:, 2] - rows[:, 0], rows[:, 3] - rows[:, 1]
    wide = np.where(height[:, None] < height, width[:, None], width)
    return _of_one_size(rows, rules) | (wide <= rules.stroke * np.maximum(height[:, None], height))


def _above(rows: np.ndarray, rules: RowRules) -> np.ndarray:
    """[n, n] bool: which of two single letters stand above one another in a column."""
    top, left, bottom, right = (rows[:, side] for side in range(4))
    width, single = right - left, (right - left) <= 1.6 * (bottom - top)
    shared = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    apart = np.maximum(top[:, None], top) - np.minimum(bottom[:, None], bottom)
    wider, narrower = np.maximum(width[:, None], width), np.minimum(width[:, None], width)
    alike = (shared >= 0.6 * narrower) & (wider <= 2 * narrower) & (apart <= rules.column * wider)
    return alike & single[:, None] & single


def _components(touching: np.ndarray) -> np.ndarray:
    """The connected component of each of n, from a matrix [n, n] of what touches what."""
    from scipy.sparse.csgraph import connected_components  # 30 ms of start-up that only this needs

    return connected_components(touching, directed=False)[1]


def _row(soft, labels, boxes, members: np.ndarray, threshold: float, rules: RowRules) -> Row | None:
    """The row that some of the labelled parts make; None for a speck."""
    own, scale = boxes[members], max(soft.shape) / 1280
    region = Region.between(*own[:, :2].min(0).tolist(), *own[:, 2:].max(0).tolist())
    region = region.grown(round(rules.rim * scale), *soft.shape)
    inside = labels[region.rows, region.columns]
    own_or_none = np.isin(inside, np.append(members + 1, 0))  # a letter's faint rim has no number
    letters = np.where(own_or_none, soft[region.rows, region.columns], 0)
    letters[letters < 255 * threshold * rules.faint] = 0
    values = letters[letters > 0]
    if len(values) < rules.smallest * scale**2 or values.max() < 255 * threshold * rules.clear:
        return None
    upright = region.height > 2 * region.width and len(members) >= rules.letters
    heights = own[:, 3] - own[:, 1] if upright else own[:, 2] - own[:, 0]
    areas = (own[:, 2] - own[:, 0]) * (own[:, 3] - own[:, 1])
    letter = float(np.average(heights, weights=areas))
    if letter < rules.tallest * scale:
        return None
    # how sure of what it is surest of: a letter's edge is always in doubt
    sure = float(np.sort(values)[len(values) // 2 :].mean()) / 255
    return Row(region, letters, sure, letter, upright)
