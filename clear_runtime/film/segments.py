"""Segment after segment of a film's result: encoded, closed, recorded; after a stop, those alone that are missing."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import chain, islice

import torch
from torch import Tensor

from ..errors import ClearError
from ..find.report import Report
from ..media.groups import Packets
from ..options import RemovalProgress
from .clean import Cleaning, Done, nearest, out_of_memory
from .copying import copied_segments
from .elsewhere import Workers, made_elsewhere
from .one_segment import written
from .progress import CLEAN, FilmProgress, Kinds, OnProgress, Pace, cleaned_share
from .store import Store
from .work import Segment, Work, chained

log = logging.getLogger(__name__)

SECONDS = 20
"""Of a segment at least: what a stop loses at most, beside a window."""


def all_segments(
    cleaning: Cleaning,
    store: Store,
    work: Work,
    on_progress: OnProgress,
    workers: Workers | None = None,
    originals: Packets | None = None,
) -> list[Segment]:
    """The film's segments, those that an earlier run has finished among them. workers: who makes them, as far as it is
    known where they end; else, and for the rest, this process does. originals: packets of the film, which are taken
    over where nothing changes. Where memory runs out, the window is halved and the run goes on; a note says so."""
    found = work.found()
    cleaning = _going_on(cleaning, found, work)
    while not ((so_far := chained(found)) and so_far[-1].last):
        at = so_far[-1].stop if so_far else 0
        length = max(1, math.ceil(SECONDS * cleaning.source.facts.fps))
        there = {first: one.stop for first, one in found.items()}
        try:
            if new := copied_segments(cleaning, originals, work, at, there):
                found.update({one.first: one for one in new})
                continue
            missing = [] if workers is None else list(cleaning.cuts(at, length, there))
            if workers is not None and missing:
                making = made_elsewhere(workers, cleaning, store, work, missing, on_progress)
            else:
                making = _Run(cleaning, store, work, on_progress, length).segments(at, found)
            for segment in making:
                found[segment.first] = segment
        except OSError as error:
            raise ClearError(
                f"There is no room to write on in {work.folder} ({error.strerror or error}). Free some space there. "
                "What is finished stays: the next run goes on from there."
            ) from error
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            cleaning = _smaller(cleaning, found, work, error)
    return so_far


def _going_on(cleaning: Cleaning, found: dict[int, Segment], work: Work) -> Cleaning:
    """With the window that an earlier run has come to. Segments behind a gap that had another one may begin where none
    does: they are made again."""
    so_far = chained(found)
    if so_far:
        work.note(f"Goes on from frame {so_far[-1].stop}; what is before was finished by an earlier run.")
        cleaning = cleaning.with_window(min(so_far[-1].window, cleaning.options.windows.window))
    window = cleaning.options.windows.window
    _drop(found, {first: one for first, one in found.items() if one not in so_far and one.window != window}, work)
    return cleaning


def _drop(found: dict[int, Segment], some: Mapping[int, Segment], work: Work) -> None:
    for first, segment in some.items():
        work.drop(segment)
        del found[first]


def _smaller(cleaning: Cleaning, found: dict[int, Segment], work: Work, error: Exception) -> Cleaning:
    so_far = chained(found)
    smaller, at = cleaning.smaller(), so_far[-1].stop if so_far else 0
    if smaller is None:
        raise ClearError(
            "There is not enough memory for the smallest window. Lower max_pixels, or close other programs. What is "
            "finished stays: the next run goes on from there."
        ) from error
    work.note(
        f"Memory ran out with a window of {cleaning.options.windows.window} frames. From frame {at} on it is "
        f"{smaller.options.windows.window}."
    )
    _drop(found, {first: one for first, one in found.items() if first >= at}, work)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return smaller


class _Run:
    """One go from a border on, until what is there already, the film's end or what stops it. length: frames of a
    segment at least."""

    def __init__(self, cleaning: Cleaning, store: Store, work: Work, on_progress: OnProgress, length: int):
        self.cleaning, self.store, self.work, self.on_progress = cleaning, store, work, on_progress
        self.pieces, self.total = cleaning.pieces(), cleaning.total or cleaning.source.facts.frames
        self.kinds, self.length = Kinds(cleaning.painted()), length
        self.pace, self.report, self.done, self.weight = Pace(), Report(), 0, 0.0
        self.there: Mapping[int, Segment] = {}

    def segments(self, at: int, found: Mapping[int, Segment]) -> Iterator[Segment]:
        """From frame `at` on, up to one of those that were found. Where nobody knew that one was the last, it comes
        once more as that."""
        self.done, self.there = at, found
        segment: Segment | None = None
        with closing(self.cleaning.frames(at, self.report, self._within_window)) as frames:
            while (first := next(frames, None)) is not None:
                segment = self._segment(first, frames)
                yield segment
                if segment.stop in found:
                    return
        if segment is not None and not segment.last:
            segment = replace(segment, last=True)
            self.work.add(segment)
            yield segment

    def _segment(self, first: Done, frames: Iterator[Done]) -> Segment:
        """The segment that begins with a frame, written and recorded."""
        begins = first.shown.number
        border = nearest(self.cleaning.border(self.pieces, begins + self.length), begins, self.there)
        some = self._told(chain([first], islice(frames, None if border is None else border - begins - 1)))
        segment = written(some, begins, self.cleaning, self.store, self.work, self.report, border is None)
        self.work.add(segment)
        return segment

    def _told(self, frames: Iterator[Done]) -> Iterator[Done]:
        for done in frames:
            yield done
            self.done = done.shown.number + 1
            self.pace.did(done.painted)
            self._progress(done.pixels)

    def _within_window(self, now: RemovalProgress) -> None:
        """A stage or a step within a window: no frame is done yet."""
        self._progress(now.preview, now.part)

    def _progress(self, preview: Tensor | None, part: float = 0.0) -> None:
        """part: how much of the next window is done."""
        left = share = None
        if self.total is not None:
            windows = self.cleaning.options.windows
            ahead = min(self.total, self.done + windows.window - windows.overlap)
            weight = self.kinds.weight(0, self.done) + part * self.kinds.weight(self.done, ahead)
            self.weight = max(self.weight, weight)  # when its last stage has ended, its frames are still to be written
            left = self.pace.left(*self.kinds.between(self.done, self.total))
            share = cleaned_share(self.weight, self.kinds.weight(0, self.total))
        self.on_progress(FilmProgress(CLEAN, self.done, self.total, left, share, preview))
