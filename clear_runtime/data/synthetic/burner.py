"""Subtitles into a video, frame by frame: which line shows when, and the exact mask of what it covers."""

from __future__ import annotations

import random
from collections.abc import Iterator

import torch
from torch import Tensor

from ...errors import ClearError
from . import system_fonts
from .burn_layout import LEAST_SIZE, Layout, Patch, Placed, TooLarge, TooSmall, apart, patch, rows_outside
from .burn_style import BurnStyle
from .subtitle_file import Line, read_lines
from .text import random_line

_TRIES = 50  # for a random line whose letters the font has all


class Burner:
    """Burns the subtitles of a style into frames of one size. Frames may be asked for in any order; the pixels are the
    same.

    style   what to burn; its `seed` counts unless another is given
    fps     frames per second: what turns the times of lines into frames
    frames  of the video, where known: a file without a line in them is refused
    Raises ClearError for everything that cannot be burned, before the first frame.
    """

    def __init__(
        self,
        style: BurnStyle,
        width: int,
        height: int,
        fps: float,
        frames: int | None = None,
        seed: int | str | None = None,
    ):
        if not fps > 0:
            raise ClearError(f"{fps:g} frames per second are not possible. Give the video's own rate.")
        self.style, self.fps, self.seed = style, fps, style.seed if seed is None else seed
        self.layout = Layout(style, width, height, fps, self.seed)
        self.burned: dict[int, Placed] = {}
        self._outside: dict[int, tuple[int, int]] = {}  # of each line shown: rows outside the frame, and rows in all
        self._patches: dict[int, Patch | None] = {}
        self._more: Iterator[Placed] = iter(()) if style.file else self._random_lines()
        # the first random line finds what is wrong with font and scripts now
        self._placed = self._of_file(frames) if style.file else [next(self._more)]

    def burn(self, frame: Tensor, number: int) -> tuple[Tensor, Tensor]:
        """Frame [H, W, 3] of that number -> (subtitled [H, W, 3] float32, mask [H, W] bool). Outside the mask nothing
        changes."""
        out, mask = frame.to(torch.float32, copy=True), torch.zeros(frame.shape[:2], dtype=torch.bool)
        showing = self._showing(number)
        for i in showing:
            if i not in self._patches:
                self._patches[i] = patch(self._placed[i], self.layout.width, self.layout.height)
                self._outside[i] = (
                    rows_outside(self._placed[i], self.layout.width, self.layout.height),
                    len(self._placed[i].lines),
                )
            if part := self._patches[i]:
                part.burn_into(out, mask, self._placed[i].strength(number))
                self.burned[i] = self._placed[i]
        self._patches = {i: self._patches[i] for i in showing}
        return out, mask

    def kept(self, frames: int) -> set[int]:
        """Which of the first `frames` frames have a subtitle. For files."""
        return {t for placed in self._placed for t in range(max(0, placed.first), min(frames, placed.stop))}

    def report(self) -> str:
        """The fonts and lines that were burned up to now, with their times, and what of them the frame has no room
        for."""
        fonts = dict.fromkeys(placed.face.name for placed in self.burned.values())
        lines = [
            f"{len(self.burned)} line{'' if len(self.burned) == 1 else 's'}, font {', '.join(fonts) or 'none'}",
            *self.layout.notes,
        ]
        outside, rows = map(sum, zip(*self._outside.values(), (0, 0)))
        if outside:
            lines.append(
                f"{outside} of {rows} row{'' if rows == 1 else 's'} lie{'s' if outside == 1 else ''} outside the "
                "frame, wholly or in part: use a smaller size or shorter lines."
            )
        return "\n".join(
            lines
            + [f"{_clock(max(0, p.first) / self.fps)}  {' / '.join(p.lines)}" for _, p in sorted(self.burned.items())]
        )

    def _showing(self, number: int) -> list[int]:
        while self._placed[-1].first <= number and (line := next(self._more, None)):
            self._placed.append(line)
        return [i for i, placed in enumerate(self._placed) if placed.first <= number < placed.stop]

    def _of_file(self, frames: int | None) -> list[Placed]:
        lines = read_lines(self.style.file)
        end = None if frames is None else frames / self.fps
        inside = [line for line in lines if end is None or line.start < end]
        if not inside:
            raise ClearError(
                f"No line of the subtitle file falls into these {end:.1f} s of video ({frames} frames at {self.fps:g} "
                f"a second): the first begins at {_clock(lines[0].start)}. Choose the subtitles of this video, give "
                "more of it, or see whether fps is its own."
            )
        placed = []
        for line in inside:
            try:
                placed.append(self.layout.place(line))
            except (TooSmall, TooLarge) as wrong:  # .ass files letter signs too, some of them tiny
                if not line.look:
                    raise
                refused = wrong
                self.layout.note(f"Left out: {' '.join(line.text)[:40]!r}. {wrong}")
        if not placed:
            raise refused
        return apart(placed)

    def _random_lines(self) -> Iterator[Placed]:
        """Line k is a function of the seed, k and the end of the line before it. The first one stands there when the
        video begins."""
        end, k = 0.0, 0
        while True:
            rng = random.Random(f"{self.seed} line {k}")
            script, rows, share = rng.choice(self.style.scripts), 1 if rng.random() < 0.7 else 2, rng.uniform(0.3, 0.7)
            seconds, pause = rng.uniform(1.0, 4.0), rng.choice((0.0, 0.0, rng.uniform(0.1, 1.0)))
            start = end if k else -self.style.fade - 1 / self.fps
            length = max(
                3, int(share * self.layout.width / (max(LEAST_SIZE, self.style.size / 100 * self.layout.height) * 0.5))
            )
            yield self._written(rng, script, rows, length, start, max(0.0, start) + seconds)
            end, k = max(0.0, start) + seconds + pause, k + 1

    def _written(self, rng: random.Random, script: str, rows: int, length: int, start: float, stop: float) -> Placed:
        face = system_fonts.find(self.style.font) if self.style.font else system_fonts.for_script(script)[0]
        for _ in range(_TRIES):
            text = tuple(random_line(rng, script, length) for _ in range(rows))
            lacking = system_fonts.missing(face, "".join(text))
            if not any(c.isalpha() for c in lacking):  # fonts of some scripts have no digits and no commas
                text = tuple("".join(c for c in part if c not in lacking).strip() for part in text)
                return self.layout.place(Line(start, stop, text), script)
        raise ClearError(
            f"{face.name} has no {system_fonts.named(lacking)}, which {script} needs. Choose another font, or none: "
            f"then one that has the letters is looked for."
        )


def burn_clip(
    frames: Tensor, style: BurnStyle, fps: float, first_frame: int = 0, seed: int | str | None = None
) -> tuple[Tensor, Tensor]:
    """Frames [T, H, W, 3] in 0..1, the first of which is number `first_frame` of its video -> (subtitled float32, mask
    [T, H, W] bool)."""
    count, height, width = frames.shape[:3]
    burner = Burner(style, width, height, fps, seed=seed)
    out, mask = torch.empty(frames.shape, dtype=torch.float32), torch.empty(count, height, width, dtype=torch.bool)
    for i, frame in enumerate(frames):
        out[i], mask[i] = burner.burn(frame, first_frame + i)
    return out, mask


def _clock(seconds: float) -> str:
    hundredths = round(seconds * 100)
    return f"{hundredths // 6000:02}:{hundredths // 100 % 60:02}.{hundredths % 100:02}"
