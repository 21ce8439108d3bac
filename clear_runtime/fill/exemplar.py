"""Texture for what no frame shows: carried over from beside the hole, by the shift whose surroundings agree best.

In most pictures a few shifts explain how they repeat themselves (He and Sun, "Statistics of patch offsets for image
completion", 2012). Each shift is tried for the whole hole at once: what surrounds a hidden pixel is compared with what
surrounds the place that the shift leads to. A straight edge agrees with itself along its own direction, so it goes on
straight, and no colour crosses it.

Tried instead: PatchMatch (Barnes et al., 2009), on one level and on three, with the same surroundings. At the same
texture it costs twice as many decibels, and it flickers more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..frames.box_filter import box_mean
from .motion import Motion, at_points

DIRECTIONS = 12
DISTANCES = (4, 8, 14, 22)
"""Of the shifts; distances in pixels of half the frame's size."""
REACH = 3
"""Pixels of half the frame's size around a hidden one that are compared."""
ENOUGH = 0.15
"""Share of the compared square that has to be known in both places."""
BATCH = 8
"""Shifts that are tried at once."""
KEEPS = 0.7
"""A shift that was chosen in the frame before stays unless another differs less than this share of what it does."""
TEXTURE_ERROR = 0.15
"""Squared error of the fill before it, as a share of the surroundings' fine detail, against which a shift is weighed.
More is more texture, and more of it wrong."""
NOISE = (1.5 / 255) ** 2
"""Squared difference of places that are the same."""


def _shifts() -> list[tuple[int, int]]:
    turns = [2 * math.pi * turn / DIRECTIONS for turn in range(DIRECTIONS)]
    found = [(round(far * math.cos(turn)), round(far * math.sin(turn))) for far in DISTANCES for turn in turns]
    return list(dict.fromkeys(found))


SHIFTS = _shifts()
"""(right, down) in pixels of half the frame's size, nearest first."""
FARTHEST = max(DISTANCES)


@dataclass
class _Best:
    """For each of n hidden pixels of half the frame's size, the best shift so far: its number (-1 for none) [n], how
    much the surroundings differ [n], and by how much the place that it leads to is brighter [3, n]."""

    number: Tensor
    differs: Tensor
    drift: Tensor


