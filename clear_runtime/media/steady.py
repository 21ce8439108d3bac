"""The frames of a file in one size, at times that rise, whatever the file says: what can be written again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from ..errors import ClearError
from .clock import NEW_CLOCK
from .colour import Colour, converter
from .video import Facts, OnDamage, log, read_stored_frames, upright


class ShownFrame(NamedTuple):
    """A frame of a file: when it is shown, in seconds, whether the file says so itself, and how it is stored (a frame
    of PyAV's, its colour, and what converts the frames of this file)."""

    time: Fraction
    told: bool
    stored: Any
    colour: Colour
    by: Any

    def picture(self) -> Tensor:
        """[H, W, 3] in 0..1, upright."""
        return upright(self.stored, self.colour, self.by)


SOONEST = Fraction(1, 1000)
"""Seconds from a frame to the next where the file shows both at one time: a tick of Matroska's clock."""
UNTIMED = 32
"""Frames without a time, at the beginning, that wait for the first that has one."""


def steady_frames(
    video: Path, facts: Facts, since: Fraction | None = None, on_damage: OnDamage = log.warning
) -> Iterator[ShownFrame]:
    """The frames of a video, each later than the one before; since: from that time on. Raises ClearError for a video
    that changes its size."""
    last, by = None, converter()
    told_last, moved = None, Fraction(0)  # of the file's own clock, and what it is moved by since it began anew
    for number, (when, stored, colour) in enumerate(_led(read_stored_frames(video, since, on_damage), 1 / facts.fps)):
        if when is not None:
            if last is not None and told_last is not None and when < told_last - NEW_CLOCK:
                moved = last + 1 / facts.fps - when
            told_last, when = when, when + moved
        rises = when is not None and (last is None or when > last)
        time = when if rises and when is not None else facts.start if last is None else last + _step(when, facts)
        size = (stored.height, stored.width) if facts.rotation % 180 == 90 else (stored.width, stored.height)
        if size != (facts.width, facts.height):
            raise ClearError(
                f"{video.name}: from frame {number} ({float(time):.2f} s) on it is {size[0]}x{size[1]} pixels instead "
                f"of {facts.width}x{facts.height}. Convert it to one size first."
            )
        last = time
        yield ShownFrame(time, rises and not moved, stored, colour, by)


def _step(when: Fraction | None, facts: Facts) -> Fraction:
    """Seconds to a frame whose time does not rise: the shortest there are, for those behind it will soon have their own
    again, in step with the sound; that of a frame where the file gives it none."""
    frame = 1 / facts.fps
    return frame if when is None else min(SOONEST, frame)


def _led(frames: Iterator[tuple[Fraction | None, Any, Colour]], frame: Fraction) -> Iterator:
    """The same, with times for those in front of the first that has one: Matroska says none before 0."""
    waiting = []
    for when, stored, colour in frames:
        waiting.append((when, stored, colour))
        if when is not None or len(waiting) > UNTIMED:
            break
    first = waiting[-1][0] if waiting else None
    for before, (_, stored, colour) in zip(range(len(waiting) - 1, -1, -1), waiting):
        yield None if first is None else first - before * frame, stored, colour
    yield from frames


class FileFrames:
    """The frames [H, W, 3] of a file, read anew each time they are gone through; times: of those that were given and
    not taken yet."""

    def __init__(self, source: Path, facts: Facts):
        self.source, self.facts = source, facts
        self.times: deque = deque()

    def __iter__(self) -> Iterator[Tensor]:
        self.times.clear()
        for shown in steady_frames(self.source, self.facts):
            self.times.append(shown.time)
            yield shown.picture()
