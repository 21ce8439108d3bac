"""What shall be done with a film: its lines of text, when and where, and which of them go. A JSON file that a person
can read, edit and give back, and beside it a file with the marks (marks_file.py).

What may be edited of a line: "remove"; "from" and "to", where frames beyond those it was seen in get the nearest one's
marks; "box" [left, top, width, height], outside of which its marks do not count. A line without "marks" takes all of
its box. Lines may be added and taken out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..atomic import write_text
from ..errors import ClearError
from ..find.report import SUBTITLE, Line
from ..frames.region import Region
from .timecode import Clock, seconds_of, timecode

EDITION = 1
ABOUT = (
    'Lines of text in the film. Set "remove" of one to true or false; move "from" and "to"; narrow its "box" [left, '
    'top, width, height in pixels]. A line without "marks" takes all of its box. Give the file back as the plan.'
)


@dataclass(frozen=True)
class PlannedLine:
    """A line of text in frames first <= t < stop. marks: its number in the file of marks; None for all of the region.
    known: what else was found of it, for the reader."""

    first: int
    stop: int
    region: Region
    remove: bool
    marks: int | None = None
    known: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A film's lines, in order of time. source: what the film was (identity.py), settings: what was asked of the
    finder. shots: frames with which one begins. first, stop: frames that were looked at; all: whether these are all of
    the film's. Every line's frames are among them. everything: whether all of these are worked on, whatever text there
    is."""

    source: dict[str, Any]
    settings: dict[str, Any]
    first: int
    stop: int
    all: bool
    shots: list[int]
    lines: list[PlannedLine]
    everything: bool = False

    @property
    def removed(self) -> list[PlannedLine]:
        return [line for line in self.lines if line.remove]

    def texts(self) -> list[tuple[int, int]]:
        """First and stop of the stretches with something to remove, in order; they share no frame."""
        if self.everything:
            return [(self.first, self.stop)]
        out: list[tuple[int, int]] = []
        for line in sorted(self.removed, key=lambda line: line.first):
            if out and line.first <= out[-1][1]:
                out[-1] = out[-1][0], max(out[-1][1], line.stop)
            else:
                out.append((line.first, line.stop))
        return out


def reported(line: PlannedLine) -> Line:
    """The line as a report has it."""
    at, known = line.region, line.known
    why = known.get("why", "asked for")
    if why == SUBTITLE and not line.remove:  # only who edits the plan leaves one
        why = "left by the plan"
    return Line(
        line.first,
        line.stop,
        known.get("rows", 1),
        (at.left, at.top, at.width, at.height),
        known.get("letter", at.height),
        known.get("sure", 1.0),
        line.remove,
        why,
        known.get("certain", True),
    )


def planned(line: Line, first: int, marks: int) -> PlannedLine:
    """A line of the report, whose frames are counted from frame `first` of the film."""
    left, top, width, height = line.box
    known = dict(why=line.why, sure=line.sure, certain=line.certain, rows=line.rows, letter=line.letter)
    region = Region(top, left, max(1, height), max(1, width))
    return PlannedLine(first + line.first, first + line.stop, region, line.goes, marks, known)


def write(path: Path, plan: Plan, clock: Clock) -> None:
    """Raises ClearError where the disk does not take it."""
    tail = {
        "edition": EDITION,
        "source": plan.source,
        "settings": plan.settings,
        "frames": [plan.first, plan.stop],
        "all_frames": plan.all,
        "everything": plan.everything,
        "shots": plan.shots,
        "marks_file": marks_file(path).name,
    }
    rows = ",\n".join("  " + json.dumps(_row(line, clock), ensure_ascii=False) for line in plan.lines)
    head = f'{{\n "about": {json.dumps(ABOUT)},\n "lines": [\n{rows}\n ],'
    write_text(path, f"{head}{json.dumps(tail, indent=1, ensure_ascii=False)[1:]}\n")


