"""Segments of a film that other processes or machines make: what these are told, what they do, and what comes back.

A segment depends on the film, the plan and its frames' numbers alone: who makes it does not matter, nor when. They are
kept where a run of one machine keeps its own; either goes on from what the other has finished.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from ..atomic import WholeFile
from ..engines.bundled import bundled_engine
from ..engines.engine import Engine
from ..engines.options import EngineOptions
from ..errors import ClearError
from ..find.marks import Prior
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..find.report import Report
from ..options import RemoveOptions
from .clean import Cleaning, out_of_memory
from .marks_file import MarksFile
from .one_segment import written
from .plan import Plan
from .progress import CLEAN, FilmProgress, Kinds, OnProgress, cleaned_share
from .source import Source
from .store import Store
from .work import Segment, Work


@dataclass(frozen=True)
class Parts:
    """How a worker makes an engine and a prior of its own. engine: one of the bundled ones. prior: a file that the
    worker can read; None for the bundled one. device: the worker's."""

    engine: str
    options: EngineOptions
    prior: Path | None
    device: str

    def __call__(self) -> tuple[Engine, Prior]:
        return _parts(self)


@lru_cache(maxsize=1)
def _parts(parts: Parts) -> tuple[Engine, Prior]:
    """Once a process: a worker makes many segments."""
    return (bundled_engine(parts.engine, parts.options, parts.device), load_prior(parts.prior or BUNDLED, parts.device))


class MakesParts(Protocol):
    def __call__(self) -> tuple[Engine | None, Prior | None]: ...


@dataclass(frozen=True)
class Order:
    """What a worker is told of a run, whichever segment it makes. source: a path that it can read. marks: the content
    of the plan's file of marks. needs_prior: whether the second pass asks a prior. threads: of torch, which sums in
    another order with another number; None leaves it."""

    source: Path
    plan: Plan
    marks: bytes
    parts: MakesParts
    needs_prior: bool
    options: RemoveOptions
    store: Store
    limit: Tensor | None = None
    protect: Tensor | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Parcel:
    """What comes back: a segment with the content of its files by name, or why there is none. refused: what the user
    can mend, in words. memory: whether there was too little of it."""

    segment: Segment | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    refused: str = ""
    memory: bool = False


class Workers(Protocol):
    """Who makes segments. parts: how each of them comes to an engine and a prior. threads: as Order has it."""

    parts: MakesParts
    threads: int | None

    def require(self, source: Path) -> None:
        """Raise ClearError where one of them cannot do its part of a film."""

    def make(self, order: Order, cuts: Sequence[tuple[int, int]]) -> Generator[Parcel | None, None, None]:
        """Parcels of `make_segment(order, first, stop)` for all cuts, in any order; None every second or so in which
        nothing comes. Closing it calls off what is not finished."""


def make_segment(order: Order, first: int, stop: int) -> Parcel:
    """What a worker does: frames first <= t < stop, both borders of the film's pieces."""
    if order.threads is not None:
        torch.set_num_threads(order.threads)
    try:
        with tempfile.TemporaryDirectory(prefix="segment_") as folder:
            path, work = Path(folder) / "plan.marks", Work(Path(folder), {})
            path.write_bytes(order.marks)
            with closing(MarksFile(path)) as marks:
                segment = _made(order, marks, work, first, stop)
            names = [name for name in (segment.file, segment.masks) if name]
            return Parcel(segment, {name: (work.folder / name).read_bytes() for name in names})
    except ClearError as error:
        return Parcel(refused=str(error))
    except OSError as error:
        return Parcel(
            refused=f"A worker cannot write to {tempfile.gettempdir()} ({error.strerror or error}). Free some space."
        )
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        return Parcel(memory=True)


def _made(order: Order, marks: MarksFile, work: Work, first: int, stop: int) -> Segment:
    engine, prior = order.parts()
    report, prior = Report(), prior if order.needs_prior else None
    source = Source(order.source)
    cleaning = Cleaning(source, order.plan, marks, engine, prior, order.options, order.limit, order.protect)
    with closing(cleaning.frames(first, report)) as frames:
        return written(islice(frames, stop - first), first, cleaning, order.store, work, report)


def made_elsewhere(
    workers: Workers,
    cleaning: Cleaning,
    store: Store,
    work: Work,
    missing: Sequence[tuple[int, int]],
    on_progress: OnProgress,
) -> Iterator[Segment]:
    """Segments of those cuts as they come, each recorded. Raises ClearError for what a worker cannot do, MemoryError
    where one has too little memory, OSError where the disk does not take a segment."""
    order = Order(
        cleaning.source.path.absolute(),
        cleaning.plan,
        cleaning.marks.path.read_bytes(),
        workers.parts,
        cleaning.prior is not None,
        cleaning.options,
        store,
        cleaning.limit,
        cleaning.protect,
        workers.threads,
    )
    tell = _Told(cleaning, missing, on_progress)
    with closing(workers.make(order, missing)) as parcels:
        for parcel in parcels:
            if parcel is not None:
                yield tell.came(_kept(parcel, work))
            tell()


def _kept(parcel: Parcel, work: Work) -> Segment:
    if parcel.memory:
        raise MemoryError("a worker has too little memory")
    if parcel.segment is None:
        raise ClearError(parcel.refused)
    segment = parcel.segment
    for name, digest in ((segment.file, segment.digest), (segment.masks, segment.masks_digest)):
        if not name:
            continue
        if hashlib.sha256(parcel.files[name]).hexdigest() != digest:
            raise ClearError(f"{name} was damaged on its way from a worker. Run again: what is finished stays.")
        with WholeFile(work.folder / name) as part:
            part.write_bytes(parcel.files[name])
    work.add(segment)
    return segment


class _Told:
    """How far the film is while segments come in any order."""

    def __init__(self, cleaning: Cleaning, missing: Sequence[tuple[int, int]], on_progress: OnProgress):
        self._kinds, self._on_progress = Kinds(cleaning.painted()), on_progress
        self._total = cleaning.total or cleaning.source.facts.frames or missing[-1][1]
        self._done = self._total - sum(stop - first for first, stop in missing)
        whole = self._kinds.weight(0, self._total)
        self._ahead = sum(self._kinds.weight(*one) for one in missing)
        self._whole, self._came, self._begun = whole, 0.0, time.monotonic()

    def came(self, segment: Segment) -> Segment:
        self._done += segment.stop - segment.first
        self._came += self._kinds.weight(segment.first, segment.stop)
        return segment

    def __call__(self) -> None:
        passed = time.monotonic() - self._begun
        ahead = self._ahead - self._came
        left = ahead * passed / self._came if self._came else None
        share = cleaned_share(self._whole - ahead, self._whole)
        self._on_progress(FilmProgress(CLEAN, self._done, self._total, left, share))
