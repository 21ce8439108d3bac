"""Rows of text followed from look to look: the same letters at the same place, or moving on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..frames.region import Region
from .align import SAME, SAME_GROWN, alike, alike_grown, camera, moved, overlap
from .apart import known_apart
from .movement import Movement, movement
from .rows import Row
from .steady import Standing
from .track import Look, Track

SAME_MOVED = 0.85
"""The same where the place is free: of many places, one always fits other letters somewhat."""
REACH = 128
"""Pixels, on a frame of 1280, that a row moves at most from one look to the next: across the frame in a second."""
SIZES = 0.6
"""Share of the larger one's pixels that the smaller of two rows has at least, where one has moved: what moves does not
grow, and a short word is a part of many longer ones."""
GROWS = 0.02
"""The same where a row stands and more of its letters come, or fade in. Less is a speck that lies in its place."""
GROWN_SINCE = 0.2
"""The same of one that the look before has not seen: a stroke of a word that has gone is no part of the next one."""
LONG, PLACED = 8.0, 0.5
"""How many times as wide as its letters are high a row is at least that is known again by its ends, and how far these
may differ, as a share of that height; half as much for its height."""
CALM = 0.7
"""How much the picture changes at its letters then at most, over how much it does beside them."""
TAKES = 0.5, 0.8
"""Share of the smaller one's place, and how sure, from which other letters have taken a row's: then it has gone, and
does not come back as the same one."""
PATIENCE = 12
"""Frames, at the usual rate, for which a row may not be seen and is the same row after: half a second."""
MOST_TEXT = 0.7
"""Share of the frame that text may cover for the rest to tell how the scene moves."""
GREY = 320
"""Pixels of the longer side of the frames from which the camera's movement is read."""


StandingAt = Callable[[Look, int], Standing]
MOVED = Standing(0.0, None)


