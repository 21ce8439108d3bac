"""What shows in the frames between two looks, where a row comes or goes between them: words that pop in, slide or fly.

Looks are some frames apart, for text stands for longer than that. On its way to its place it does not: so where a row
is new, or has gone, the prior is asked about the frames between as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ..frames.region import Region
from .align import alike, overlap
from .kept_looks import KeptLooks
from .look import FINE, Looker, to_levels
from .rows import Row
from .shape import letters_of
from .track import PASSES, Look, Track, merged

GROWS = 0.3
"""How tall letters that pop in are at first, as a share of their height, at least."""
ASIDE = (PASSES - 1) / 2
"""How far above or below its place a row is on its way, in its height, at most; beside it, it may be anywhere."""
Found = Sequence[tuple[Track, Row]]
"""The rows of a look, each with its track."""
RowsOf = Callable[[int, Tensor, np.ndarray], Sequence[Row]]
"""(number, frame [H, W, 3] in 0..1, how sure a prior is [h, w] uint8) -> its rows, whole."""


class Between:
    """Holds the frames since the last look that was followed. every: frames from look to look."""

    def __init__(self, looker: Looker | KeptLooks, every: int):
        self.looker, self.every = looker, every
        self.asked = 0  # frames
        self._frames: dict[int, np.ndarray] = {}
        self._before: Found = ()

    def hold(self, t: int, frame: Tensor) -> None:
        """A frame [H, W, 3] in 0..1 that no look is at."""
        step = max(1, max(frame.shape[:2]) // FINE)
        self._frames[t] = to_levels(frame[::step, ::step])

    def follow(self, t: int, found: Found, sure: float, rows_of: RowsOf) -> None:
        """After a look at frame t: give each track that comes or goes what was seen of it since the look before. sure:
        how sure the prior is of such a track's row."""
        before, self._before = self._before, found
        frames = {at: self._frames.pop(at) for at in sorted(self._frames) if at < t}
        here, there = {id(track) for track, _ in found}, {id(track) for track, _ in before}
        begun = [(track, row) for track, row in found if track.looks[0].t == t]
        ended = [(track, row) for track, row in before if id(track) not in here and track.last.t == t - self.every]
        passing = [(track, row) for track, row in (*begun, *ended) if row.sure >= sure]
        if not passing or not frames or t - self.every < min(frames) - 1:
            return
        standing = [row for track, row in found if id(track) in there]
        pictures = [torch.from_numpy(frame).float() / 255 for frame in frames.values()]
        self.asked += len(pictures)
        softs = self.looker.beside(pictures, [row.region for _, row in passing])
        for at, picture, soft in zip(frames, pictures, softs):
            for row in rows_of(at, picture, soft):
                if not any(_covers(other.region, row.region) for other in standing):
                    _give(row, at, passing)


def _give(row: Row, t: int, passing: Found) -> None:
    """Note a row of frame t as seen of the track that it fits best, if any."""
    fits = [(_fit(row, own), track) for track, own in passing]
    best, track = max(fits, key=lambda one: one[0])
    if best <= 0:
        return
    letters = letters_of(row.soft).astype(np.uint8) * 255
    seen = Row(row.region, letters, row.sure, row.letter, row.upright)
    same = next((n for n, look in enumerate(track.between) if look.t == t), None)
    if same is None:
        track.between.append(Look(t, seen))
    else:
        track.between[same] = Look(t, merged(track.between[same].row, seen))


def _fit(row: Row, own: Row) -> float:
    """How well what was seen fits a row that comes or goes: 0 where not at all."""
    low, tall = sorted((row.letter, own.letter))
    a, b = row.region, own.region
    apart = max(a.top, b.top) - min(a.bottom, b.bottom)
    if low < GROWS * tall or apart > ASIDE * b.height:
        return 0.0
    near = 1 / (1 + max(0, apart) + max(0, max(a.left, b.left) - min(a.right, b.right)))
    return near + max(0.0, alike(row.soft, a, own.soft, b))


def _covers(place: Region, part: Region) -> bool:
    shared = overlap(place, part)
    return shared is not None and 2 * shared.height * shared.width >= part.height * part.width


def settled(track: Track, looks: Sequence[Look], same: float) -> Iterator[Look]:
    """Those looks between in which a row is on its way: not where it stands already, as far as its fade tells. same:
    how alike its letters are there at most."""
    for look in looks:
        own = min((track.looks[0], track.last), key=lambda one: abs(one.t - look.t)).row
        stands = track.first <= look.t < track.stop
        if not stands or alike(look.row.soft, look.row.region, own.soft, own.region) < same:
            yield look
