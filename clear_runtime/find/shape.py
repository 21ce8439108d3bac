"""The marks of a row of text in a frame: its letters, at the source's size, with their outline."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from ..frames.masks import grow as grown
from ..frames.region import Region
from .align import MARGIN, correlation, moved, part
from .look import Scales
from .movement import shakes
from .rows import Row
from .track import Track, laid
from .tracks import SAME_MOVED

STILL = 0.7
"""Correlation of two looks' masks over which the same letters stand at the same place in both."""
MOVES = 2
"""Pixels from one look to the next from which on a row moves."""
FAINT = 24
"""How sure, of 255, the prior is of a letter's pixels at least."""
CLEAR = 127
SPECK = 0.12
"""Side of the holes in letters that are closed, in the row's height: those of an e or an o are three times as large."""
FACE = (0.2, 1.2)
"""Areas, in squares of the row's height, of holes that are a pictograph's face. An O's is a tenth."""


def alike_throughout(a: Row, b: Row, region: Region) -> float:
    """The correlation of two rows over a rectangle that holds both."""
    wide = Region.between(region.top - MARGIN, region.left - MARGIN, region.bottom + MARGIN, region.right + MARGIN)
    return correlation(laid(a, wide), laid(b, wide))


def still_shape(track: Track) -> np.ndarray | None:
    """A track's soft mask over its region, uint8, where the same letters stand in all of its looks: their mean, which
    is sharper than any. None where letters come, go or move."""
    region, full = track.region, track.fullest.row
    total = np.zeros((region.height, region.width))
    for look in track.looks:
        if alike_throughout(look.row, full, region) < STILL:
            return None
        total += laid(look.row, region)
    return (total / len(track.looks)).round().astype(np.uint8)


class Letters:
    """The letters of a track in each of its frames, over its region. every: frames from look to look."""

    def __init__(self, track: Track, every: int):
        self.track, self.every = track, every
        self.looks = len(track.looks)
        self._still = still_shape(track)
        self._all = self._blurred() if self._still is None and shakes(track) else None
        self._steps: dict[int, tuple[float, float] | None] = {}
        self._near: tuple[int, ...] = ()
        self._last = np.zeros(0, dtype=bool)

    def at(self, t: int) -> tuple[np.ndarray, bool]:
        """(letters in frame t [h, w] bool, whether they are those of the frame that was asked for before)."""
        if self._all is not None:
            return self._all, True
        after = self._look_from(t)
        step = self._step(after)
        if step is not None:
            self._near, self._last = (), letters_of(self._between(after, t, *step))
            return self._last, False
        near = self._looks_near(t)
        same = near == self._near
        if not same:
            now = np.stack([laid(self.track.looks[i].row, self.track.region) for i in near]).max(0)
            still = None if self._still is None else letters_of(self._still)
            self._near, self._last = near, letters_of(now) if still is None else still | (now > CLEAR)
        return self._last, same

    def _blurred(self) -> np.ndarray:
        """Wherever a row has been seen that shakes: where it is between two looks, nobody knows."""
        return letters_of(np.stack([laid(look.row, self.track.region) for look in self.track.looks]).max(0))

    def _looks_near(self, t: int) -> tuple[int, ...]:
        """The numbers of the looks around frame t, or of the nearest one."""
        apart = [abs(look.t - t) for look in self.track.looks]
        return tuple(i for i, away in enumerate(apart) if away <= self.every) or (apart.index(min(apart)),)

    def _look_from(self, t: int) -> int:
        """The number of the first look at frame t or after, and of the last one beyond."""
        return next((i for i, look in enumerate(self.track.looks) if look.t >= t), self.looks - 1)

    def _step(self, after: int) -> tuple[float, float] | None:
        """(down, right): how far the row moves from one look to the next; None where it stands."""
        if self._still is not None or after == 0:
            return None
        if after not in self._steps:
            one, two = (look.row for look in self.track.looks[after - 1 : after + 1])
            reach = max(self.track.region.height, self.track.region.width)
            down, right, how = moved(one.soft, one.region, two.soft, two.region, reach)
            goes = how >= SAME_MOVED and max(abs(down), abs(right)) >= MOVES
            self._steps[after] = (down, right) if goes else None
        return self._steps[after]

    def _between(self, after: int, t: int, down: float, right: float) -> np.ndarray:
        """The row's soft mask at frame t: its looks before and after, each moved on to where it is then."""
        one, two = self.track.looks[after - 1 : after + 1]
        share = (t - one.t) / (two.t - one.t)
        moves = ((one.row, share), (two.row, share - 1))
        places = [
            Region(round(row.region.top + s * down), round(row.region.left + s * right), *row.soft.shape)
            for row, s in moves
        ]
        return np.stack([part(row.soft, at, self.track.region) for (row, _), at in zip(moves, places)]).max(0)


def letters_of(soft: np.ndarray) -> np.ndarray:
    """What of a row's soft mask [h, w] uint8 is letters, bool. Each part by half of its own best, so that a letter of
    which the prior is less sure goes with the others."""
    labels, count = ndimage.label(soft >= FAINT, np.ones((3, 3)))
    if not count:
        return np.zeros(soft.shape, dtype=bool)
    best = np.asarray(ndimage.maximum(soft, labels, np.arange(count + 1)))
    best[0] = 255
    return without_specks(soft > np.minimum(CLEAR, best // 2)[labels])


def without_specks(letters: np.ndarray) -> np.ndarray:
    """Letters [h, w] bool with their smallest holes closed, for what is left of a stroke there is no scene; and with
    those that are as large as a letter, for a pictograph is marked at its rim alone."""
    labels, count = ndimage.label(~letters)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    area = letters.shape[0] ** 2
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    closed = (sizes <= SPECK**2 * area) | ((sizes >= FACE[0] * area) & (sizes <= FACE[1] * area))
    closed[rim] = closed[0] = False
    return letters | closed[labels]


def at_source(letters: np.ndarray, region: Region, scales: Scales, reach: int) -> tuple[Region, Tensor]:
    """Letters [h, w] bool in a rectangle of the masks -> their rectangle in the source, and the letters there, widened
    by `reach` pixels of the source."""
    height, width = scales.source
    down, right = height / scales.fine[0], width / scales.fine[1]
    wide = region.grown(2 + int(np.ceil(reach / min(down, right))), *scales.fine)
    canvas = torch.zeros(1, 1, wide.height, wide.width)
    inside = region.within(wide)
    canvas[0, 0, inside.rows, inside.columns] = torch.from_numpy(letters).float()
    place = Region.between(
        int(wide.top * down),
        int(wide.left * right),
        min(height, round(wide.bottom * down)),
        min(width, round(wide.right * right)),
    )
    if (place.height, place.width) != tuple(canvas.shape[2:]):
        canvas = F.interpolate(canvas, (place.height, place.width), mode="bilinear")
    return place, grown((canvas[0] > 0.5).float(), reach)[0] > 0
