"""The frames of a file in one size, at times that rise, whatever the file says: what can be written again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from ..errors import ClearError
from .video import Facts, read_timed_frames


def steady_frames(
    video: Path, facts: Facts, on_time: Callable[[Fraction], None], since: Fraction | None = None
) -> Iterator[Tensor]:
    """The frames [H, W, 3] in 0..1 of a video; the time of each in seconds goes to on_time before the frame is given,
    and is later than that of the one before. since: those before that time are left out, and not decoded where the file
    can be sought in. Raises ClearError for a video that changes its size."""
    last = None
    for number, (when, frame) in enumerate(read_timed_frames(video, since)):
        if frame.shape[:2] != (facts.height, facts.width):
            raise ClearError(
                f"{video.name}: from frame {number} on it is {frame.shape[1]}x{frame.shape[0]} pixels instead of "
                f"{facts.width}x{facts.height}. Convert it to one size first."
            )
        if when is None or last is not None and when <= last:
            when = facts.start if last is None else last + 1 / facts.fps
        last = when
        on_time(when)
        yield frame


class FileFrames:
    """The frames of a file, read anew each time they are gone through; times: of those that were given and not taken
    yet."""

    def __init__(self, source: Path, facts: Facts):
        self.source, self.facts = source, facts
        self.times: deque = deque()

    def __iter__(self) -> Iterator[Tensor]:
        self.times.clear()
        return steady_frames(self.source, self.facts, self.times.append)
