"""File to file: a film of any length without its subtitles, in memory that is bounded by a window. Start reading here.

    look     (look.py)   film -> a plan: lines of text, when and where, and which of them go; on disk
    clean    (clean.py)  film and plan -> frames, of which those alone are painted that have something to remove
    segments (work.py)   so many frames at a time are encoded and kept, here or by others (elsewhere.py); after a stop
                         those alone are made that are missing
    join     (finish.py) segments -> the result, with everything else that the source has

A run that was stopped at any moment gives the file that it would have given: what is decided is on disk, a window sees
the same frames wherever it begins, the noise of a frame depends on its number alone, and a segment's encoder knows
nothing of the others.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..atomic import WholeFile
from ..engines.engine import Engine
from ..engines.plain_fill import PlainFill
from ..errors import ClearError
from ..fill.flow import OpticalFlow
from ..find.marks import Prior
from ..find.options import ONLY
from ..find.report import CHANGED, EACH, Report
from ..media.groups import Packets, among
from ..media.video import STILL_CODECS
from ..options import PREVIEW, RAW, RemoveOptions
from ..presets import Resolved, resolved
from ..windowed import Areas
from . import plan as plans
from .clean import Cleaning, out_of_memory
from .copying import copied_parts, is_copied, is_whole, original_packets, some_pass
from .elsewhere import Workers
from .estimate import cost_of, require_room
from .finish import join_all, name_masks
from .identity import file_digest, file_identity, mask_identity, same_file
from .look import Looking, look
from .marks_file import MarksFile
from .options import RemoveFilmOptions
from .output import masks_of, saved_plan
from .plan import Plan, marks_file
from .progress import CLEAN, LOOK, LOOKING, FilmProgress, OnProgress
from .segments import all_segments
from .source import Source
from .store import Store
from .trial import rates
from .work import Work, opened

log = logging.getLogger(__name__)

EDITION = 8
"""Of what is kept of a run: what another edition has kept is no part of this one's."""


@dataclass(frozen=True)
class Job:
    """A film to clean. work: the folder for what is not whole yet. target: says, when the film is whole, which file it
    becomes; never one that is there. engine, prior, limit, protect, subtitle, optical_flow: as pipeline.remove takes
    them. weights: a word for each part of engine, prior and flow, which changes when its weights do. plan: to go by,
    instead of looking. metadata: written into the result. masks: which file the video of masks becomes, given the
    result's, where the store is asked for one; never one that is there. workers: other processes or machines that
    make the segments; they have no optical_flow."""

    source: Path
    work: Path
    target: Callable[[], Path]
    engine: Engine | None
    prior: Prior | None
    options: RemoveFilmOptions = field(default_factory=RemoveFilmOptions)
    store: Store = field(default_factory=Store)
    limit: Tensor | None = None
    protect: Tensor | None = None
    subtitle: Tensor | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
    plan: Path | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    masks: Callable[[Path], Path] = masks_of
    optical_flow: OpticalFlow | None = None
    workers: Workers | None = None


@dataclass(frozen=True)
class Cleaned:
    """What was done with a film. plan: the file beside the result; masks: the video of what was replaced, where it was
    asked for. changed: frames in which something was replaced; copied: those that are the source's own packets.
    fps: frames per second. seconds: of work. notes: what else is to be known of the run, in words."""

    source: str
    output: str
    plan: str
    masks: str | None
    frames: int
    changed: int
    width: int
    height: int
    fps: float
    seconds: float
    notes: list[str]
    copied: int = 0


