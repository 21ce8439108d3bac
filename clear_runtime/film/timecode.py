"""Times as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..errors import ClearError

MILLION = 1_000_000

_TIME = re.compile(r"(-?)(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d+)?)")


def seconds_of(text: str, name: str) -> Fraction | None:
    """1:23:45.6, 23:45 or 83.5 in seconds; None for an empty text. Raises ClearError, by the name of what it is, for
    anything else."""
    text = text.strip()
    if not text:
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        raise ClearError(f"{name} is {text!r}, which is no time. Write it as 1:23:45.6 or in seconds, as 83.5.")
    hours, minutes = int(found[2] or 0), int(found[3] or 0)
    time = 3600 * hours + 60 * minutes + Fraction(found[4].replace(",", "."))
    return -time if found[1] else time


def timecode(seconds: Fraction | float) -> str:
    """To a thousandth of a second: 0:01:23.500."""
    sign, thousandths = "-" if seconds < 0 else "", round(abs(float(seconds)) * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{sign}{minutes // 60}:{minutes % 60:02d}:{rest / 1000:06.3f}"


def duration(seconds: float) -> str:
    """Roughly, as people say it: 2 h 05 min, 12 min, 40 s."""
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min" if seconds >= 90 else f"{max(1, round(seconds))} s"


@dataclass(frozen=True, eq=False)
class Clock:
    """times: of the frames that were looked at, in millionths of a second, rising, int64 [n + 1]; the last is when the
    last frame goes. first: the number of the first of them."""

    times: np.ndarray
    first: int = 0

    def at(self, frame: int) -> Fraction:
        """When a frame is shown, in seconds; one beyond the last, when that goes."""
        return Fraction(int(self.times[min(frame - self.first, len(self.times) - 1)]), MILLION)

    def frame(self, time: Fraction) -> int:
        """The frame whose time is nearest; the one beyond the last has the time when that goes."""
        return self.first + int(np.abs(self.times - float(time * MILLION)).argmin())
