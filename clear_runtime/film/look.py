"""The first pass over a film: its text, and what of it goes, as a plan on disk.

Memory holds what is at hand: rows of text that are past lie in a file, and the marks of each line go to disk as soon as
they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..atomic import WholeFile
from ..errors import ClearError
from ..find.finder import BATCH, OnLook
from ..find.look import resized
from ..find.marks import Marked, Prior, find_text, marked
from ..find.options import ADD, ONLY, MarkOptions
from ..find.place import Place
from ..find.report import lines_of
from ..find.spans import LONGEST, Span, spans_of
from ..find.spool import Spool
from ..frames.parallel import one_ahead
from ..frames.region import Region, bounds
from ..media.pictures import overlay
from . import plan as plans
from .marks_file import MarksWriter
from .plan import Plan, PlannedLine, marks_file
from .source import Source
from .timecode import MILLION, Clock

OnLooked = Callable[[int, Tensor | None], None]
"""Told how many frames were looked at, and shown a small one [h, w, 3] of them with its text marked."""
SHOWN = 640
"""Pixels of its longer side at most."""


@dataclass(frozen=True)
class Looking:
    """What a film is looked at with. marking, prior, subtitle: as `pipeline.remove` takes them; prior None where
    nothing needs one. start, end: seconds. area: outside of which no line goes. everything: whether all of the frames
    are worked on, whatever text there is. looks: a file for what the prior has seen, from which a pass that was stopped
    goes on. on_look: told what the prior has seen in each frame that it looked at."""

    marking: MarkOptions
    prior: Prior | None
    subtitle: Tensor | None = None
    start: Fraction | None = None
    end: Fraction | None = None
    area: Region | None = None
    everything: bool = False
    scene_cuts: bool = True
    looks: Path | None = None
    on_look: OnLook = lambda t, soft: None


def look(
    source: Source, looking: Looking, path: Path, about: dict[str, Any], settings: dict[str, Any], on_looked: OnLooked
) -> Plan:
    """Look at a film, and write its plan to `path` and the marks beside it. about: the film's identity. settings: what
    the plan depends on. on_looked may raise to stop.

    Raises ClearError for a film that cannot be read, for times that it does not have, and for a full disk.
    """
    taken = _Taken(source, looking.start, looking.end)
    try:
        with WholeFile(marks_file(path)) as part:
            with MarksWriter(part) as marks:
                shots, lines = _found(taken, looking, marks, path.parent, on_looked)
                clock = taken.clock()
                marks.add_times(clock)
    except OSError as error:
        raise ClearError(
            f"There is no room for what is found ({error.strerror or error}) in {path.parent}. Free some space there."
        ) from error
    found = Plan(
        about, settings, clock.first, clock.first + len(clock.times) - 1, taken.all, shots, lines, looking.everything
    )
    plans.write(path, found, clock)
    return found


class _Taken:
    """The frames between two times, as often as they are gone through, each time from the film's beginning; and their
    numbers and times."""

    def __init__(self, source: Source, start: Fraction | None, end: Fraction | None):
        self.source, self.start, self.end = source, start, end
        self.first, self.all = 0, False
        self.times: list[int] = []

    def __iter__(self) -> Iterator[Tensor]:
        with closing(one_ahead(self._frames())) as frames:
            yield from frames

    def _frames(self) -> Generator[Tensor, None, None]:
        self.first, self.times, ended = 0, [], False
        with closing(self.source.frames()) as frames:
            for shown in frames:
                if self.start is not None and shown.time < self.start:
                    self.first = shown.number + 1
                    continue
                if ended := self.end is not None and shown.time >= self.end:
                    break
                self.times.append(round(shown.time * MILLION))
                yield shown.pixels
        self.all = not (self.first or ended)
        if not self.times:
            raise ClearError(
                f"{self.source.path.name} has no frame between start and end. Look at its length, and choose others."
            )

    def clock(self) -> Clock:
        last = round(MILLION / self.source.facts.fps)
        return Clock(np.array([*self.times, self.times[-1] + last], dtype=np.int64), self.first)


class _Seen:
    """What is shown of what has been seen: the newest frame, with its text marked."""

    picture: Tensor | None = None

    def __call__(self, frame: Tensor, soft: np.ndarray) -> None:
        height, width = frame.shape[:2]
        ratio = min(1.0, SHOWN / max(height, width))
        size = max(1, round(height * ratio)), max(1, round(width * ratio))
        text = resized(torch.from_numpy(soft.astype(np.float32))[..., None] / 255, size)[..., 0]
        self.picture = overlay(resized(frame, size)[None], text[None])[0]

    def marks_of(self, each: Iterable[Marked]) -> Iterator[Tensor]:
        """The marks of frames, of which the first of each batch is shown."""
        for n, one in enumerate(each):
            if n % BATCH == 0:
                self(one.frame, one.marks.byte().mul(255).numpy())
            yield one.marks


def _found(
    taken: _Taken, looking: Looking, marks: MarksWriter, folder: Path, on_looked: OnLooked
) -> tuple[list[int], list[PlannedLine]]:
    """(shots, lines) of the frames, both by the film's own numbers."""
    marking, subtitle = looking.marking, looking.subtitle
    if not marking.fps:
        marking = replace(marking, fps=float(taken.source.facts.fps))
    own = subtitle is not None and marking.subtitle_use in (ADD, ONLY)
    only = subtitle is not None and marking.subtitle_use == ONLY
    shots: list[int] = []
    lines: list[PlannedLine] = []
    seen = _Seen()
    on_batch = lambda frames: on_looked(frames, seen.picture)
    if looking.prior is None or only:
        for n, _ in enumerate(taken):
            on_looked(n + 1, None)
    elif marking.subtitles_only:
        looked_at = replace(marking, subtitle_use=ADD) if own else marking
        finding = find_text(
            taken,
            looking.prior,
            looked_at,
            None if own else subtitle,
            on_batch=on_batch,
            spool=Spool(folder),
            looks=looking.looks,
            on_seen=seen,
            on_look=looking.on_look,
        )
        for n, (line, rows) in enumerate(lines_of(finding.found, finding.finder.scales)):
            marks.add(n, (span.later(taken.first) for span in finding.line(rows)))
            lines.append(plans.planned(line, taken.first, n))
        shots = [taken.first + shot for shot in finding.finder.shots] if looking.scene_cuts else []
    else:
        each = marked(iter(taken), looking.prior, marking, on_batch=on_batch)
        lines = list(_lines_of(spans_of(seen.marks_of(each)), marks, 0, "text", taken))
    lines = [_within(line, looking.area) for line in lines]
    if own:
        lines += _lines_of(_spans_of_mask(subtitle, taken), marks, len(lines), "asked for", None)
    return shots, lines


