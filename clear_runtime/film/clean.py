"""The second pass over a film: frame by frame, from any border on, what the plan says is replaced.

The film is read once, in order. Pieces with text go through pipeline.replace, window by window; all other frames pass
through as they were read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction

import torch
from torch import Tensor

from ..engines.engine import Engine
from ..errors import ClearError
from ..fill.flow import OpticalFlow
from ..find.marks import Prior
from ..find.report import Report
from ..frames.windows import Window
from ..options import RAW, RemovalProgress, RemoveOptions
from ..pipeline import replace as replaced
from ..wan import whole_groups
from .layout import Piece, next_border, pieces_of, windows_from
from .marks_file import MarksFile
from .plan import Plan
from .planned_marks import PlannedMarks
from .source import Shown, Source

SHORTEST = 5
"""Frames of a window at least."""


@dataclass(frozen=True)
class Done:
    """A frame of the result. pixels: None where it is as it was read. painted: whether it went through a window. mask
    [H, W]: where its pixels are other ones; None for everywhere."""

    shown: Shown
    pixels: Tensor | None
    painted: bool
    mask: Tensor | None = None


@dataclass(frozen=True)
class Cleaning:
    """All that the second pass needs. engine, prior, options, limit, protect, optical_flow: as pipeline.remove takes
    them."""

    source: Source
    plan: Plan
    marks: MarksFile
    engine: Engine | None
    prior: Prior | None
    options: RemoveOptions
    limit: Tensor | None = None
    protect: Tensor | None = None
    optical_flow: OpticalFlow | None = None

    @property
    def total(self) -> int | None:
        """Frames of the film, if all of them were looked at."""
        return self.plan.stop if self.plan.all else None

    def pieces(self) -> list[Piece]:
        around = self.options.windows.overlap
        return pieces_of(
            self.plan.texts(),
            self.plan.shots,
            around,
            self.plan.stop,
            goes_on=not self.plan.all,
            in_one_go=self.options.engine.clean_overlap,
        )

    def smaller(self) -> Cleaning | None:
        """The same with half the window; None where it cannot be smaller."""
        windows = self.options.windows
        half = whole_groups(max(SHORTEST, windows.window // 2))
        if half >= whole_groups(windows.window):
            return None
        return self.with_window(half)

    def with_window(self, window: int) -> Cleaning:
        windows = self.options.windows
        fits = replace(windows, window=window, overlap=min(windows.overlap, window - SHORTEST + 1))
        return replace(self, options=replace(self.options, windows=fits))

    def border(self, pieces: Sequence[Piece], after: int) -> int | None:
        """The first frame at or after `after` at which a segment may end; None for the film's end."""
        windows = self.options.windows
        borders = (
            next_border(piece, after, windows.window, windows.overlap)
            for piece in pieces
            if piece.stop is None or piece.stop >= after
        )
        return next((border for border in borders if border is not None), None)

    def cuts(self, at: int, length: int, there: Mapping[int, int]) -> Iterator[tuple[int, int]]:
        """First frame and stop of each segment that is to be made from frame `at` on, a border or 0: of `length` frames
        or more, but the last and those in front of one that is there; as far as the plan knows that there are frames.
        there: first and stop of segments that are made."""
        pieces = self.pieces()
        while at < self.plan.stop:
            if at in there:
                at = there[at]
                continue
            stop = nearest(self.border(pieces, at + length) or self.total, at, there)
            if stop is None or stop > self.plan.stop:
                return
            yield at, stop
            at = stop

    def painted(self) -> list[tuple[int, int]]:
        """First and stop of what goes through windows."""
        return [(piece.first, piece.stop) for piece in self.pieces() if piece.works and piece.stop is not None]

    def frames(
        self, at: int, report: Report, on_progress: Callable[[RemovalProgress], None] | None = None
    ) -> Generator[Done, None, None]:
        """The result's frames from frame `at` on, a border or 0. report: is told in which frames something can still be
        read. Raises ClearError where the film ends before its plan does."""
        pieces = [piece for piece in self.pieces() if piece.stop is None or piece.stop > at]
        return self.frames_of(pieces, at, report, on_progress)

    def frames_of(
        self,
        pieces: Sequence[Piece],
        at: int,
        report: Report,
        on_progress: Callable[[RemovalProgress], None] | None = None,
    ) -> Generator[Done, None, None]:
        """The same of some pieces that follow one another."""
        windows = self.options.windows
        first = at
        if pieces and pieces[0].works:
            first = windows_from(pieces[0], at, windows.window, windows.overlap)[0].start
        marks = PlannedMarks(self.plan, self.marks, self.source.size)
        with closing(self.source.frames(first, self._when(first))) as frames:
            for piece in pieces:
                if piece.works:
                    reach = windows_from(piece, at, windows.window, windows.overlap)
                    done = self._painted(frames, reach, at, marks, report, on_progress)
                    yield from (one for one in done if one.shown.number >= at)
                else:
                    yield from self._passing(frames, max(at, piece.first), piece.stop)

    def _when(self, frame: int) -> Fraction | None:
        """When a frame is shown, if it was looked at."""
        return self.marks.clock().at(frame) if self.plan.first <= frame < self.plan.stop else None

    def _passing(self, frames: Iterator[Shown], first: int, stop: int | None) -> Iterator[Done]:
        at = first
        while stop is None or at < stop:
            shown = next(frames, None)
            if shown is None:
                if stop is not None:
                    raise self._short(at)
                return
            yield Done(shown, None, False)
            at += 1

    def _painted(
        self, frames: Iterator[Shown], windows: list[Window], at: int, marks: PlannedMarks, report: Report, on_progress
    ) -> Iterator[Done]:
        held: deque[Shown] = deque()

        def found() -> Iterator[tuple[Tensor, Tensor]]:
            for t in range(windows[0].start, windows[-1].stop):
                shown = next(frames, None)
                if shown is None:
                    raise self._short(t)
                held.append(shown)
                yield shown.pixels, marks(t)

        results = replaced(
            found(),
            self.engine,
            self.options,
            self.limit,
            self.protect,
            on_progress=on_progress,
            prior=self.prior,
            report=report,
            windows=windows,
            optical_flow=self.optical_flow,
            wanted=at,
        )
        for frame, mask in results:
            changed = bool(mask.any())
            where = None if self.options.output.output == RAW else mask
            yield Done(held.popleft(), frame if changed else None, True, where)

    def _short(self, at: int) -> ClearError:
        return ClearError(
            f"{self.source.path.name} ends at frame {at}, before its plan does. It has changed, or cannot be read "
            "to its end: make the plan anew."
        )


def nearest(border: int | None, at: int, there: Iterable[int]) -> int | None:
    """A border, or the first segment behind frame `at` that is there, whichever comes first."""
    return min((one for one in (border, *there) if one is not None and one > at), default=None)


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is not enough memory, on the CPU or on a device."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "not enough memory" in text)