def clean(job: Job, on_progress: OnProgress = lambda now: None, report: Report | None = None) -> Cleaned:
    """Write a film without its subtitles: as many frames, of the same size, at the same times, with all else that the
    source has. What on_progress raises ends the run; what is finished by then is in `job.work`, and the next run of the
    same job goes on from there. report is told what was found.

    Raises ClearError, before any long work wherever that can be known.
    """
    if job.options.remove.output.output != PREVIEW and job.engine is None:
        raise ClearError("There is nothing to paint with: give an engine (a model and a VAE).")
    source, begun, report = _opened(job), time.monotonic(), report or Report()
    if job.workers is not None:
        job.workers.require(job.source)
    with opened(job.work, identity(job)) as work:
        job, jumps = _steadied(job)
        plan = plan_of(job, source, work, on_progress)
        _tell(report, plan, job)
        require_room(work.folder, job.source.stat().st_size, sum(path.stat().st_size for path in work.folder.iterdir()))
        with closing(MarksFile(marks_file(work.plan))) as marks:
            cleaning = _cleaning(job, source, plan, marks)
            originals, store, copied, losses = _copying(job, source, cleaning)
            cost = _cost(job, source, plan, cleaning, copied)
            log.info("%s", cost)
            on_progress(FilmProgress(CLEAN, 0, cleaning.total, share=LOOKING, note=cost))
            for loss in (*job.store.losses(source), *losses):
                work.note(loss)
            segments = all_segments(cleaning, store, work, on_progress, job.workers, originals)
        report.frames, report.left = segments[-1].stop, [t for one in segments for t in one.left]
        report.marked = sum(one.changed for one in segments)
        if report.frames == 1 and source.facts.codec in STILL_CODECS:
            work.note(
                f"{source.path.name} is a picture: the result is a film of one frame. For pictures use Load Image with "
                "Remove Subtitles."
            )
        target = work.joined
        if target is None:
            target = job.target()
            masks = job.masks(target) if job.store.masks else None
            join_all(work, segments, store, job.source, target, masks, job.metadata, on_progress)
        if job.store.masks:
            name_masks(work, job.masks(target))
        work.clear()
    return Cleaned(
        str(job.source),
        str(target),
        str(saved_plan(target)),
        str(job.masks(target)) if job.store.masks else None,
        segments[-1].stop,
        sum(one.changed for one in segments),
        source.facts.width,
        source.facts.height,
        float(source.facts.fps),
        round(time.monotonic() - begun, 2),
        [*jumps, *work.notes, *source.damage],
        sum(one.stop - one.first for one in segments if is_copied(one)),
    )


def make_plan(job: Job, path: Path, on_progress: OnProgress = lambda now: None, report: Report | None = None) -> str:
    """Look at a film and write its plan alone; returns what the run would take, in words. Raises ClearError."""
    source, report = _opened(job), report or Report()
    job, report.notes = _steadied(job)
    plan = _looked(job, source, path, on_progress)
    _tell(report, plan, job)
    with closing(MarksFile(marks_file(path))) as marks:
        cleaning = _cleaning(job, source, plan, marks)
        copied, losses = _copying(job, source, cleaning)[2:]
        report.notes = [*report.notes, *losses]
        return _cost(job, source, plan, cleaning, copied, _rates(cleaning, job.store, path.parent))


def _opened(job: Job) -> Source:
    """The film, whose frames the masks fit, and which can be cleaned and stored as it is asked for."""
    _settings(job)
    source = Source(job.source)
    Areas(job.limit, job.protect, job.subtitle).check(source.size)
    job.store.chosen(source)
    return source


def _settings(job: Job) -> Resolved:
    """What is asked for, with nothing left open. Raises ClearError for what the engine cannot do."""
    return resolved(job.options.remove, (job.engine or PlainFill()).needs)


def _steadied(job: Job) -> tuple[Job, list[str]]:
    """The job with masks that do not jump, and what there was of these, in words."""
    areas, notes = Areas(job.limit, job.protect, job.subtitle).steadied(job.options.remove.output.mask_jumps)
    return replace(job, protect=areas.protect, subtitle=areas.subtitle), notes


def _rates(cleaning: Cleaning, store: Store, folder: Path) -> tuple[float, float] | None:
    """What a trial says of the time; nothing where memory is too short for one, for a run has smaller windows."""
    try:
        return rates(cleaning, store, folder)
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        return None


def identity(job: Job) -> dict[str, Any]:
    """All that the result depends on."""
    return {
        "edition": EDITION,
        "source": file_identity(job.source),
        **settings_of(job),
        "plan": None if job.plan is None else _digest(job.plan),
    }


def settings_of(job: Job) -> dict[str, Any]:
    """What the result depends on beside the film and a plan that was given."""
    return {
        "options": asdict(job.options),
        "encoding": asdict(job.store),
        "weights": dict(job.weights),
        "masks": {name: mask_identity(getattr(job, name)) for name in ("limit", "protect", "subtitle")},
    }


def _digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise ClearError(f"The plan {path} cannot be read ({error.strerror or error}). Check the name.") from error


