"""Parts of a film's picture that stay free of text for as long as a clip, though other parts of it have some: of the
same scene, camera, grain and compression as what the subtitles hide.

What the prior and the finder have marked lies in a file, coarsely: cells of the picture by blocks of frames.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice, product
from pathlib import Path

import numpy as np

from ..atomic import write_bytes
from ..data.clips import MULTIPLE, SHORTEST, evenly, scaled_size, target_size
from ..data.film_clips import Area
from ..errors import ClearError
from ..find.look import FAINT
from ..frames.region import Region
from ..wan import whole_groups
from .plan import Plan

CELL = 8
"""Pixels of a cell's side."""
BLOCK = 8
"""Frames of a block."""
MARGIN = 16
"""Pixels between an area and what is marked: a macroblock of compression, and more than an outline and a shadow."""
HEIGHTS = 1, 3 / 4, 1 / 2, 3 / 8, 1 / 4
WIDTHS = 1, 3 / 4, 1 / 2
"""Shares of the picture that an area may have, beside the least."""
TRIED = 4
"""Times as many places in time are tried as areas are needed."""
TIMES = 8
"""Areas of the same frames, where there are too few places in time: lines differ, and most of what is around them."""
ROWS, LETTERS = 2.6, 6
"""Height and width of the least area, in letters: two rows fit."""
MOVES = 17
"""Frames from which on a clip shows how things move; shorter ones only where there are none."""
GRID = MULTIPLE
"""Pixels by which areas are laid out in the frames that clips are cut from."""


