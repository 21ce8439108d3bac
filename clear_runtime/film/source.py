"""A film's frames with their numbers and times, from any frame on."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import torch
from torch import Tensor

from ..media.steady import steady_frames
from ..media.video import read_facts

NEAR = Fraction(1, 2000)
"""Seconds by which a time is known at worst; frames are further apart."""


@dataclass(frozen=True, eq=False)
class Shown:
    """Frame `number` of the film, shown at `time` in seconds; pixels [H, W, 3] float16 in 0..1: half of what float32
    takes, and every level of 8 and 10 bits is another number in it."""

    number: int
    time: Fraction
    pixels: Tensor


class Source:
    """A film's main video stream. Raises ClearError for a file that cannot be read."""

    def __init__(self, path: Path):
        self.path, self.facts = path, read_facts(path)

    @property
    def size(self) -> tuple[int, int]:
        return self.facts.height, self.facts.width

    def frames(self, first: int = 0, when: Fraction | None = None) -> Generator[Shown, None, None]:
        """Those from `first` on. when: its time, if it is known; then the file is sought in, and what lies before is
        not decoded."""
        if first and when is not None:
            sought = self._frames(first, first, when - NEAR)
            shown = next(sought, None)
            if shown is not None and abs(shown.time - when) < NEAR:
                yield shown
                yield from sought
                return
        yield from self._frames(0, first, None)

    def _frames(self, number: int, first: int, since: Fraction | None) -> Generator[Shown, None, None]:
        """number: of the first frame that is read."""
        times: deque[Fraction] = deque()
        for at, frame in enumerate(steady_frames(self.path, self.facts, times.append, since), number):
            time = times.popleft()
            if at >= first:
                yield Shown(at, time, frame.to(torch.float16))
