"""Training pairs from a subtitled film alone: its stretches without text are the clean halves, and where they are too
few, areas that stay free of text beside it. Onto these, lines are burned that look as its own do.

What was found of the film lies in a file, so that a training that goes on does not look again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..atomic import write_text
from ..data.clips import SHORTEST, check_settings, fitted
from ..data.film_clips import FilmClips, clip_length, spans_of
from ..data.synthetic.burn_style import BurnStyle
from ..errors import ClearError
from ..find.marks import Prior
from ..find.options import MarkOptions
from ..frames.region import Region
from .free_areas import FreeAreas, MarkedCells
from .identity import file_identity, plain, same_file
from .look import Looking, look
from .marks_file import MarksFile
from .own_look import BURNED, own_style
from .plan import Plan, marks_file, reported
from .source import Source

EDITION = 2
APART = 6
"""Frames between a clip and text: what fades is not seen to its end."""
STANDS = 0.5
"""Share of the film from which on text that stays is the scene's own, and in both halves of a pair."""
FOUND = "film_pairs.json"
MARKED = "film_marked.npz"


@dataclass(frozen=True)
class OwnPairs:
    """What a film gives. style: of its own lines; stretches: first and stop of its frames without text; areas: parts of
    other frames that are; lines: how many were measured."""

    film: Path
    style: BurnStyle
    stretches: list[tuple[int, int]]
    areas: FreeAreas
    lines: int

    def clips(self, frames: int, count: int, long_side: int, seed: int) -> FilmClips:
        """As of FilmClips, which raises what can be wrong; areas for as many clips as the stretches do not give."""
        check_settings(frames, count, long_side)
        length = clip_length(self.stretches, frames)
        long = [(first, stop) for first, stop in self.stretches if stop - first >= max(length, SHORTEST)]
        missing = count - len(spans_of(long, length, count))
        areas = self.areas.clips(frames, missing, long_side, self.style.size / 100, long) if missing else []
        return FilmClips(self.film, self.style, self.stretches, frames, count, long_side, seed, areas)

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

    Raises ClearError for a film without lines to learn from, or without a stretch and an area that have no text.
    """
    source, about = Source(film), plain({"edition": EDITION, "film": file_identity(film), "base": asdict(base)})
    known = _known(folder / FOUND, about, film)
    if known is not None:
        return known
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "film_plan.json"
    cells = MarkedCells(source.size, APART)
    looking = Looking(MarkOptions(), prior, on_look=cells.see)
    plan = look(source, looking, path, about["film"], {}, lambda frames, _: on_looked(frames))
    if not plan.removed:
        raise ClearError(
            f"No subtitle was found in {film.name}, so there is none to burn like it. For a clean video, use Burn "
            "Subtitles (from a terminal: --burn)."
        )
    stretches = free_stretches(plan)
    cells.add(plan)
    cells.write(folder / MARKED)
    areas = FreeAreas(folder / MARKED, source.size, tuple(_shots(plan)))
    first, region = _shown(source, plan, stretches, areas)
    with closing(MarksFile(marks_file(path))) as marks:
        clean = lambda: _clean(source, first, region, marks)
        style = own_style(source, plan, marks, prior, base, clean)
    found = OwnPairs(film, style, stretches, areas, len(plan.removed))
    kept = {"about": about, "style": asdict(style), "stretches": stretches, "shots": areas.shots, "lines": found.lines}
    write_text(folder / FOUND, json.dumps(kept, indent=1))
    return found


def _shown(source: Source, plan: Plan, stretches: list[tuple[int, int]], areas: FreeAreas) -> tuple[int, Region | None]:
    """The first of BURNED frames without text, and what of them is: None for all."""
    for first, stop in stretches:
        if stop - first >= BURNED:
            return first, None
    letter = float(np.median([reported(line).letter for line in plan.removed])) / source.size[0]
    for frames, region in areas.find([BURNED], 1, max(source.size), letter):
        return frames.start, region
    raise ClearError(
        f"{source.path.name} has no {BURNED} frames in a row that are {APART} frames away from text, and no area of "
        "the picture, large enough for two rows, that stays free of text for so long. Take a longer piece of it, or "
        "one with less writing in the picture; or clean footage of the same kind, with Burn Subtitles on it (from a "
        "terminal: --burn)."
    )


def _clean(source: Source, first: int, region: Region | None, marks: MarksFile) -> Tensor:
    """BURNED frames [T, H, W, 3] without text; of an area, and its reflection around it."""
    with closing(source.frames(first, marks.clock().at(first))) as frames:
        whole = torch.stack([shown.pixels.float() for shown, _ in zip(frames, range(BURNED))])
    return whole if region is None else reflected(whole, region)


def reflected(frames: Tensor, region: Region) -> Tensor:
    """Frames [T, H, W, 3] of which the rectangle alone is kept, as clips.fitted has it, and reflected into the rest."""
    size = frames.shape[1:3]
    part = torch.stack([region.of(fitted(frame, max(size))[None])[0] for frame in frames]).numpy()
    sides = [(at, side - at - length) for at, side, length in zip((region.top, region.left), size, part.shape[1:3])]
    return torch.from_numpy(np.pad(part, [(0, 0), *sides, (0, 0)], mode="symmetric"))


def _shots(plan: Plan) -> list[int]:
    """Frames at which a shot begins, and the end of the last one."""
    return sorted({plan.first, plan.stop, *(shot for shot in plan.shots if plan.first < shot < plan.stop)})


def free_stretches(plan: Plan) -> list[tuple[int, int]]:
    """First and stop of the frames in which nothing reads as text, in order; none goes over a cut."""
    whole = plan.stop - plan.first
    texts = sorted(
        (line.first - APART, line.stop + APART)
        for line in plan.lines
        if line.remove or line.stop - line.first < STANDS * whole
    )
    borders = _shots(plan)
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
        areas = FreeAreas(path.with_name(MARKED), Source(film).size, tuple(kept["shots"]))
        if not areas.marked.is_file():
            return None
        stretches = [(a, b) for a, b in kept["stretches"]]
        return OwnPairs(film, BurnStyle(**kept["style"]), stretches, areas, kept["lines"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
