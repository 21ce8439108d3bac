"""What counts as a subtitle: from frames and a prior to marks. There is no second way.

The remover, the masks that are shown and the trainer's cache all call `find_text`, `marked` or `marks_of`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..frames.region import Region
from .finder import BATCH, RULES, Finder, Found, OnLook, OnSeen
from .look import Looker, Scales
from .options import ADD, AUTO_GROW, MarkOptions
from .pace import Pace
from .place import Place
from .report import Report
from .rows import rows_of
from .rules import Rules
from .shape import Letters, at_source, letters_of
from .spans import Span, spans_of
from .spool import Spool
from .track import Track

Prior = Callable[[Tensor], Tensor]
"""Frames [T, H, W, 3] -> soft masks [T, H, W] in 0..1 on the CPU."""
Frames = Iterable[Tensor]
OnBatch = Callable[[int], None]
ALONE_GROW = 2
"""Pixels by which rows are widened where frames are looked at on their own, and none can be compared."""
HORIZON = 96
"""Frames that a stream is held for, to know what comes after: four seconds."""


class Marked(NamedTuple):
    """A frame [H, W, 3] as it came, how sure the prior is of each pixel [H, W] in 0..1 (None where nobody asked), and
    what of it counts [H, W] bool, widened as the options say."""

    frame: Tensor
    soft: Tensor | None
    marks: Tensor


@dataclass(eq=False)
class Finding:
    """The text of a video, or of what has been seen of it. lenient: what only time and place speak against goes too."""

    finder: Finder
    options: MarkOptions
    lenient: bool = False
    found: list[Found] = field(default_factory=list)
    _letters: dict[Track, tuple[Letters, tuple[Region, Tensor] | None]] = field(default_factory=dict)
    _times: tuple[np.ndarray, list[Found]] = field(default_factory=lambda: (np.zeros((0, 2)), []))

    def judge(self) -> Finding:
        """Decide by what has been seen so far."""
        self.found = self.finder.judge()
        going = [one for one in self.found if self.goes(one)]
        self._times = np.array([(one.track.first, one.track.stop) for one in going]).reshape(-1, 2), going
        return self

    def tell(self, report: Report) -> None:
        """Write down what was found."""
        if self.finder.count:
            report.tell(self.finder.count, self.found, self.finder.scales)

    def spans(self) -> Iterator[Span]:
        """Where in time and place there is a subtitle, small enough to keep for a whole film."""
        return spans_of(self.marks(t) for t in range(self.finder.count))

    def goes(self, one: Found) -> bool:
        return one.verdict.goes or (self.lenient and not one.verdict.moves)

    def marks(self, t: int) -> Tensor:
        """What of frame t goes, [H, W] bool."""
        out = torch.zeros(self.finder.scales.source, dtype=torch.bool)
        times, going = self._times
        for i in np.flatnonzero((times[:, 0] <= t) & (t < times[:, 1])):
            self._mark(out, going[i], t)
        if self.finder.place is not None and self.options.subtitle_use == ADD:
            out |= self.finder.place.of(t)
        return out

    def line(self, rows: Sequence[Found]) -> Iterator[Span]:
        """Where some rows are, whether they go or not; a stretch of frames after the other."""
        first, stop = min(one.track.first for one in rows), max(one.track.stop for one in rows)
        marks = (self._marks_of(rows, t) for t in range(first, stop))
        return (span.later(first) for span in spans_of(marks))

    def _marks_of(self, rows: Sequence[Found], t: int) -> Tensor:
        out = torch.zeros(self.finder.scales.source, dtype=torch.bool)
        for one in rows:
            if one.track.first <= t < one.track.stop:
                self._mark(out, one, t)
        return out

    def _mark(self, out: Tensor, one: Found, t: int) -> None:
        place, letters = self._part(one, t)
        place.of(out[None])[0] |= letters
        if t == one.track.stop - 1:  # what is past takes no memory
            self._letters.pop(one.track, None)

    def soft(self, t: int) -> Tensor:
        """How sure the prior is of each pixel of frame t [H, W] in 0..1; the finder must have kept it."""
        return _to_source(torch.from_numpy(self.finder.soft[t]).float() / 255, self.finder.scales)

    def over(self, frames: Frames) -> Iterator[tuple[Tensor, Tensor]]:
        """(frame, its marks) of the same frames once more."""
        return ((frame, self.marks(t)) for t, frame in enumerate(frames))

    def _part(self, one: Found, t: int) -> tuple[Region, Tensor]:
        """The letters of a row in frame t, in their rectangle of the source."""
        way = next((look.row for look in one.track.passing if look.t == t), None)
        if way is not None:
            return at_source(way.marks, way.region, self.finder.scales, self.reach(one))
        letters, part = self._letters.get(one.track, (None, None))
        if letters is None or letters.looks != len(one.track.looks):
            letters, part = Letters(one.track, self.finder.every), None
        now, same = letters.at(t)
        if part is None or not same:
            part = at_source(now, one.track.region, self.finder.scales, self.reach(one))
        self._letters[one.track] = letters, part
        return part

    def reach(self, one: Found) -> int:
        """By how many pixels of the source a row's marks are widened."""
        if self.options.grow != AUTO_GROW:
            return self.options.grow
        ratio = max(self.finder.scales.source) / max(self.finder.scales.fine)
        return round(one.track.growth * ratio + 0.25)


