"""Rows of text followed over time: the same letters at the same place, or moving on."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ..frames.region import Region
from .align import SAME, SAME_GROWN, alike, alike_grown, camera, moved, overlap, part
from .apart import by_itself, has_run_into, known_apart
from .rows import Row
from .steady import Standing

SAME_MOVED = 0.85
"""The same where the place is free: of many places, one always fits other letters somewhat."""
REACH = 128
"""Pixels, on a frame of 1280, that a row moves at most from one look to the next: across the frame in a second."""
SIZES = 0.6
"""Share of the larger one's pixels that the smaller of two rows has at least, where one has moved: what moves does not
grow, and a short word is a part of many longer ones."""
GROWS = 0.02
"""The same where a row stands and more of its letters come, or fade in. Less is a speck that lies in its place."""
LONG, PLACED = 8.0, 0.5
"""How many times as wide as its letters are high a row is at least that is known again by its ends, and how far these
may differ, as a share of that height; half as much for its height."""
TAKES = 0.5, 0.8
"""Share of the smaller one's place, and how sure, from which other letters have taken a row's: then it has gone, and
does not come back as the same one."""
REPLACED = ((0.8, 2.0), (-2.0, 0.5), (0.8, 2.0))
"""How alike the picture is at a row's letters from look to look where other words take its place: short ones may cover
the same pixels. What moves is unlike at every step."""
PATIENCE = 12
"""Frames, at the usual rate, for which a row may not be seen and is the same row after: half a second."""
MOST_GROWN = 2.5
"""How many times as large as at its smallest a row that grows about its middle becomes at most."""
LEAST = 3.0
"""Pixels that a row shakes at least: a prior's marks of one that stands differ by less."""
SHAKES, TO_AND_FRO = 0.4, 2.0
"""Of the letters' height, within which a row that shakes stays; how much longer its way is than to where it ends."""
PASSES = 4.0
"""How many times as high as its place a row is on its way, at most: letters that fall one by one."""
MOST_TEXT = 0.7
"""Share of the frame that text may cover for the rest to tell how the scene moves."""
GREY = 320
"""Pixels of the longer side of the frames from which the camera's movement is read."""


@dataclass(frozen=True, eq=False)
class Look:
    """A row of a track as it was seen in frame t."""

    t: int
    row: Row


