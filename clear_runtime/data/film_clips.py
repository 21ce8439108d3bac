"""Training clips out of one subtitled film: its stretches without text, with lines burned onto them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from ..errors import ClearError
from ..media.video import read_facts
from ..wan import whole_groups
from .clips import SHORTEST, Clip, FileClips, Source, check_settings, target_size, too_small
from .synthetic.burn_style import BurnStyle
from .synthetic.burner import Burner, burn_clip


class FilmClips(FileClips):
    """Clips of one film, from the stretches first <= t < stop of its frames alone; other lines in each."""

    def __init__(
        self,
        film: Path,
        style: BurnStyle,
        stretches: Sequence[tuple[int, int]],
        frames: int = 81,
        count: int = 100,
        long_side: int = 832,
        seed: int = 0,
    ):
        """stretches: in order, and none over another. frames: of a clip, rounded down to 4k + 1; where no stretch has
        so many, as many as the longest has. count: clips at most, spread evenly. long_side: as in PairClips. Raises
        ClearError when nothing is left."""
        check_settings(frames, count, long_side)
        facts = read_facts(film)
        size = target_size(facts.height, facts.width, long_side)
        if not all(size):
            raise ClearError(f"{film.name}: {too_small(facts.height, facts.width)}")
        self.style, self.seed, self.fps = style, seed, float(facts.fps)
        Burner(style, size[1], size[0], self.fps)  # says what is wrong with the font
        length = whole_groups(min(frames, max((stop - first for first, stop in stretches), default=0)))
        if length < SHORTEST:
            raise ClearError(
                f"{film.name} has no {SHORTEST} frames in a row without text, so there is nothing to make pairs from. "
                "Take another film, or a clean video with Burn Subtitles on it (from a terminal: --burn)."
            )
        spans = spans_of(stretches, length, count)
        short = sum(stop - first < length for first, stop in stretches)
        left_out = [(film.name, f"{short} stretches without text are shorter than a clip")] if short else []
        super().__init__(
            [Source(film.stem, (str(film),), tuple(spans), long_side, size)], left_out, 0, f"{style} {seed}"
        )

    def _clip(self, source: Source, span: range, parts: tuple[Tensor, ...]) -> Clip:
        subtitled, _ = burn_clip(parts[0], self.style, self.fps, 0, f"{self.style.seed} {self.seed} {span.start}")
        return Clip(subtitled, parts[0])


def spans_of(stretches: Sequence[tuple[int, int]], length: int, count: int) -> list[range]:
    """At most `count` spans of `length` frames, evenly taken of all that overlap by half at most."""
    every = [
        range(start, start + length)
        for first, stop in stretches
        for start in range(first, stop - length + 1, max(1, length // 2))
    ]
    if len(every) <= count:
        return every
    return [every[round(i * (len(every) - 1) / max(1, count - 1))] for i in range(count)]
