"""A film's frames with their numbers and times, from any frame on."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import torch
from torch import Tensor

from ..media import steady
from ..media.video import read_facts


@dataclass(frozen=True, eq=False)
class Shown:
    """Frame `number` of the film, as it is stored (media/steady.py)."""

    number: int
    stored: steady.Shown

    @property
    def time(self) -> Fraction:
        """When it is shown, in seconds."""
        return self.stored.time

    @property
    def pixels(self) -> Tensor:
        """[H, W, 3] float16 in 0..1, made when it is asked for: half of what float32 takes, and every level of 8 and 10
        bits is another number in it."""
        return self.stored.picture().to(torch.float16)


class Source:
    """A film's main video stream. Raises ClearError for a file that cannot be read."""

    def __init__(self, path: Path):
        self.path, self.facts = path, read_facts(path)

    @property
    def size(self) -> tuple[int, int]:
        return self.facts.height, self.facts.width

    def frames(self, first: int = 0) -> Generator[Shown, None, None]:
        """Those from `first` on. Those before are decoded, since later ones build on them."""
        for number, stored in enumerate(steady.steady_frames(self.path, self.facts)):
            if number >= first:
                yield Shown(number, stored)
