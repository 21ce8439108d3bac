"""Training clips out of one subtitled film, with lines burned onto them: of its stretches without text, and of areas
that stay free of it in frames that have some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from ..errors import ClearError
from ..frames.region import Region
from ..media.video import read_facts
from ..wan import whole_groups
from .clips import SHORTEST, Clip, ClipSource, FileClips, check_settings, evenly, target_size, too_small
from .synthetic.burn_style import BurnStyle
from .synthetic.burner import Burner, burn_clip


class Area(NamedTuple):
    """A part of some frames of a film. region: in pixels of the frames as clips have them (see clips.fitted), its sides
    multiples of 16."""

    frames: range
    region: Region


class FilmClips(FileClips):
    """Clips of one film, from the stretches first <= t < stop of its frames, and from areas; other lines in each. In a
    stretch lines stand where the style has them, in an area in its middle, with letters as large."""

    def __init__(
        self,
        film: Path,
        style: BurnStyle,
        stretches: Sequence[tuple[int, int]],
        frames: int = 81,
        count: int = 100,
        long_side: int = 832,
        seed: int = 0,
        areas: Sequence[Area] = (),
    ):
        """stretches: in order, and none over another. frames: of a clip, rounded down to 4k + 1; where no stretch has
        so many, as many as the longest has. count: clips of stretches at most, spread evenly. long_side: as in
        PairClips. areas: in order of time, all of one length and size. Raises ClearError when nothing is left."""
        check_settings(frames, count, long_side)
        facts = read_facts(film)
        size = target_size(facts.height, facts.width, long_side)
        if not all(size):
            raise ClearError(f"{film.name}: {too_small(facts.height, facts.width)}")
        self.style, self.seed, self.fps, self._height = style, seed, float(facts.fps), size[0]
        Burner(style, size[1], size[0], self.fps)  # says what is wrong with the font
        length = clip_length(stretches, frames)
        if length < SHORTEST and not areas:
            raise ClearError(
                f"{film.name} has no {SHORTEST} frames in a row without text, so there is nothing to make pairs from. "
                "Take another film, or a clean video with Burn Subtitles on it (from a terminal: --burn)."
            )
        spans = spans_of(stretches, length, count) if length >= SHORTEST else []
        short = sum(stop - first < length for first, stop in stretches) if spans else 0
        why = f"{short} stretches without text are shorter than a clip"
        why = "1 stretch without text is shorter than a clip" if short == 1 else why
        left_out = [(film.name, why)] if short else []
        cut = lambda spans, size, parts=(): ClipSource(
            film.stem, (str(film),), tuple(spans), long_side, size, "", parts
        )
        sources = [cut(spans, size)] if spans else []
        if areas:
            regions = tuple(area.region for area in areas)
            sources.append(cut([area.frames for area in areas], (regions[0].height, regions[0].width), regions))
        super().__init__(sources, left_out, 0, f"{style} {seed}")

    def _clip(self, source: ClipSource, i: int, parts: tuple[Tensor, ...]) -> Clip:
        style, span, where = self.style, source.spans[i], ""
        if source.parts:
            height, where = source.size[0], f" {source.parts[i]}"
            style = replace(style, size=style.size * self._height / height, position="middle", margin=0.0)
        subtitled, _ = burn_clip(parts[0], style, self.fps, 0, f"{self.style.seed} {self.seed} {span.start}{where}")
        return Clip(subtitled, parts[0])

    def __str__(self) -> str:
        lines = super().__str__().split("\n", 1)
        whole, parts = (sum(len(s.spans) for s in self.sources if bool(s.parts) == has) for has in (False, True))
        where = [f"Of whole frames without text: {whole}."] if whole else []
        if parts:
            height, width = self.sources[-1].size
            where.append(f"Of areas of {width}x{height} pixels that stay free of text, in frames with some: {parts}.")
        return "\n".join([lines[0], *where, *lines[1:]])


def clip_length(stretches: Sequence[tuple[int, int]], frames: int) -> int:
    """Frames of a clip, 4k + 1: so many, or as many as the longest stretch has; under SHORTEST where it gives none."""
    return whole_groups(min(frames, max((stop - first for first, stop in stretches), default=0)))


def spans_of(stretches: Sequence[tuple[int, int]], length: int, count: int) -> list[range]:
    """At most `count` spans of `length` frames, evenly taken of all that overlap by half at most."""
    every = [
        range(start, start + length)
        for first, stop in stretches
        for start in range(first, stop - length + 1, max(1, length // 2))
    ]
    return evenly(every, count)
