"""A film's frames with their numbers and times, from any frame on."""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from ..media import steady
from ..media.clock import restarts_of
from ..media.video import main_stream, named, read_facts

log = logging.getLogger(__name__)

NEAR = Fraction(1, 2000)
"""Seconds by which a time is known at worst; frames are further apart."""


@dataclass(frozen=True, eq=False)
class Shown:
    """Frame `number` of the film, as it is stored (media/steady.py)."""

    number: int
    stored: steady.ShownFrame

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
    """A film's main video stream. damage: what of it could not be read, in words, each once. Raises ClearError for a
    file that cannot be read."""

    def __init__(self, path: Path):
        self.path, self.facts = path, read_facts(path)
        self.damage: list[str] = []

    def _on_damage(self, text: str) -> None:
        if text not in self.damage:
            log.warning("%s", text)
            self.damage.append(text)

    @cached_property
    def _begins_anew(self) -> bool:
        """Whether its clock does on the way: a time is there twice then, and cannot be sought for."""
        # brings FFmpeg's libraries: only where a file is read or written
        import av

        with av.open(named(self.path)) as container:
            return bool(restarts_of(container, main_stream(container), 1 / self.facts.fps))

    @property
    def size(self) -> tuple[int, int]:
        return self.facts.height, self.facts.width

    def frames(self, first: int = 0, when: Fraction | None = None) -> Generator[Shown, None, None]:
        """Those from `first` on. when: its time, if it is known; then the file is sought in, and what lies before is
        not decoded, where the file can do that."""
        if first and when is not None and not self._begins_anew:
            sought = enumerate(steady.steady_frames(self.path, self.facts, when - NEAR, self._on_damage), first)
            number, stored = next(sought, (first, None))
            if stored is not None and stored.told and abs(stored.time - when) < NEAR:
                yield Shown(number, stored)
                yield from (Shown(*one) for one in sought)
                return
        for number, stored in enumerate(steady.steady_frames(self.path, self.facts, None, self._on_damage)):
            if number >= first:
                yield Shown(number, stored)
