"""What was found in a video and what became of it, in words and as data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from torch import Tensor

from ..errors import ClearError
from ..frames.region import Region
from .finder import Found
from .look import Scales

CLEAR = 0.8
"""How sure the prior must be of a row that stays for it to be named, where others are the subtitle: below, leaves and
folds read as letters for a moment."""
TOGETHER = 6
"""Frames by which the rows of one line may come and go apart."""
SUBTITLE = "subtitle"
"""Why a line goes that behaves like one (which.py): told by its going alone."""
EACH, GIVEN, CHANGED = "each", "given", "changed"
"""What marks frames where nobody looks for text over time: the prior in each by itself, the user's mask, the model."""


@dataclass(frozen=True)
class Line:
    """Rows of text that come and go together. first, stop: frames first <= t < stop. box: left, top, width, height in
    pixels of the source; letter: the height of its letters there. sure: 0..1. why: in words. certain: whether the video
    told; else it was taken for what it is by its place."""

    first: int
    stop: int
    rows: int
    box: tuple[int, int, int, int]
    letter: int
    sure: float
    goes: bool
    why: str
    certain: bool


@dataclass
class Report:
    """Filled by a run: its frames, the lines that were found, and the frames in which something still reads as a line
    after it."""

    frames: int = 0
    lines: list[Line] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What else should be known, a sentence each."""
    looked: bool = True
    """False where nobody looked for text over time: then there is nothing to say about lines."""
    removes: bool = True
    """False where what is found is only marked."""
    by: str = EACH
    """What marked the frames, where nobody did."""
    marked: int = 0
    """In how many something is marked, where nobody did."""

    def tell(self, frames: int, found: list[Found], scales: Scales) -> None:
        self.frames, self.lines = frames, [line for line, _ in lines_of(found, scales)]

    @property
    def named(self) -> list[Line]:
        """The lines that people are told of: those that go, and of the others what clearly reads as text; all of them
        where none goes, for then one may be the subtitle."""
        return [line for line in self.lines if line.goes or line.sure >= CLEAR or not self.removed]

    @property
    def removed(self) -> list[Line]:
        return [line for line in self.lines if line.goes]

    def text(self, fps: float | None = None) -> str:
        """For people. fps: frames per second, for time codes; without, frames are counted from 0."""
        at = lambda first, stop: _stretch(first, stop, fps)
        still = [f"Still to be read after it: {', '.join(at(*one) for one in stretches_of(self.left))}."]
        after = still * bool(self.left) + self.notes
        if not self.looked:
            return "\n".join([self._marked(), *after])
        if not self.removed:
            said = [self._nothing()]
        else:
            there, gaps = self._covered()
            said = [f"Subtitles in {there} of {self.frames} frames."]
            if gaps:
                said[0] += f" Nothing {', '.join(at(*gap) for gap in gaps[:8])}{' ...' if len(gaps) > 8 else ''}."
        for goes in (True, False):
            lines = [line for line in self.named if line.goes == goes]
            said += [self._became(line, at(line.first, line.stop)) for line in lines[:40]]
            said += [f"... and {len(lines) - 40} more"] if len(lines) > 40 else []
        if self.frames == 1:
            said.append("There is a single frame, as of a picture; what comes and goes is seen in a video alone.")
        if faint := len(self.lines) - len(self.named):
            said.append(f"Not named: {faint} that hardly read as text.")
        return "\n".join(said + after)

    def count(self, marks: Tensor) -> None:
        """Of one frame more, what is marked in it [H, W]."""
        self.frames, self.marked = self.frames + 1, self.marked + bool(marks.any())

    def _marked(self) -> str:
        if self.by == GIVEN:
            return f"Replaced in {self.marked} of {self.frames} frames: what the mask subtitle covers."
        if self.by == CHANGED:
            return f"Replaced in {self.marked} of {self.frames} frames: what the model changed."
        return f"Text in {self.marked} of {self.frames} frames, each looked at on its own."

    def _became(self, line: Line, when: str) -> str:
        if not line.goes:
            return f"Left: {when}, {_look(line)}"
        return f"Removed: {when}, {_look(line)}" if self.removes else f"Marked: {when}, {_look(line)}"

    def _nothing(self) -> str:
        """That no line goes, and what can be done: text that was left needs no lower threshold."""
        if self.lines and not self.removes:
            return (
                f"No subtitle was found in {self.frames} frames: the text there is left, for the reasons below. If one "
                "of them is the subtitle: switch subtitles_only off."
            )
        if not self.removes:
            return f"No subtitle was found in {self.frames} frames. If there is one: lower threshold."
        way = "connect a mask that shows where it is to subtitle"
        if not self.lines:
            return f"No subtitle was found in {self.frames} frames. If there is one: lower threshold, or {way}."
        return (
            f"No subtitle was found in {self.frames} frames: the text there is left, for the reasons below. If one of "
            f"them is the subtitle: switch subtitles_only off, or {way}."
        )

    def summary(self) -> str:
        """The first line, and how much was found and left."""
        first = self.text().splitlines()[0]
        uncertain = sum(not line.certain for line in self.removed)
        said = [first] + ([f"{uncertain} by their place alone."] if uncertain else [])
        return " ".join(said + (["Something can still be read: see report."] if self.left else []))

    def json(self) -> str:
        """The same for programs."""
        whole = {
            "frames": self.frames,
            "lines": [asdict(line) for line in self.lines],
            "still_there": [list(one) for one in stretches_of(self.left)],
            "notes": self.notes,
        }
        return json.dumps(whole, ensure_ascii=False)

    def _covered(self) -> tuple[int, list[tuple[int, int]]]:
        """Frames with a subtitle, and the stretches without."""
        there = np.zeros(self.frames, dtype=bool)
        for line in self.removed:
            there[line.first : line.stop] = True
        return int(there.sum()), stretches_of(np.flatnonzero(~there).tolist())


def lines_from(text: str) -> list[Line]:
    """The lines of a report that was written by `json`. Raises ClearError for a text that is none."""
    try:
        told = json.loads(text)["lines"]
        return [Line(**{**one, "box": tuple(one["box"])}) for one in told]
    except (ValueError, TypeError, KeyError) as error:
        raise ClearError(
            "This is no report of a removal. Connect report_json of Remove Subtitles, or leave it unconnected."
        ) from error


def least_sure(lines: Sequence[Line]) -> int | None:
    """The middle frame of the line that was removed with the least certainty; None where none was."""
    removed = [line for line in lines if line.goes]
    if not removed:
        return None
    doubtful = min(removed, key=lambda line: (line.certain, line.sure))
    return (doubtful.first + doubtful.stop - 1) // 2


def lines_of(found: list[Found], scales: Scales) -> list[tuple[Line, list[Found]]]:
    """Rows that come and go together, as lines, in order of time; and the rows of each."""
    groups: list[list[Found]] = []
    for one in sorted(found, key=lambda one: (one.track.first, one.track.region.top)):
        same = next((group for group in groups if _together(group[0], one)), None)
        groups.append([one]) if same is None else same.append(one)
    return [(_line(group, scales), group) for group in groups]


def _together(a: Found, b: Found) -> bool:
    apart = max(abs(a.track.first - b.track.first), abs(a.track.stop - b.track.stop))
    tall = max(a.track.letter, b.track.letter)
    below = max(a.track.region.top, b.track.region.top) - min(a.track.region.bottom, b.track.region.bottom)
    return a.verdict == b.verdict and apart <= TOGETHER and below <= 2 * tall


def _line(group: list[Found], scales: Scales) -> Line:
    tracks = [one.track for one in group]
    region = tracks[0].covered
    for track in tracks[1:]:
        region = region.joined(track.covered)
    ratio = scales.source[0] / scales.fine[0]
    left, top, width, height = (round(side * ratio) for side in (region.left, region.top, region.width, region.height))
    return Line(
        min(track.first for track in tracks),
        max(track.stop for track in tracks),
        _rows(tracks),
        (left, top, width, height),
        max(1, round(float(np.median([track.letter for track in tracks])) * ratio)),
        round(min(track.sure for track in tracks), 2),
        group[0].verdict.goes,
        group[0].verdict.why,
        group[0].verdict.certain,
    )


def _rows(tracks) -> int:
    """How many rows stand above one another: words beside one another are one."""
    levels: list[Region] = []
    for region in sorted((track.region for track in tracks), key=lambda region: region.top):
        middle = region.top + region.height / 2
        if not levels or middle > levels[-1].bottom:
            levels.append(region)
    return len(levels)


def _look(line: Line) -> str:
    left, top, width, height = line.box
    rows = "1 row" if line.rows == 1 else f"{line.rows} rows"
    why = "" if line.why == SUBTITLE else f"; {line.why}"
    return f"{rows}, letters of {line.letter} px, {width}x{height} at {left},{top}, {line.sure:.0%} sure{why}"


def _stretch(first: int, stop: int, fps: float | None) -> str:
    if fps is None:
        return f"frame {first}" if stop == first + 1 else f"frames {first}-{stop - 1}"
    return f"{_time(first / fps)}-{_time(stop / fps)}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def stretches_of(frames: list[int]) -> list[tuple[int, int]]:
    """Frame numbers in order -> first and stop of those that follow one another."""
    out: list[tuple[int, int]] = []
    for t in frames:
        if out and out[-1][1] == t:
            out[-1] = out[-1][0], t + 1
        else:
            out.append((t, t + 1))
    return out
