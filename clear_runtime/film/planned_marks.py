"""The marks of a planned film, frame by frame: those of all lines that go, within what the user has made of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..find.align import overlap
from ..find.spans import Span
from .marks_file import MarksFile
from .plan import Plan, PlannedLine


class PlannedMarks:
    """Asked for frames that rise, it holds the stretches alone that these lie in. size: (height, width)."""

    def __init__(self, plan: Plan, marks: MarksFile, size: tuple[int, int]):
        self.size, self._marks = size, marks
        self._later = sorted(plan.removed, key=lambda line: -line.first)
        self._now: list[_Line] = []

    def __call__(self, t: int) -> Tensor:
        """The marks of frame t [H, W] bool."""
        while self._later and self._later[-1].first <= t:
            line = self._later.pop()
            self._now.append(_Line(line, self._read(line)))
        self._now = [one for one in self._now if t < one.line.stop]
        out = torch.zeros(self.size, dtype=torch.bool)
        for one in self._now:
            one.mark(out, t)
        return out

    def _read(self, line: PlannedLine) -> Callable[[], Span | None]:
        spans = iter(()) if line.marks is None else self._marks.spans(line.marks)
        return lambda: next(spans, None)


class _Line:
    """One line, of which two stretches at most are held: the frame's, or those before and after it."""

    def __init__(self, line: PlannedLine, following: Callable[[], Span | None]):
        self.line, self._following = line, following
        self._span = following()
        self._before: Span | None = None

    def mark(self, out: Tensor, t: int) -> None:
        if self.line.marks is None:
            self.line.region.of(out[None])[0] = True
            return
        span = self._at(t)
        shared = None if span is None else overlap(span.region, self.line.region)
        if span is None or shared is None:
            return
        marks = span.mark(min(max(t, span.first), span.stop - 1))
        shared.of(out[None])[0] |= shared.within(span.region).of(marks[None])[0]

    def _at(self, t: int) -> Span | None:
        """The stretch of frame t; of frames that the user has added, the nearest one."""
        while self._span is not None and self._span.stop <= t:
            self._before, self._span = self._span, self._following()
        if self._span is None or self._before is None:
            return self._span or self._before
        return self._span if self._span.first <= t else None
