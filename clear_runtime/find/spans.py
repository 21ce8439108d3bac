"""Where in time and place there is a subtitle: what finding leaves for replacing, small enough to keep for a whole
film."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..frames.region import Region, bounds


@dataclass(frozen=True)
class Span:
    """Frames first <= t < stop, all with marks inside `region`. marks: those of the region, eight pixels a byte: frame
    after frame, each from its own byte on (numpy.packbits)."""

    first: int
    stop: int
    region: Region
    marks: np.ndarray

    @classmethod
    def of(cls, first: int, marks: Tensor) -> Span:
        """From marks [n, H, W] bool of the frames from `first` on; there is one in each."""
        region = bounds(marks)
        if region is None:
            raise ValueError("a span has marks in each of its frames")
        inside = region.of(marks).flatten(1).numpy()
        return cls(first, first + len(marks), region, np.packbits(inside, axis=1))

    def mark(self, t: int) -> Tensor:
        """The marks of frame t of the video, [region.height, region.width] bool."""
        height, width = self.region.height, self.region.width
        flat = np.unpackbits(self.marks[t - self.first], count=height * width)
        return torch.from_numpy(flat).view(height, width).bool()

    def later(self, frames: int) -> Span:
        """The same, that many frames later."""
        return replace(self, first=self.first + frames, stop=self.stop + frames)

    @property
    def bytes(self) -> int:
        return self.marks.nbytes


LONGEST = 250
"""Frames of a span at most: its region is the same for all of them, and a film's lines stand in many places."""


def spans_of(marks: Iterable[Tensor]) -> Iterator[Span]:
    """The spans of a video from the marks [H, W] bool of its frames in order: runs of frames that have some."""
    held: list[Tensor] = []
    first = 0
    for t, mark in enumerate(marks):
        is_marked = bool(mark.any())
        if held and (not is_marked or len(held) == LONGEST):
            yield Span.of(first, torch.stack(held))
            held = []
        if is_marked:
            first = first if held else t
            held.append(mark)
    if held:
        yield Span.of(first, torch.stack(held))


def with_marks(frames: Iterable[Tensor], spans: Iterable[Span]) -> Iterator[tuple[Tensor, Tensor]]:
    """(frame [H, W, 3], its marks [H, W] bool) of a video from its frames and spans; spans in order, and none over
    another."""
    spans = iter(spans)
    span = next(spans, None)
    for t, frame in enumerate(frames):
        if span is not None and t >= span.stop:
            span = next(spans, None)
        marks = torch.zeros(frame.shape[:2], dtype=torch.bool)
        if span is not None and span.first <= t:
            span.region.of(marks[None])[0] = span.mark(t)
        yield frame, marks