def _lines_of(
    spans: Iterable[Span], marks: MarksWriter, number: int, why: str, taken: _Taken | None
) -> Iterator[PlannedLine]:
    """A line for each stretch; their numbers begin with `number`. taken: whose first frame the stretches count from."""
    for n, span in enumerate(spans, number):
        placed = span if taken is None else span.later(taken.first)
        marks.add(n, [placed])
        yield PlannedLine(placed.first, placed.stop, placed.region, True, n, {"why": why})


def _spans_of_mask(subtitle: Tensor, taken: _Taken) -> Iterator[Span]:
    """The user's mask over the frames that were taken, by the film's own numbers."""
    place, stop = Place(subtitle), taken.first + len(taken.times)
    if len(subtitle) > 1:
        yield from (span.later(taken.first) for span in spans_of(place.of(t) for t in range(taken.first, stop)))
        return
    region = bounds(place.of(0)[None])
    if region is None:
        return
    packed = np.packbits(region.of(place.of(0)[None]).flatten(1).numpy(), axis=1)
    for first in range(taken.first, stop, LONGEST):
        last = min(stop, first + LONGEST)
        yield Span(first, last, region, np.broadcast_to(packed, (last - first, packed.shape[1])))


def _within(line: PlannedLine, area: Region | None) -> PlannedLine:
    """The line; one that lies outside of the area for the most part stays."""
    if area is None or not line.remove:
        return line
    at = line.region
    down, right = (
        min(area.bottom, at.bottom) - max(area.top, at.top),
        min(area.right, at.right) - max(area.left, at.left),
    )
    if 2 * max(0, down) * max(0, right) >= at.height * at.width:
        return line
    return replace(line, remove=False, known={**line.known, "why": "outside of the area"})
