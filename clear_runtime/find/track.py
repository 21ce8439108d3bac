"""A row of text over time: the same letters, as they were seen in look after look."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ..frames.region import Region
from .align import part
from .apart import by_itself, has_run_into
from .rows import Row
from .steady import Standing

REPLACED = ((0.8, 2.0), (-2.0, 0.5), (0.8, 2.0))
"""How alike the picture is at a row's letters from look to look where other words take its place: short ones may cover
the same pixels. What moves is unlike at every step."""
PASSES = 4.0
"""How many times as high as its place a row is on its way, at most: letters that fall one by one."""


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