class Exemplar:
    """Mixes texture into the spatial fill of a piece's frames, one after the other.

    pixels [T, 3, h, w] in 0..1, known [T, 1, h, w] bool, and the same at half the size with its motion; along: whether
    a choice goes along with the motion to the next frame, or stays at its place.
    """

    def __init__(self, pixels: Tensor, known: Tensor, motion: Motion, along: bool):
        self.pixels, self.known, self.motion, self.along = pixels, known, motion, along
        self._before: tuple[int, Tensor] | None = None

    def __call__(self, t: int, smooth: Tensor, points: Tensor) -> Tensor:
        """What frame t's hidden points [n, 2] (x, y), whole numbers, may look like, [3, n].

        smooth [3, n]: the spatial fill there. Shift and fill are weighted by how far both may be off: the fill by how
        much the surroundings differ from a blurred picture of them, so that flat places stay smooth. Copies known
        pixels alone.
        """
        # four pixels of the frame have one choice
        number = torch.full(self.motion.shown.shape[-2:], -1, device=points.device)
        cell = points.long() // 2
        number[cell[:, 1], cell[:, 0]] = 0
        y, x = (number == 0).nonzero(as_tuple=True)
        best = self._best(t, torch.stack([x, y], 1))
        number[y, x] = torch.arange(len(x), device=x.device)
        of = number[cell[:, 1], cell[:, 0]]
        weight = torch.where(best.number >= 0, self._texture(t, x, y) / (best.differs + NOISE), 0)
        weight = (TEXTURE_ERROR * weight).square()[of]
        # where no shift was found, the weight is 0
        shift = torch.tensor([*SHIFTS, (0, 0)], device=points.device)[best.number][of]
        # the last cell of an odd side is one pixel wide
        height, width = self.known.shape[-2:]
        column, row = (points.long() + 2 * shift).minimum(cell.new_tensor([width - 1, height - 1])).T
        colours = self.pixels[t][:, row, column].float() - best.drift[:, of]
        number[y, x] = best.number
        self._before = t, number
        return (smooth + weight * colours.clamp(0, 1)) / (1 + weight)

    def _texture(self, t: int, x: Tensor, y: Tensor) -> Tensor:
        """The mean squared difference of the surroundings' pixels to their own blurred surroundings, [n]."""
        colours, shown = self.motion.colours[t : t + 1], self.motion.shown[t : t + 1]
        weight = box_mean(shown, REACH).clamp_min(1e-6)
        fine = (colours - box_mean(colours * shown, REACH) / weight).square().mean(1, keepdim=True)
        return (box_mean(fine * shown, REACH) / weight)[0, 0, y, x]

    def _best(self, t: int, cells: Tensor) -> _Best:
        """Of pixels [n, 2] (x, y) of half the frame's size that are hidden, if only in part."""
        before = self._carried(t, cells)
        # beside a mark there may be a trace of what it marks
        clear = -F.max_pool2d(-(self.motion.shown[t] == 1).float(), 3, 1, 1)[0] > 0
        known = F.pad(clear, (FARTHEST,) * 4)
        width = known.shape[1]
        place = (cells[:, 1] + FARTHEST) * width + cells[:, 0] + FARTHEST
        differs = self.motion.colours.new_full((len(cells),), torch.inf)
        best = _Best(torch.full_like(cells[:, 0], -1), differs, differs.new_zeros(3, len(cells)))
        for start in range(0, len(SHIFTS), BATCH):
            moves = SHIFTS[start : start + BATCH]
            means = self._agreement(t, moves, cells)
            shown = torch.stack([known.flatten()[place + down * width + right] for right, down in moves])
            differs = torch.where(shown, means[:, 0], torch.inf)
            number = torch.arange(start, start + len(moves), device=cells.device)[:, None]
            least, at = torch.where(before == number, KEEPS * differs, differs).min(0)
            better = least < best.differs
            best.number = torch.where(better, start + at, best.number)
            best.differs = torch.where(better, least, best.differs)
            drift = means[:, 1:].gather(0, at.expand(1, 3, -1))[0]
            best.drift = torch.where(better, drift, best.drift)
        return best

    def _agreement(self, t: int, moves: list[tuple[int, int]], cells: Tensor) -> Tensor:
        """For each of so many shifts and of n pixels [n, 2] (x, y): the mean squared difference of the surroundings
        without that of their means, infinite where it would rest on too little, and the latter's difference, [shifts,
        4, n]."""
        far = FARTHEST + REACH
        both = F.pad(self.motion.seen[t], (far, far, far, far))
        first = cells.amin(0)
        (left, top), (right, bottom) = first.tolist(), cells.amax(0).tolist()
        height, width = bottom - top + 1 + 2 * REACH, right - left + 1 + 2 * REACH

        def part(x: int, y: int) -> Tensor:
            row, column = top + FARTHEST + y, left + FARTHEST + x
            return both[:, row : row + height, column : column + width]

        here, compared = part(0, 0), both.new_empty(len(moves), 5, height, width)
        square, off, weight = compared[:, :1], compared[:, 1:4], compared[:, 4:]
        for n, (x, y) in enumerate(moves):
            there = part(x, y)
            torch.sub(there[:3], here[:3], out=off[n])
            torch.mul(there[3], here[3], out=weight[n, 0])
        torch.mean(off.square(), 1, keepdim=True, out=square)
        compared[:, :4] *= weight
        column, row = (cells - first).T
        sums = box_mean(compared, REACH, inside=True)[:, :, row, column]
        means = sums[:, :4] / sums[:, 4:].clamp_min(1e-6)
        differs = (means[:, :1] - means[:, 1:].square().mean(1, keepdim=True)).clamp_min(0)
        return torch.cat([torch.where(sums[:, 4:] > ENOUGH, differs, torch.inf), means[:, 1:]], 1)

    def _carried(self, t: int, cells: Tensor) -> Tensor:
        """The number of the shift that the frame before had chosen for each [n], -1 for none."""
        none = torch.full_like(cells[:, 0], -1)
        if self._before is None or self._before[0] != t - 1:
            return none
        chosen, at = self._before[1], cells.float()
        if self.along:
            at = at + at_points(self.motion.back[t - 1 : t], at)[:2].T
        x, y = at.round().long().T
        inside = (x >= 0) & (y >= 0) & (x < chosen.shape[1]) & (y < chosen.shape[0])
        return torch.where(inside, chosen[y.clamp(0, chosen.shape[0] - 1), x.clamp(0, chosen.shape[1] - 1)], none)
