"""Segment after segment of a film's result: encoded, closed, recorded; after a stop, from the last one on."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import chain, islice

import torch
from torch import Tensor

from ..errors import ClearError
from ..find.report import Report
from ..options import RemovalProgress
from .clean import Cleaning, Done, out_of_memory
from .identity import file_digest
from .progress import CLEAN, JOINING, LOOKING, FilmProgress, OnProgress, Pace
from .store import Store, masks_path
from .work import Segment, Work

log = logging.getLogger(__name__)

SECONDS = 20
"""Of a segment at least: what a stop loses at most, beside a window."""
PAINTED = 10.0
"""How many frames that pass through one that is painted is taken for, before both were timed."""


def all_segments(cleaning: Cleaning, store: Store, work: Work, on_progress: OnProgress) -> list[Segment]:
    """The film's segments, those that an earlier run has finished among them. Where memory runs out, the window is
    halved and the run goes on; a note says so."""
    finished = work.segments()
    if finished:
        work.note(f"Goes on from frame {finished[-1].stop}; what is before was finished by an earlier run.")
        cleaning = cleaning.with_window(min(finished[-1].window, cleaning.options.windows.window))
    while not (finished and finished[-1].last):
        at = finished[-1].stop if finished else 0
        try:
            for segment in _Run(cleaning, store, work, on_progress).segments(at):
                finished = [*finished, segment] if segment.first >= at else [*finished[:-1], segment]
                at = segment.stop
        except OSError as error:
            raise ClearError(
                f"There is no room to write on in {work.folder} ({error.strerror or error}). Free some space there. "
                "What is finished stays: the next run goes on from there."
            ) from error
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            cleaning = _smaller(cleaning, at, work, error)
    return finished


def _smaller(cleaning: Cleaning, at: int, work: Work, error: Exception) -> Cleaning:
    smaller = cleaning.smaller()
    if smaller is None:
        raise ClearError(
            "There is not enough memory for the smallest window. Lower max_pixels, or close other programs. What is "
            "finished stays: the next run goes on from there."
        ) from error
    work.note(
        f"Memory ran out with a window of {cleaning.options.windows.window} frames. From frame {at} on it is "
        f"{smaller.options.windows.window}."
    )
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return smaller


class _Run:
    """One go from a border on, until the film's end or what stops it."""

    def __init__(self, cleaning: Cleaning, store: Store, work: Work, on_progress: OnProgress):
        self.cleaning, self.store, self.work, self.on_progress = cleaning, store, work, on_progress
        self.pieces, self.total = cleaning.pieces(), cleaning.total or cleaning.source.facts.frames
        self.works = [(piece.first, piece.stop) for piece in self.pieces if piece.works and piece.stop is not None]
        self.length = max(1, math.ceil(SECONDS * cleaning.source.facts.fps))
        self.pace, self.report, self.done = Pace(), Report(), 0

    def segments(self, at: int) -> Iterator[Segment]:
        """From frame `at` on. Where nobody knew that one was the last, it comes once more as that."""
        self.done = at
        segment: Segment | None = None
        with closing(self.cleaning.frames(at, self.report, self._within_window)) as frames:
            while (first := next(frames, None)) is not None:
                segment = self._segment(first, frames)
                yield segment
        if segment is not None and not segment.last:
            segment = replace(segment, last=True)
            self.work.add(segment)
            yield segment

    def _segment(self, first: Done, frames: Iterator[Done]) -> Segment:
        """The segment that begins with a frame, written and recorded."""
        begins, changed = first.shown.number, 0
        border = self.cleaning.border(self.pieces, begins + self.length)
        path = self.work.path_of(begins, self.store.ending(self.cleaning.source))
        with self.store.segment(path, self.cleaning.source) as writer:
            for done in chain([first], islice(frames, None if border is None else border - begins - 1)):
                writer.write(done.shown, done.pixels, done.mask)
                changed += done.pixels is not None
                self._tell(done)
        stop = self.done
        left = [t for t in self.report.left if begins <= t < stop]
        self.report.left = [t for t in self.report.left if t >= stop]
        window = self.cleaning.options.windows.window
        last = border is None or stop == self.cleaning.total
        segment = Segment(begins, stop, path.name, file_digest(path), window, changed, left, last)
        if self.store.masks:
            masks = masks_path(path)
            segment = replace(segment, masks=masks.name, masks_digest=file_digest(masks))
        self.work.add(segment)
        return segment

    def _tell(self, done: Done) -> None:
        self.done = done.shown.number + 1
        self.pace.did(done.painted)
        self._progress(done.pixels)

    def _within_window(self, now: RemovalProgress) -> None:
        """A stage or a step within a window: no frame is done yet."""
        self._progress(now.preview)

    def _progress(self, preview: Tensor | None) -> None:
        left = share = None
        if self.total is not None:
            painted, passing = self._to_do(self.done)
            left = self.pace.left(painted, passing)
            weight = PAINTED * painted + passing
            whole = sum(n * k for n, k in zip(self._to_do(0), (PAINTED, 1)))
            share = LOOKING + (JOINING - LOOKING) * (1 - weight / max(1, whole))
        self.on_progress(FilmProgress(CLEAN, self.done, self.total, left, share, preview))

    def _to_do(self, at: int) -> tuple[int, int]:
        """Frames from `at` on that are painted, and that pass through."""
        painted = sum(stop - max(at, first) for first, stop in self.works if stop > at)
        return painted, max(0, (self.total or at) - at - painted)
