"""When a row comes and goes, to the frame, and whether it does: from the frames beside those in which a prior sees it.

It fades (edges.py), or it is on its way (passing.py); or the picture shows it before and after as well, and nothing has
come or gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .align import SAME, alike, overlap, part
from .apart import TALLER
from .between import settled
from .came_with import came_with
from .edges import FADE, Pattern
from .pace import Pace
from .passing import LASTS, passing
from .rows import Row
from .stood_with import stood_with
from .track import Look, Track


@dataclass(frozen=True)
class EndRules:
    """Each may be switched off. asks: a row has come or gone only if the picture shows it no more a second away; else
    whenever the prior sees it no more. holds: one that the picture still shows is there as long, seen or not. passing:
    what of a row shows on its way in or out is looked for, by what changes in the picture; between: and by the prior,
    in the frames between two looks. completes: what the prior left out of a row that comes or goes at once is
    told by what changes then; stood: of a row that stands, by what stands while the scene around it changes."""

    asks: bool = True
    holds: bool = True
    passing: bool = True
    between: bool = True
    completes: bool = True
    stood: bool = True


@dataclass(frozen=True, eq=False)
class Scenes:
    """The frames that are at hand, as (number, small frame [h, w, 3]), in order. scale: their size over the masks',
    which is `size` (height, width). shots: frames with which one begins. count: of the frames of the video so far.
    every: frames from look to look."""

    small: Sequence[tuple[int, np.ndarray]]
    scale: float
    size: tuple[int, int]
    shots: Sequence[int]
    count: int
    every: int

    def shot_of(self, t: int) -> tuple[int, int]:
        """The first frame of the shot of frame t, and the one after its last."""
        return max((one for one in self.shots if one <= t), default=0), self.shot_after(t + 1)

    def shot_after(self, t: int) -> int:
        """The first frame, t or later, with which a shot begins."""
        return min((one for one in self.shots if one >= t), default=self.count)

    def between(self, first: int, stop: int) -> list[tuple[int, np.ndarray]]:
        return [(t, small) for t, small in self.small if first <= t < stop]


class Ends:
    """The ends of tracks. others: all tracks; closed: whether the end of one of them is known."""

    def __init__(
        self,
        scenes: Scenes,
        pace: Pace,
        others: Sequence[Track],
        closed: Callable[[Track], bool],
        rules: EndRules = EndRules(),
    ):
        self.scenes, self.others, self.closed, self.rules = scenes, others, closed, rules
        self._fade, self._lasts = pace.frames(FADE), pace.frames(LASTS)

    def begin(self, track: Track, pattern: Pattern) -> None:
        """Widen a track to the frames in which it fades in or is on its way. pattern: of its letters."""
        first = track.looks[0]
        begins, _ = self._room(track)
        before = [small for _, small in self.scenes.between(begins, track.first)][::-1]
        track.first -= self._frames_there((pattern, self.pattern(first)), before)
        there = self._stands_at(pattern, first.t, -1)
        track.came = track.came and there is None
        track.first = min(track.first, self._held(track, pattern, there, track.first))
        for look in settled(track, [look for look in track.between if look.t < first.t], SAME):
            track.passing.append(look)
            track.first = min(track.first, look.t)
        begins, _ = self.scenes.shot_of(track.first)
        gone = (one.stop if self.closed(one) else one.last.t + self.scenes.every for one in self._at_its_height(track))
        begins = max((stop for stop in gone if stop <= track.first), default=begins)
        way = self.scenes.between(max(begins, track.first - self._lasts - 1), track.first)[::-1]
        for look in self._passing(first.row, way):
            track.passing.append(look)
            track.first = look.t
        self._complete(track, track.first, track.first - 1)

    def end(self, track: Track, pattern: Pattern) -> None:
        """Widen a track that has ended to the frames in which it fades out or is on its way."""
        last = track.last
        _, ends = self._room(track)
        after = [small for _, small in self.scenes.between(track.stop, ends)]
        track.stop += self._frames_there((pattern, self.pattern(last)), after)
        there = self._stands_at(pattern, last.t, 1)
        track.went = there is None
        track.stop = max(track.stop, self._held(track, pattern, there, track.stop - 1) + 1)
        for look in settled(track, [look for look in track.between if look.t > last.t], SAME):
            track.passing.append(look)
            track.stop = max(track.stop, look.t + 1)
        come = (one.first for one in self._at_its_height(track) if one.first >= track.stop)
        ends = min(come, default=self.scenes.shot_after(track.stop))
        way = self.scenes.between(track.stop, min(ends, track.stop + self._lasts + 1))
        for look in self._passing(last.row, way):
            track.passing.append(look)
            track.stop = look.t + 1
        self._complete(track, track.stop - 1, track.stop)
        self._stand(track)
        if last.t + self.scenes.every >= self.scenes.count:
            track.stop = self.scenes.count  # no later look could have seen it go

    def _passing(self, row: Row, way: Sequence[tuple[int, np.ndarray]]) -> Iterator[Look]:
        return passing(row, way, self.scenes.scale, self.scenes.size) if self.rules.passing else iter(())

    def _complete(self, track: Track, there: int, empty: int) -> None:
        """Add to a row that stands what of its letters came or went at once: in frame `there` it is, in `empty` not."""
        first, stop = self.scenes.shot_of(there)
        frames = dict(self.scenes.between(max(first, min(there, empty)), min(stop, max(there, empty) + 1)))
        row = track.fullest.row
        moves = track.moves or any(look.t == there for look in track.passing)
        if not self.rules.completes or len(frames) < 2 or moves:
            return
        _add(track, row, came_with(row, track.colour, frames[there], frames[empty], self.scenes.scale))

    def _stand(self, track: Track) -> None:
        """Add to a row that stands what stands with it while the scene changes. Its ends are known, and it may fade
        there."""
        if self.rules.stood and not track.moves:
            frames = [small for _, small in self.scenes.between(track.first + 1, track.stop - 1)]
            _add(track, track.fullest.row, stood_with(track.fullest.row, frames, self.scenes.scale))

    def pattern(self, look: Look) -> Pattern | None:
        """Of one look: a row that moves or grows is another at its end than where it shows most."""
        small = next((small for t, small in self.scenes.small if t == look.t), None)
        return None if small is None else Pattern.of(look.row, small, self.scenes.scale)

    def _frames_there(self, patterns: Sequence[Pattern | None], frames: Sequence[np.ndarray]) -> int:
        return max(pattern.frames_there(frames, self._fade) for pattern in patterns if pattern is not None)

    def _held(self, track: Track, pattern: Pattern, there: int | None, end: int) -> int:
        """The frame up to which a row is there that ends with `end` as far as the prior sees it: not where other words
        are seen."""
        if there is None or not self.rules.holds:
            return end
        low, high = sorted((there, end))
        if any(any(low <= look.t <= high for look in other.looks) for other in self._other_words(track)):
            return end
        small = next(small for t, small in self.scenes.small if t == there)
        return there if pattern.stands(small, nearby=False) else end

    def _other_words(self, track: Track) -> Iterator[Track]:
        """The tracks of other letters at the place of one."""
        own = track.fullest.row
        for other in self.others:
            common = None if other is track else overlap(track.place, other.place)
            small = min(track.place.height * track.place.width, other.place.height * other.place.width)
            if common is None or common.height * common.width < 0.3 * small:
                continue  # rows that touch
            row = other.fullest.row
            if alike(own.soft, own.region, row.soft, row.region) < SAME:
                yield other

    def _stands_at(self, pattern: Pattern, t: int, way: int) -> int | None:
        """The frame, a second after a look (way 1) or before it (-1), as far as the shot goes, in which the letters
        still stand: what fades has gone by then. None where they do not."""
        if not self.rules.asks:
            return None
        there = [one for one in self.scenes.between(*self.scenes.shot_of(t)) if 0 < way * (one[0] - t) <= self._fade]
        if not there:
            return None
        at, small = max(there, key=lambda one: way * one[0])
        return at if abs(at - t) >= 2 * self.scenes.every and pattern.stands(small) else None

    def _at_its_height(self, track: Track) -> Iterator[Track]:
        """The tracks at the height of one that stand for more than a moment."""
        own = track.region
        for other in self.others:
            shared = min(own.bottom, other.region.bottom) - max(own.top, other.region.top)
            if other is not track and shared > 0 and len(other.looks) > 1:
                yield other

    def _room(self, track: Track) -> tuple[int, int]:
        """The frames, from and to, over which a track can fade: within its shot, and not where another row stands."""
        every = self.scenes.every
        between = every - 1  # frames that no look has seen: the letters themselves say where they end
        begins = max((shot for shot in self.scenes.shots if shot <= track.first), default=0) - between
        ends = min((shot + between for shot in self.scenes.shots if shot >= track.stop), default=self.scenes.count)
        for other in self.others:
            if not _holds(other, track) and overlap(track.region, other.region) is not None:
                if other.last.t < track.looks[0].t:
                    begins = max(begins, other.last.t + 1)
                if other.looks[0].t > track.last.t:
                    ends = min(ends, other.looks[0].t)
        if len(track.looks) == 1:  # at the looks before and after, it was not there
            begins, ends = max(begins, track.first - every + 1), min(ends, track.stop + every - 1)
        return begins, ends


def _holds(other: Track, track: Track) -> bool:
    """Whether a track is one itself, or of letters so much taller that it may have run into them (apart.py)."""
    return other is track or other.place.height >= TALLER * track.place.height


def _add(track: Track, row: Row, more: np.ndarray) -> None:
    """Add pixels of one of a track's rows [h, w] bool to the looks that show the same letters."""
    if not more.any():
        return
    for look in track.looks:
        if alike(row.soft, row.region, look.row.soft, look.row.region) >= SAME:
            own = part(more, row.region, look.row.region)
            look.row.soft = np.where(own, np.uint8(255), look.row.soft)
    track.changed()