@dataclass(eq=False)
class Track:
    """One row of text from when it appears to when it goes: the same letters, although more may come.

    first, stop: frames in which it is there, first <= t < stop; wider than its looks where it fades. colour: of its
    letters, RGB 0..255. growth: pixels by which its marks must be widened to hold outline, glow and shadow. standings:
    how the picture is at its letters a moment later, for each look that a moment follows; steps: how alike it is from
    each of the last looks to the next. asked: whether the user has pointed at it. came, went: False where the
    picture shows its letters a second before and after it too: then the prior has changed its mind, and nothing else.
    passing: what it shows in frames on its way in or out (passing.py). between: what was seen of it beside its looks
    (between.py), until its ends are known.
    """

    looks: list[Look] = field(default_factory=list)
    first: int = 0
    stop: int = 0
    colour: tuple[float, float, float] = (0.0, 0.0, 0.0)
    growth: float = 0.0
    standings: list[Standing] = field(default_factory=list)
    steps: deque[float] = field(default_factory=lambda: deque(maxlen=len(REPLACED)))
    asked: bool = False
    came: bool = True
    went: bool = True
    passing: list[Look] = field(default_factory=list)
    between: list[Look] = field(default_factory=list)

    @cached_property
    def region(self) -> Region:
        """Of all its looks."""
        region = self.looks[0].row.region
        for look in self.looks[1:]:
            region = region.joined(look.row.region)
        return region

    @property
    def covered(self) -> Region:
        """Of all that it shows, also on its way."""
        region = self.region
        for look in self.passing:
            region = region.joined(look.row.region)
        return region

    @cached_property
    def place(self) -> Region:
        """Where it is mostly: single looks may have taken a part of the scene for its letters."""
        boxes = [(one.top, one.left, one.bottom, one.right) for one in (look.row.region for look in self.looks)]
        return Region.between(*np.median(boxes, axis=0).round().astype(int).tolist())

    @property
    def steady(self) -> float | None:
        """How alike the picture is at its letters and a moment later, where it is most: behind a row that stands the
        scene may be another one half of the time. None where it shows for less."""
        return max((one.alike for one in self.standings), default=None)

    @property
    def change(self) -> float | None:
        """How much its letters change over what is beside them, where it is least. None where it shows for less than a
        moment, or nothing is beside them."""
        return min((one.change for one in self.standings if one.change is not None), default=None)

    @property
    def last(self) -> Look:
        return self.looks[-1]

    @cached_property
    def sure(self) -> float:
        """Of its three surest looks."""
        return float(np.mean(sorted(look.row.sure for look in self.looks)[-3:]))

    @cached_property
    def usual(self) -> float:
        """How sure the prior is of it in most looks. Of letters it is as sure in all of them; a scene's lights and
        edges look like some now and then."""
        return float(np.median([look.row.sure for look in self.looks]))

    @cached_property
    def peak(self) -> float:
        """How sure the prior is of its surest pixel in any look."""
        return max(look.row.peak for look in self.looks)

    @cached_property
    def moves(self) -> bool:
        """Whether most of its looks have seen it move beside text that stands."""
        return sum(look.row.moves for look in self.looks) > len(self.looks) / 2

    @cached_property
    def letter(self) -> float:
        return float(np.median([look.row.letter for look in self.looks]))

    @cached_property
    def fullest(self) -> Look:
        """The look that shows most of it."""
        return max(self.looks, key=lambda look: look.row.worth)

    def add(self, t: int, row: Row) -> None:
        if self.looks and self.last.t == t:
            self.looks[-1] = Look(t, merged(self.last.row, row))
        else:
            self.looks.append(Look(t, row))
        region = self.__dict__.get("region")
        self.changed()
        if region is not None:  # of thousands of looks at a logo
            self.region = region.joined(self.last.row.region)
        self.first, self.stop = self.first if len(self.looks) > 1 else t, t + 1

    def take(self, other: Track) -> None:
        """The looks of another, which has become one row with this."""
        by_time = {look.t: look.row for look in other.looks}
        for look in self.looks:
            by_time[look.t] = merged(by_time[look.t], look.row) if look.t in by_time else look.row
        self.came = (other if other.first < self.first else self).came
        self.between += other.between
        self.looks = [Look(t, by_time[t]) for t in sorted(by_time)]
        self.first = min(self.first, self.looks[0].t)
        self.changed()

    def by_itself(self) -> None:
        """Keep of each look the row alone, where it has run into something: what stands beside it later is known."""
        clean = [look for look in self.looks if not has_run_into(look.row, self.place)]
        if not clean:
            return
        own = max(clean, key=lambda look: look.row.worth).row
        self.between = [
            look for look in self._alone(self.between, own) if look.row.region.height <= PASSES * self.place.height
        ]
        if len(clean) < len(self.looks):
            self.looks = self._alone(self.looks, own)
            self.changed()

    def _alone(self, looks: list[Look], own: Row) -> list[Look]:
        runs = (has_run_into(look.row, self.place) for look in looks)
        return [Look(look.t, by_itself(look.row, own)) if has else look for look, has in zip(looks, runs)]

    @property
    def is_replaced(self) -> bool:
        """Whether other words have stood at its place for the last two looks, after these had for two."""
        return len(self.steps) == len(REPLACED) and all(
            low <= step <= high for step, (low, high) in zip(self.steps, REPLACED)
        )

    def parted(self) -> Track:
        """Its last two looks as a track of their own; they are this one's no more."""
        cut = len(self.looks) - 2
        new = replace(
            self,
            looks=self.looks[cut:],
            first=self.looks[cut].t,
            standings=[],
            steps=deque(maxlen=len(REPLACED)),
            came=True,
            passing=[],
            between=[],
        )
        self.looks, self.standings = self.looks[:cut], self.standings[:-2]
        self.stop = self.last.t + 1
        self.changed()
        return new

    def changed(self) -> None:
        """What was made of all looks is to be made anew."""
        for name in _OF_LOOKS:
            self.__dict__.pop(name, None)


_OF_LOOKS = [name for name, one in vars(Track).items() if isinstance(one, cached_property)]


def laid(row: Row, region: Region) -> np.ndarray:
    """A row's soft mask in another rectangle."""
    return part(row.soft, row.region, region)


def merged(a: Row, b: Row) -> Row:
    """Two parts of one row."""
    region = a.region.joined(b.region)
    soft = np.maximum(laid(a, region), laid(b, region))
    larger = max(a, b, key=lambda row: row.soft.size)
    return Row(region, soft, max(a.sure, b.sure), larger.letter, larger.upright, larger.moves)


@dataclass(frozen=True)
class Movement:
    """How a track moved. with_scene, against_scene: steps in which the scene moved and the row with it, or stood.
    standing: share of its looks at the place where it was most often. travelled: pixels between its furthest places.
    grows: whether it grew or shrank about its middle, which counts as its place then. shakes: whether it moved to and
    fro about its place."""

    with_scene: int
    against_scene: int
    standing: float
    travelled: float
    grows: bool = False
    shakes: bool = False


