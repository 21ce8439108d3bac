"""How far a film's run is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

LOOK, CLEAN, JOIN = "looking for text", "cleaning", "joining"
LOOKING, JOINING = 0.3, 0.99
"""Where looking ends and joining begins, as shares of a run."""


@dataclass(frozen=True)
class FilmProgress:
    """stage: LOOK, CLEAN (cleaning and writing, frame by frame) or JOIN. done, total: frames of that stage; total is
    None while nobody knows. left: seconds to the stage's end, as far as that is known by now. share: of all that is to
    be done, 0..1, never less than before; None where the number of frames is not known. preview: a frame [H, W, 3] to
    look at; while it is looked for text, with what was seen marked. note: what the run is
    going to take, as soon as that is known."""

    stage: str
    done: int
    total: int | None
    left: float | None = None
    share: float | None = None
    preview: Tensor | None = None
    note: str = ""


PAINTED = 10.0
"""How many frames that pass through one that is painted is taken for, before both were timed."""


@dataclass(frozen=True)
class Kinds:
    """How many frames of a film are painted, and how many pass through. works: first and stop of what is painted."""

    works: Sequence[tuple[int, int]]

    def between(self, first: int, stop: int) -> tuple[int, int]:
        """(painted, passing) of the frames first <= t < stop."""
        painted = sum(max(0, min(stop, ends) - max(first, begins)) for begins, ends in self.works)
        return painted, max(0, stop - first - painted)

    def weight(self, first: int, stop: int) -> float:
        """How long these take, in frames that pass through."""
        painted, passing = self.between(first, stop)
        return PAINTED * painted + passing


def cleaned_share(weight: float, whole: float) -> float:
    """The share of a run that is over when so much of what is to be cleaned is."""
    return LOOKING + (JOINING - LOOKING) * min(1.0, weight / max(1.0, whole))


OnProgress = Callable[[FilmProgress], None]
"""What it raises ends the run; what is finished by then stays for the next."""


class Pace:
    """Time left, where frames of two kinds take different times: those that are painted and those that pass through.
    now: a clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic):
        self._now, self._last = now, now()
        self._spent, self._done = {True: 0.0, False: 0.0}, {True: 0, False: 0}

    def did(self, painted: bool, frames: int = 1) -> None:
        """So many frames of a kind are done since the last call."""
        now = self._now()
        self._spent[painted] += now - self._last
        self._done[painted] += frames
        self._last = now

    @property
    def done(self) -> int:
        """Frames of both kinds."""
        return sum(self._done.values())

    def each(self, painted: bool) -> float | None:
        """Seconds a frame of a kind; None before one is done."""
        return self._spent[painted] / self._done[painted] if self._done[painted] else None

    def left(self, painted: int, passing: int) -> float | None:
        """Seconds for so many frames of each kind."""
        known = [(count, self.each(kind)) for count, kind in ((painted, True), (passing, False)) if count]
        if any(each is None for _, each in known):
            return None
        return sum(count * each for count, each in known if each is not None)