def plan_of(job: Job, source: Source, work: Work, on_progress: OnProgress) -> Plan:
    """The plan that was given, or was found by a run before, or is found now; in the run's folder from then on."""
    if not work.plan.exists():
        if job.plan is None:
            plan = _looked(job, source, work.plan, on_progress, work.looks)
            work.looks.unlink(missing_ok=True)
            return plan
        _take_plan(job.plan, work.plan)
    with closing(MarksFile(marks_file(work.plan))) as marks:
        plan = plans.read(work.plan, marks.clock(), source.size)
    if not same_file(plan.source, work.identity["source"]):
        raise ClearError(
            f"The plan is of another film, {plan.source.get('name')}. Give the one of {job.source.name}, or none."
        )
    return plan


def _take_plan(given: Path, to: Path) -> None:
    try:
        # the plan last: then all of it is there
        for path, place in ((plans.marks_of(given), marks_file(to)), (given, to)):
            with WholeFile(place) as part:
                shutil.copyfile(path, part)
    except OSError as error:
        raise ClearError(
            f"The plan {given.name} and its {plans.marks_of(given).name} beside it cannot be copied "
            f"({error.strerror or error}). Lay both into one folder."
        ) from error


def _looked(job: Job, source: Source, path: Path, on_progress: OnProgress, looks: Path | None = None) -> Plan:
    options, settings = job.options, _settings(job)
    only = job.subtitle is not None and options.remove.marking.subtitle_use == ONLY
    wanted = settings.needs_prior and not only
    if wanted and job.prior is None:
        raise ClearError("These settings need a subtitle prior, and none was given.")
    start, end = options.film.times
    looking = Looking(
        options.remove.marking,
        job.prior if wanted else None,
        job.subtitle,
        start,
        end,
        options.film.region(*source.size),
        settings.differs or options.remove.output.output == RAW,
        options.film.scene_cuts,
        looks,
    )
    begun, total = time.monotonic(), source.facts.frames

    def on_looked(frames: int, seen: Tensor | None = None) -> None:
        each = (time.monotonic() - begun) / max(1, frames)
        left = None if total is None or not frames else each * max(0, total - frames)
        share = None if total is None else LOOKING * min(1.0, frames / total)
        on_progress(FilmProgress(LOOK, frames, total, left, share, seen))

    expected = cost_of(source.size, total, job.source.stat().st_size, options.remove).text()
    log.info("%s", expected)
    on_progress(FilmProgress(LOOK, 0, total, share=0.0, note=expected))
    return look(source, looking, path, file_identity(job.source), settings_of(job), on_looked)


def _cleaning(job: Job, source: Source, plan: Plan, marks: MarksFile) -> Cleaning:
    area, limit = job.options.film.region(*source.size), job.limit
    if area is not None:
        inside = torch.zeros(1, *source.size)
        area.of(inside)[:] = 1
        limit = inside if limit is None else limit * inside
    options: RemoveOptions = job.options.remove
    only = job.subtitle is not None and options.marking.subtitle_use == ONLY
    prior = None if only or not _settings(job).needs_prior else job.prior
    return Cleaning(source, plan, marks, job.engine, prior, options, limit, job.protect, job.optical_flow)


def _copying(job: Job, source: Source, cleaning: Cleaning) -> tuple[Packets | None, Store, int, list[str]]:
    """The film's own packets, if some of them are to be taken over; how the rest is stored then; how many frames are
    taken over; and in words why none can be."""
    if not job.options.film.copy_unchanged:
        return None, job.store, 0, []
    packets, why = original_packets(source, job.store)
    parts = copied_parts(cleaning, packets)
    copied = sum(part.stop - part.first for part in parts)
    if packets is None or not copied or (why and not is_whole(parts)):
        name = source.path.name
        told = [f"Nothing of {name} is copied, for {why}: what nobody touched is encoded anew too."]
        return None, job.store, 0, told if why and some_pass(cleaning) else []
    return packets, replace(job.store, among=among(packets, job.store.container.lower()) or ""), copied, []


def _cost(
    job: Job, source: Source, plan: Plan, cleaning: Cleaning, copied: int, rates: tuple[float, float] | None = None
) -> str:
    painted = sum(stop - first for first, stop in cleaning.painted())
    size = job.source.stat().st_size
    frames = cleaning.total or source.facts.frames
    return cost_of(source.size, frames, size, job.options.remove, plan, painted, rates, copied).text()


def _tell(report: Report, plan: Plan, job: Job) -> None:
    report.frames, report.lines = plan.stop, [plans.reported(line) for line in plan.lines]
    by_model = plan.everything and not plan.lines
    report.looked = job.options.remove.marking.subtitles_only and not by_model
    report.by = CHANGED if by_model else EACH