def find_text(
    frames: Frames,
    prior: Prior,
    options: MarkOptions = MarkOptions(),
    subtitle: Tensor | None = None,
    lenient: bool = False,
    with_soft: bool = False,
    on_batch: OnBatch = lambda frames: None,
    spool: Spool | None = None,
    looks: Path | None = None,
    on_seen: OnSeen = lambda frame, soft: None,
    rules: Rules = RULES,
    on_look: OnLook = lambda t, soft: None,
) -> Finding:
    """The first pass over a video of any length, frames [H, W, 3] in 0..1: its text, and what of it is subtitle.

    subtitle: [T, H, W] or [1, H, W], where the user says that there is one. lenient: keep what only time and place
    speak against. A trainer's cache wants these holes too: a line of four frames, or one in a corner of a crop, is
    still a subtitle to be painted over. with_soft: look at every frame, and hold what was seen. on_batch is called with
    the number of frames that have been looked at. spool: for the masks of rows; with one, memory hardly grows with
    the video. looks: a file in which what the prior sees is kept for a pass that goes on after a stop; of the same
    frames, prior and options. on_seen is shown, before on_batch is called, the frame of the batch with most text.
    rules: by which text is found. on_look is told what was seen in each frame that the prior looked at.
    """
    finding = Finding(_finder(prior, options, subtitle, with_soft, on_batch, spool, looks, rules), options, lenient)
    finding.finder.on_seen, finding.finder.on_look = on_seen, on_look
    for frame in frames:
        finding.finder.see(frame)
    finding.finder.finish()
    return finding.judge()


def marked(
    frames: Frames,
    prior: Prior,
    options: MarkOptions = MarkOptions(),
    subtitle: Tensor | None = None,
    lenient: bool = False,
    with_soft: bool = False,
    on_batch: OnBatch = lambda frames: None,
    report: Report | None = None,
    rules: Rules = RULES,
) -> Iterator[Marked]:
    """What counts in each frame, as `find_text` finds it; frames come back as they are. report is told what was found.

    Frames that can be gone through twice (a list, a tensor) are; then all of the video is known when a row is judged. A
    stream is held for HORIZON frames, and judged by what has come until then.
    """
    report = report or Report()
    if not options.subtitles_only:
        report.looked = False
        for one in _each_alone(frames, prior, options, subtitle, with_soft, on_batch):
            report.count(one.marks)
            yield one
        return
    finding = Finding(_finder(prior, options, subtitle, with_soft, on_batch, rules=rules), options, lenient)
    if iter(frames) is not frames:
        for frame in frames:
            finding.finder.see(frame)
        finding.finder.finish()
        finding.judge().tell(report)
        for t, frame in enumerate(frames):
            yield _of(finding, t, frame, with_soft)
    else:
        yield from _streamed(frames, finding, with_soft)
        finding.tell(report)


def marks_of(
    frames: Tensor, prior: Prior, options: MarkOptions = MarkOptions(), lenient: bool = False
) -> tuple[Tensor, Tensor]:
    """A whole clip [T, H, W, 3] -> (soft masks [T, H, W] in 0..1, what counts [T, H, W] bool)."""
    if not len(frames):
        return torch.zeros(frames.shape[:3]), torch.zeros(frames.shape[:3], dtype=torch.bool)
    found = list(marked(frames, prior, options, lenient=lenient, with_soft=True))
    return torch.stack([one.soft for one in found]), torch.stack([one.marks for one in found])


def _finder(
    prior,
    options: MarkOptions,
    subtitle: Tensor | None,
    with_soft: bool,
    on_batch,
    spool: Spool | None = None,
    looks: Path | None = None,
    rules: Rules = RULES,
) -> Finder:
    place = None if subtitle is None else Place(subtitle)
    every = 1 if with_soft else 0
    pace = Pace(options.fps)
    return Finder(prior, options.threshold, pace, every, place, on_batch, with_soft, spool, looks, rules=rules)


def _of(finding: Finding, t: int, frame: Tensor, with_soft: bool) -> Marked:
    return Marked(frame, finding.soft(t) if with_soft else None, finding.marks(t))


def _streamed(frames: Iterator[Tensor], finding: Finding, with_soft: bool) -> Iterator[Marked]:
    held: deque[Tensor] = deque()
    first, finder = 0, finding.finder
    for frame in frames:
        held.append(frame)
        before = finder.seen
        finder.see(frame)
        if finder.seen == before or finder.seen - first <= HORIZON:
            continue
        finding.judge()
        while finder.seen - first > HORIZON:
            yield _of(finding, first, held.popleft(), with_soft)
            finder.soft.pop(first, None)
            first += 1
    finder.finish()
    finding.judge()
    for t, frame in enumerate(held, first):
        yield _of(finding, t, frame, with_soft)


def _each_alone(frames: Frames, prior, options: MarkOptions, subtitle, with_soft: bool, on_batch) -> Iterator[Marked]:
    """All text of every frame by itself, whatever its neighbours show."""
    looker, grow = None, ALONE_GROW if options.grow == AUTO_GROW else options.grow
    for t, frame in enumerate(frames):
        if looker is None:
            scales = Scales.of(frame.shape[0], frame.shape[1], getattr(prior, "long_side", None))
            looker = Looker(prior, scales)
        if t % BATCH == 0:
            on_batch(t)
        soft = looker([frame])[0]
        marks = torch.zeros(scales.source, dtype=torch.bool)
        for row in rows_of(soft, options.threshold, RULES.rows):
            if row.peak <= options.threshold:
                continue
            place, letters = at_source(letters_of(row.soft), row.region, scales, grow)
            place.of(marks[None])[0] |= letters
        if subtitle is not None and options.subtitle_use == ADD:
            marks |= Place(subtitle).of(t)
        yield Marked(frame, _to_source(torch.from_numpy(soft).float() / 255, scales) if with_soft else None, marks)


def _to_source(soft: Tensor, scales: Scales) -> Tensor:
    if tuple(soft.shape) == scales.source:
        return soft
    return torch.nn.functional.interpolate(soft[None, None], scales.source, mode="bilinear", antialias=True)[0, 0]