def _row(line: PlannedLine, clock: Clock) -> dict[str, Any]:
    at = line.region
    row = {
        "from": timecode(clock.at(line.first)),
        "to": timecode(clock.at(line.stop)),
        "remove": line.remove,
        "box": [at.left, at.top, at.width, at.height],
        **line.known,
    }
    return row if line.marks is None else {**row, "marks": line.marks}


def marks_file(path: Path) -> Path:
    """Where the marks of a plan lie."""
    return path.with_suffix(".marks")


def marks_of(path: Path) -> Path:
    """Where the marks of a plan lie that somebody may have copied or renamed: beside it, by its own name, else by the
    one that it was written with."""
    own = marks_file(path)
    if own.exists():
        return own
    try:
        return path.with_name(Path(json.loads(path.read_text(encoding="utf-8-sig"))["marks_file"]).name)
    except (OSError, ValueError, KeyError, TypeError):
        return own  # whoever reads the plan says what is wrong with it


def read(path: Path, clock: Clock, size: tuple[int, int]) -> Plan:
    """A plan. clock: of the frames that it is about. size: (height, width) of the film. Raises ClearError for a file
    that is no plan, by the line where it is one of them that cannot be."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ClearError(f"The plan {path} cannot be read ({error.strerror or error}). Check the name.") from error
    except ValueError as error:
        raise ClearError(f"The plan {path.name} is no JSON ({error}). Mend that place, or make it anew.") from error
    try:
        if content["edition"] != EDITION:
            raise ClearError(f"The plan {path.name} is of another edition. Make it anew.")
        first, stop = content["frames"]
        rows = content["lines"]
        plan = Plan(
            content["source"],
            content["settings"],
            first,
            stop,
            content["all_frames"],
            content["shots"],
            [],
            content["everything"],
        )
        if not isinstance(plan.source, dict):
            raise TypeError("source")
        if not isinstance(rows, list):
            raise TypeError("lines")
        if not (isinstance(plan.shots, list) and all(type(shot) is int for shot in plan.shots)):
            raise TypeError("shots")
    except ClearError:
        raise
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ClearError(f"{path.name} is no plan of a film ({error!r} is missing or odd). Make it anew.") from error
    lines = [_line(row, clock, size, f"{path.name}: line {n}", plan) for n, row in enumerate(rows, 1)]
    return replace(plan, lines=sorted(lines, key=lambda line: (line.first, line.region.top)))


def _line(row: Any, clock: Clock, size: tuple[int, int], name: str, plan: Plan) -> PlannedLine:
    try:
        first, stop = (clock.frame(_time(row[key], f'{name}, "{key}"')) for key in ("from", "to"))
        left, top, width, height = (int(side) for side in row["box"])
        remove, marks = row["remove"], row.get("marks")
        known = {key: row[key] for key in row if key not in ("from", "to", "box", "remove", "marks")}
    except ClearError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ClearError(
            f'{name} cannot be read ({error!r}). It needs "from", "to", "remove" and "box" [left, top, width, height].'
        ) from error
    if not isinstance(remove, bool) or not (marks is None or type(marks) is int and marks >= 0):
        raise ClearError(f'{name}: "remove" is true or false, and "marks" a number that was there.')
    first, stop = max(first, plan.first), min(stop, plan.stop)
    box = Region(top, left, height, width)
    if stop <= first or min(left, top) < 0 or min(width, height) < 1 or box.bottom > size[0] or box.right > size[1]:
        raise ClearError(
            f'{name}: "from" has to be before "to", both within the film, and the box within its '
            f"{size[1]}x{size[0]} pixels."
        )
    return PlannedLine(first, stop, box, remove, marks, known)


def _time(value: Any, name: str) -> Fraction:
    seconds = seconds_of(str(value), name)
    if seconds is None:
        raise ClearError(f"{name} is empty. Write a time.")
    return seconds