class Tracker:
    """Follows rows from look to look. scale: the masks' longer side over 1280. patience: frames for which one may not
    be seen. standing_at: how the picture at a look's letters is in a later frame. cameras: for each look, its frame and
    where the picture has moved since the first, in pixels of the masks."""

    def __init__(self, scale: float, patience: int = PATIENCE, standing_at: StandingAt = lambda look, t: MOVED):
        self.scale, self.patience, self.standing_at = scale, patience, standing_at
        self.tracks: list[Track] = []
        self.cameras: dict[int, tuple[float, float]] = {}
        self._gone: set[int] = set()
        self._before = 0
        self._grey: np.ndarray | None = None
        self._text: list[Region] = []
        self._place = (0.0, 0.0)

    def add(self, t: int, rows: Sequence[Row], grey: np.ndarray, factor: float) -> list[tuple[Track, Row]]:
        """A look at frame t: its rows, and the frame in grey at 1 / factor of the masks' size. Each row's track."""
        self._follow_camera(t, grey, factor, [row.region for row in rows])
        active = [one for one in self.tracks if t - one.last.t <= self.patience and id(one) not in self._gone]
        before = {id(track): track.last.row for track in active}
        known = [track.last.row for track in active if len(track.looks) > 1]
        rows = [part for row in rows for part in known_apart(row, known)]
        found: list[tuple[Track, Row]] = []
        for row in sorted(rows, key=lambda row: -row.soft.size):
            same = [track for track in active if self._same(before[id(track)], row, track.last.t >= self._before)]
            if not same:
                same = [one for one in active if one.last.t < t and self._fills_its_place(one.last, t, row)]
            if not same:
                same = self._nearest_moved(row, [one for one in active if one.last.t < t], before)
            track = same[0] if same else self._new()
            track.add(t, row)
            for other in same[1:]:
                if other.last.t < t:  # two words that have become one row
                    self._absorb(track, other, active)
            found.append((track, row))
        self._before = t
        self._gone |= {id(track) for track in active if track.last.t < t and self._taken(track, found)}
        return found

    def _taken(self, track: Track, found: list[tuple[Track, Row]]) -> bool:
        """Whether other letters, as high, stand where a track did a moment ago."""
        share, sure = TAKES
        place = track.last.row.region
        for other, row in found:
            common = overlap(place, row.region)
            if other is track or common is None or min(row.sure, track.last.row.sure) < sure:
                continue
            low, tall = sorted((row.region.height, place.height))
            if _size(common) >= share * min(_size(place), _size(row.region)) and tall <= 1.5 * low:
                return True
        return False

    def _new(self) -> Track:
        self.tracks.append(Track())
        return self.tracks[-1]

    def _same(self, before: Row, row: Row, just_now: bool) -> bool:
        small, large = sorted((_size(before.region), _size(row.region)))
        both = before.soft, before.region, row.soft, row.region
        least = GROWS if just_now else GROWN_SINCE
        return (small >= least * large and alike(*both) >= SAME) or alike_grown(*both) >= SAME_GROWN

    def _fills_its_place(self, before: Look, t: int, row: Row) -> bool:
        """Whether a long row is as high as another, begins and ends where that does, and looks like it: on a pattern
        like letters, the masks of the same ones differ from look to look."""
        a, b, near = before.row.region, row.region, PLACED * min(before.row.letter, row.letter)
        sides = abs(a.left - b.left), abs(a.right - b.right), 2 * abs(a.top - b.top), 2 * abs(a.bottom - b.bottom)
        long = not row.upright and min(a.width, b.width) >= LONG * max(before.row.letter, row.letter)
        if not long or max(sides) > near:
            return False
        now = self.standing_at(before, t)
        return now.alike >= SAME or now.change is not None and now.change <= CALM

    def _nearest_moved(self, row: Row, active: list[Track], before: dict[int, Row]) -> list[Track]:
        reach = round(REACH * self.scale)
        best, score = [], SAME_MOVED
        for track in active:
            old = before[id(track)]
            small, large = sorted((_size(old.region), _size(row.region)))
            if small < SIZES * large or not _near(old.region, row.region, reach):
                continue
            down, right, how = moved(old.soft, old.region, row.soft, row.region, reach)
            if how > score:
                best, score = [track], how
        return best

    def part(self, track: Track) -> Track:
        """The words that have taken the place of others (Track.is_replaced), as a track of their own."""
        self._gone.add(id(track))
        self.tracks.append(track.parted())
        return self.tracks[-1]

    def _absorb(self, track: Track, other: Track, active: list[Track]) -> None:
        track.take(other)
        self.tracks.remove(other)
        active.remove(other)

    def _follow_camera(self, t: int, grey: np.ndarray, factor: float, text: list[Region]) -> None:
        """Note how far the scene has moved, without what the text did."""
        if self._grey is not None and self._grey.shape == grey.shape:
            hidden = np.zeros(grey.shape, dtype=bool)
            for region in text + self._text:
                top, left = int(region.top / factor), int(region.left / factor)
                hidden[top : int(region.bottom / factor) + 1, left : int(region.right / factor) + 1] = True
            if hidden.mean() < MOST_TEXT:
                one, two = (np.where(hidden, frame[~hidden].mean(), frame) for frame in (self._grey, grey))
                down, right, sure = camera(one, two, reach=grey.shape[1] // 8)
                if sure > 6:
                    self._place = (self._place[0] + factor * down, self._place[1] + factor * right)
        self._grey, self._text, self.cameras[t] = grey, text, self._place

    def forget(self, before: int) -> None:
        """Nothing will be asked of looks at earlier frames."""
        for t in [t for t in self.cameras if t < before]:
            del self.cameras[t]

    def movement(self, track: Track) -> Movement:
        """How a track moved."""
        return movement(track, self.cameras, self.scale, round(2 * REACH * self.scale))


def _size(region: Region) -> int:
    return region.height * region.width


def _near(a: Region, b: Region, reach: int) -> bool:
    return max(a.top, b.top) - min(a.bottom, b.bottom) <= reach and max(a.left, b.left) - min(a.right, b.right) <= reach
