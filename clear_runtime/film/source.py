"""A film's frames with their numbers and times, from any frame on."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import torch
from torch import Tensor

from ..media.steady import FileFrames
from ..media.video import read_facts


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

    def frames(self, first: int = 0) -> Generator[Shown, None, None]:
        """Those from `first` on."""
        frames = FileFrames(self.path, self.facts)
        for number, frame in enumerate(frames):
            time = frames.times.popleft()
            if number >= first:
                yield Shown(number, time, frame.to(torch.float16))