class Tracker:
    """Follows rows from look to look. scale: the masks' longer side over 1280. patience: frames for which one may not
    be seen. cameras: for each look, its frame and where the picture has moved since the first, in pixels of the
    masks."""

    def __init__(self, scale: float, patience: int = PATIENCE):
        self.scale, self.patience = scale, patience
        self.tracks: list[Track] = []
        self.cameras: dict[int, tuple[float, float]] = {}
        self._gone: set[int] = set()
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
            same = [track for track in active if self._same(before[id(track)], row)]
            if not same:
                same = self._nearest_moved(row, [one for one in active if one.last.t < t], before)
            track = same[0] if same else self._new()
            track.add(t, row)
            for other in same[1:]:
                if other.last.t < t:  # two words that have become one row
                    self._absorb(track, other, active)
            found.append((track, row))
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

    def _same(self, before: Row, row: Row) -> bool:
        small, large = sorted((_size(before.region), _size(row.region)))
        both = before.soft, before.region, row.soft, row.region
        if _fills_its_place(before, row):
            return True
        return (small >= GROWS * large and alike(*both) >= SAME) or alike_grown(*both) >= SAME_GROWN

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

    def movement(self, track: Track, samples: int = 12) -> Movement:
        """How a track moved, from some of its looks."""
        looks = [track.looks[i] for i in np.unique(np.linspace(0, len(track.looks) - 1, samples).round().astype(int))]
        places, grown = _places(track, looks, round(2 * REACH * self.scale))
        at = places / self.scale
        scene = np.array([self.cameras[look.t] for look in looks]) / self.scale
        still = np.linalg.norm(at[:, None] - at, axis=2) <= 1.5
        steps, pans = np.diff(at, axis=0), np.diff(scene, axis=0)
        far = np.linalg.norm(pans, axis=1)
        pans_well = far >= 2
        together = np.linalg.norm(steps - pans, axis=1) <= 0.35 * far + 0.7
        stays = np.linalg.norm(steps, axis=1) <= 0.25 * far + 0.5
        return Movement(
            int((pans_well & together).sum()),
            int((pans_well & stays & ~together).sum()),
            float(still.mean(1).max()),
            float(np.ptp(at, axis=0).max()),
            grown >= len(looks) / 4,
            _shakes(places, track.letter),
        )


def shakes(track: Track, samples: int = 12) -> bool:
    """Whether a row moves to and fro about its place, by its first looks."""
    looks = track.looks[:samples]
    return _shakes(_places(track, looks, round(track.letter))[0], track.letter)


def _places(track: Track, looks: Sequence[Look], reach: int) -> tuple[np.ndarray, int]:
    """(how far down and right of the fullest look's place [n, 2] a row is in some, in how many it has another size)."""
    middle, places, grown = track.fullest.row, [], 0
    for look in looks:
        both = middle.soft, middle.region, look.row.soft, look.row.region
        down, right, how = moved(*both, reach)
        if how < SAME and alike_grown(*both, MOST_GROWN) >= SAME_GROWN:
            down, right, grown = 0.0, 0.0, grown + 1
        places.append((down, right))
    return np.array(places), grown


def _shakes(places: np.ndarray, letter: float) -> bool:
    """Whether places [n, 2], in order, go to and fro, no further than a part of a letter's height."""
    reach = float(np.ptp(places, axis=0).max()) if len(places) >= 4 else 0.0
    if not LEAST <= reach <= SHAKES * letter:
        return False
    way, ends = (np.linalg.norm(np.diff(at, axis=0), axis=1).sum() for at in (places, places[[0, -1]]))
    return bool(way >= TO_AND_FRO * max(1.0, ends))


def _fills_its_place(before: Row, row: Row) -> bool:
    """Whether a long row is as high as another and begins and ends where that does: on a pattern like letters, the
    masks of the same ones differ from look to look."""
    a, b, near = before.region, row.region, PLACED * min(before.letter, row.letter)
    sides = abs(a.left - b.left), abs(a.right - b.right), 2 * abs(a.top - b.top), 2 * abs(a.bottom - b.bottom)
    return not row.upright and min(a.width, b.width) >= LONG * max(before.letter, row.letter) and max(sides) <= near


def _size(region: Region) -> int:
    return region.height * region.width


def _near(a: Region, b: Region, reach: int) -> bool:
    return max(a.top, b.top) - min(a.bottom, b.bottom) <= reach and max(a.left, b.left) - min(a.right, b.right) <= reach