class MarkedCells:
    """What of a film is marked, while it is looked at. size: (height, width) of its frames. apart: frames by which it
    is longer there at both ends: looks are some frames apart, and what fades is not seen to its end."""

    def __init__(self, size: tuple[int, int], apart: int):
        self.size, self.apart = size, apart
        self.cells = tuple(-(-side // CELL) for side in size)
        self._blocks: dict[int, np.ndarray] = {}

    def see(self, t: int, soft: np.ndarray) -> None:
        """How sure the prior is of text in frame t, [h, w] uint8 of any size."""
        rows, columns = np.nonzero(soft > 255 * FAINT)
        if len(rows):
            at = [one * side // len_ for one, side, len_ in zip((rows, columns), self.size, soft.shape)]
            for block in self._of(t, t + 1):
                block[at[0] // CELL, at[1] // CELL] = True

    def add(self, plan: Plan) -> None:
        """All of a plan's lines, those that stay among them; half a letter wider, for what stands behind letters."""
        for line in plan.lines:
            at = line.region.grown(round(line.known.get("letter", 0) / 2), *self.size)
            for block in self._of(line.first, line.stop):
                block[at.top // CELL : -(-at.bottom // CELL), at.left // CELL : -(-at.right // CELL)] = True

    def _of(self, first: int, stop: int) -> Iterator[np.ndarray]:
        for n in range(max(0, first - self.apart) // BLOCK, (stop - 1 + self.apart) // BLOCK + 1):
            yield self._blocks.setdefault(n, np.zeros(self.cells, bool))

    def write(self, path: Path) -> None:
        """Raises ClearError where the disk does not take it."""
        numbers = np.array(sorted(self._blocks), np.int64)
        packed = [np.packbits(self._blocks[n]) for n in numbers.tolist()]
        marks = np.array(packed, np.uint8).reshape(len(packed), -(-self.cells[0] * self.cells[1] // 8))
        content = BytesIO()
        np.savez_compressed(content, blocks=numbers, marks=marks)
        write_bytes(path, content.getvalue())


@dataclass(frozen=True)
class FreeAreas:
    """marked: the file. size: (height, width) of the film's frames. shots: frames at which one begins, and the film's
    end; no area goes over one."""

    marked: Path
    size: tuple[int, int]
    shots: tuple[int, ...]

    def find(
        self, lengths: Sequence[int], count: int, long_side: int, letter: float, taken: Sequence[tuple[int, int]] = ()
    ) -> list[Area]:
        """At most `count` areas in order of time, all of one length and one size: those that hold most pixels in all.
        Where they are too few, more of the same frames, at other places.

        lengths: frames that they may have. long_side: of the frames that they are cut from (see target_size).
        letter: of the film's lines, in share of its height.
        taken: stretches within which none is looked for.
        """
        grid = _Grid(self.size, long_side, self._blocks())
        sizes = grid.sizes(letter)
        best, frames, found = 0, 0, dict[int, list[Region]]()
        for length in lengths:
            dirty = {t: grid.dirty(t, t + length) for t in self._starts(length, count * TRIED, taken)}
            for height, width in sizes:
                free = {t: places for t, marks in dirty.items() if (places := _places(marks, height, width, t))}
                worth = min(len(free), count) * height * width * length
                if worth > best:
                    best, found, frames = worth, free, length
        starts = evenly(list(found), count)
        rounds = (Area(range(t, t + frames), found[t][n]) for n in range(TIMES) for t in starts if n < len(found[t]))
        return sorted(islice(rounds, count), key=lambda area: area.frames.start)

    def clips(
        self, frames: int, count: int, long_side: int, letter: float, taken: Sequence[tuple[int, int]]
    ) -> list[Area]:
        """The same of the length of clips, 4k + 1 frames; shorter ones where shots are short."""
        longest = max(stop - first for first, stop in zip(self.shots, self.shots[1:]))
        lengths, length = list[int](), whole_groups(min(frames, longest))
        while length >= SHORTEST:
            lengths.append(length)
            length = whole_groups(length // 2 + 1)
        moving = [length for length in lengths if length >= MOVES]
        shorter = [[length] for length in lengths if length < MOVES]
        tries = (self.find(some, count, long_side, letter, taken) for some in [moving, *shorter] if some)
        return next((found for found in tries if found), [])

    def _starts(self, length: int, count: int, taken: Sequence[tuple[int, int]]) -> list[int]:
        """Of spans that lie within a shot, overlap by half at most, and are in no stretch that is taken."""
        every = [
            t
            for first, stop in zip(self.shots, self.shots[1:])
            for t in range(first, stop - length + 1, max(1, length // 2))
        ]
        return evenly([t for t in every if not any(a <= t and t + length <= b for a, b in taken)], count)

    def _blocks(self) -> dict[int, np.ndarray]:
        cells = tuple(-(-side // CELL) for side in self.size)
        try:
            with np.load(self.marked) as file:
                bits = np.unpackbits(file["marks"], axis=1, count=cells[0] * cells[1])
                return dict(zip(file["blocks"].tolist(), bits.astype(bool).reshape(-1, *cells)))
        except (OSError, ValueError, KeyError) as error:
            raise ClearError(
                f"{self.marked.name} cannot be read ({error}). Delete it: the film is then looked at again."
            ) from error


class _Grid:
    """The cells of GRID pixels' side of the frames that clips are cut from, over those of what is marked."""

    def __init__(self, size: tuple[int, int], long_side: int, blocks: dict[int, np.ndarray]):
        self.blocks = blocks
        self.target = target_size(*size, long_side)
        self.cells = tuple(-(-side // CELL) for side in size)
        self._edges = [
            self._edge(side, scaled, cut) for side, scaled, cut in zip(size, scaled_size(*size, long_side), self.target)
        ]

    @staticmethod
    def _edge(side: int, scaled: int, cut: int) -> tuple[np.ndarray, np.ndarray]:
        """Of each row or column of cells: the first cell of what is marked that is near it, and the stop."""
        ratio = side / scaled
        at = np.arange(cut // GRID) * GRID + (scaled - cut) // 2
        first, stop = np.floor(at * ratio) - MARGIN, np.ceil((at + GRID) * ratio) + MARGIN
        return np.clip(first // CELL, 0, None).astype(int), np.clip(-(-stop // CELL), None, -(-side // CELL)).astype(
            int
        )

    def dirty(self, first: int, stop: int) -> np.ndarray:
        """Cells that something is marked in, or nearer than MARGIN, in any frame first <= t < stop."""
        marks = np.zeros(self.cells, bool)
        for n in range(first // BLOCK, (stop - 1) // BLOCK + 1):
            if n in self.blocks:
                marks |= self.blocks[n]
        (top, bottom), (left, right) = self._edges
        return _sums(marks, top, bottom, left, right) > 0

    def sizes(self, letter: float) -> list[tuple[int, int]]:
        """Heights and widths that an area may have, in cells, the largest first. letter: as in FreeAreas.find."""
        height, width = (side // GRID for side in self.target)
        em = letter * self.target[0] / GRID
        least = max(2, int(np.ceil(ROWS * em))), min(width, max(4, int(np.ceil(LETTERS * em))))
        heights = {int(share * height) for share in HEIGHTS} | {least[0]}
        widths = {int(share * width) for share in WIDTHS} | {least[1]}
        fitting = [(h, w) for h, w in product(heights, widths) if least[0] <= h <= height and least[1] <= w <= width]
        return sorted(fitting, key=lambda one: (one[0] * one[1], one), reverse=True)


def _places(dirty: np.ndarray, height: int, width: int, seed: int) -> list[Region]:
    """At most TIMES of the places of that size where no cell is dirty, in pixels; others for another seed."""
    tops, lefts = np.arange(dirty.shape[0] - height + 1), np.arange(dirty.shape[1] - width + 1)
    free = np.argwhere(_sums(dirty, tops, tops + height, lefts, lefts + width) == 0)
    drawn = random.Random(seed).sample(free.tolist(), min(len(free), TIMES))
    return [Region(top * GRID, left * GRID, height * GRID, width * GRID) for top, left in drawn]


def _sums(marks: np.ndarray, top, bottom, left, right) -> np.ndarray:
    """How much of marks [H, W] lies in each of the rectangles of rows top..bottom and columns left..right."""
    summed = np.pad(marks.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows = summed[bottom] - summed[top]
    return rows[:, right] - rows[:, left]
