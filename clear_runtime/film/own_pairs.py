"""Training pairs from a subtitled film alone: its stretches without text are the clean halves, and onto them lines are
burned that look as its own do.

What was found of the film lies in a file, so that a training that goes on does not look again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from ..atomic import write_text
from ..data.film_clips import FilmClips
from ..data.synthetic.burn_style import BurnStyle
from ..errors import ClearError
from ..find.marks import Prior
from ..find.options import MarkOptions
from .identity import file_identity, plain, same_file
from .look import Looking, look
from .marks_file import MarksFile
from .own_look import BURNED, own_style
from .plan import Plan, marks_file
from .source import Source

EDITION = 1
APART = 6
"""Frames between a clip and text: what fades is not seen to its end."""
STANDS = 0.5
"""Share of the film from which on text that stays is the scene's own, and in both halves of a pair."""
FOUND = "film_pairs.json"


@dataclass(frozen=True)
class OwnPairs:
    """What a film gives. style: of its own lines; stretches: first and stop of its frames without text; lines: how many
    were measured."""

    film: Path
    style: BurnStyle
    stretches: list[tuple[int, int]]
    lines: int

    def clips(self, frames: int, count: int, long_side: int, seed: int) -> FilmClips:
        """As of FilmClips, which raises what can be wrong."""
        return FilmClips(self.film, self.style, self.stretches, frames, count, long_side, seed)

    def text(self) -> str:
        style, free = self.style, sum(stop - first for first, stop in self.stretches)
        lines = "1 line of the film's own was" if self.lines == 1 else f"{self.lines} lines of the film's own were"
        stretches = "1 stretch" if len(self.stretches) == 1 else f"{len(self.stretches)} stretches"
        return (
            f"{lines} measured: letters of {style.size:.1f} % of its height in "
            f"{style.colour}, outline {style.outline:.0f} % in {style.outline_colour}, at the {style.position}, margin "
            f"{style.margin:.1f} %. {free} frames in {stretches} are without text."
        )


def own_pairs(
    film: Path,
    prior: Prior,
    folder: Path,
    base: BurnStyle = BurnStyle(),
    on_looked: Callable[[int], None] = lambda frames: None,
) -> OwnPairs:
    """Look at a film, or read what an earlier look has left in `folder`. base: the style whose script and font the
    lines have. on_looked(frames so far) may raise to stop.

    Raises ClearError for a film without lines to learn from, or without a stretch that has no text.
    """
    source, about = Source(film), plain({"edition": EDITION, "film": file_identity(film), "base": asdict(base)})
    known = _known(folder / FOUND, about, film)
    if known is not None:
        return known
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "film_plan.json"
    plan = look(source, Looking(MarkOptions(), prior), path, about["film"], {}, lambda frames, _: on_looked(frames))
    if not plan.removed:
        raise ClearError(
            f"No subtitle was found in {film.name}, so there is none to burn like it. For a clean video, use Burn "
            "Subtitles (from a terminal: --burn)."
        )
    stretches = free_stretches(plan)
    first = next((first for first, stop in stretches if stop - first >= BURNED), None)
    if first is None:
        longest = max((stop - first for first, stop in stretches), default=0)
        raise ClearError(
            f"{film.name} has no {BURNED} frames in a row that are {APART} frames away from text; the most that it has "
            f"is {longest}. Take a longer piece of it, one in which nobody speaks for a while; or clean footage of the "
            "same kind, with Burn Subtitles on it (from a terminal: --burn)."
        )
    with closing(MarksFile(marks_file(path))) as marks:
        style = own_style(source, plan, marks, prior, base, first)
    found = OwnPairs(film, style, stretches, len(plan.removed))
    kept = {"about": about, "style": asdict(style), "stretches": stretches, "lines": found.lines}
    write_text(folder / FOUND, json.dumps(kept, indent=1))
    return found


def free_stretches(plan: Plan) -> list[tuple[int, int]]:
    """First and stop of the frames in which nothing reads as text, in order; none goes over a cut."""
    whole = plan.stop - plan.first
    texts = sorted(
        (line.first - APART, line.stop + APART)
        for line in plan.lines
        if line.remove or line.stop - line.first < STANDS * whole
    )
    borders = sorted({plan.first, plan.stop, *(shot for shot in plan.shots if plan.first < shot < plan.stop)})
    out = []
    for at, end in zip(borders, borders[1:]):
        for first, stop in [*texts, (end, end)]:
            if min(first, end) > at:
                out.append((at, min(first, end)))
            at = max(at, stop)
    return out


def _known(path: Path, about: dict, film: Path) -> OwnPairs | None:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        before = kept["about"]
        same = before["edition"] == about["edition"] and before["base"] == about["base"]
        if not same or not same_file(before["film"], about["film"]):
            return None
        return OwnPairs(film, BurnStyle(**kept["style"]), [(a, b) for a, b in kept["stretches"]], kept["lines"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
