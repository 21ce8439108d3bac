"""A translucent box behind a subtitle: the pixels on both sides of its edges, and how much of it is there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...frames.median import temporal_median
from ...frames.region import Region
from .options import BoxOptions


@dataclass(frozen=True)
class Box:
    """A box. through: 1 - a, share of the scene that it lets through. added: a * c of [3] channels. options: those it
    was found with."""

    region: Region
    through: float
    added: Tensor
    options: BoxOptions

    def sides(
        self, frames: Tensor, outside: int | None = None, inside: int | None = None
    ) -> list[tuple[Tensor, Tensor]]:
        """(outer, inner) pixels [T, n, 3] along top, bottom, left and right: the `outside`-th beyond the edge and the
        `inside`-th within; as far as the options skip where not given."""
        outside, inside = (self.options.skip if n is None else n for n in (outside, inside))
        top, left, bottom, right = self.region.top, self.region.left, self.region.bottom, self.region.right
        rows, columns = slice(top + inside, bottom - inside), slice(left + inside, right - inside)
        return [
            (frames[:, top - outside, columns], frames[:, top + inside - 1, columns]),
            (frames[:, bottom + outside - 1, columns], frames[:, bottom - inside, columns]),
            (frames[:, rows, left - outside], frames[:, rows, left + inside - 1]),
            (frames[:, rows, right + outside - 1], frames[:, rows, right - inside]),
        ]

    def strength(self, frames: Tensor) -> Tensor:
        """How much of the box is there in each of frames [T, H, W, 3]: [T], 1 where all of it, 0 where nothing or
        something else."""
        options = self.options
        top, takes = [], []
        for outer, inner in self.sides(frames):
            full = (1 - self.through) * outer - self.added  # what the box takes away at full strength
            top.append((full * (outer - inner)).mean((1, 2)))
            takes.append(full.square().mean((1, 2)))
        top, takes = torch.stack(top, 1), torch.stack(takes, 1)  # [T, 4]
        seen = takes > options.colour_contrast**2  # at the others the scene has the box's colour
        own = (
            temporal_median(torch.where(seen, top / takes.clamp_min(1e-6), torch.nan))
            if len(frames) > 2
            else top / takes.clamp_min(1e-6)
        )
        strength, pooled = own.nanquantile(0.5, 1), top.sum(1) / takes.sum(1).clamp_min(1e-6)
        agree = ~((own - strength[:, None]).abs() > options.absent * strength[:, None])
        strength = torch.where(
            agree.all(1) & (strength > options.weakest) & (strength < options.strongest), strength, 0
        )
        # mostly all of it is there, and one good estimate of the two is enough to say so
        strength = torch.where(
            (strength > 0) & (((strength - 1).abs() < options.nearly) | ((pooled - 1).abs() < options.nearly)),
            strength.new_ones(()),
            strength,
        )
        return temporal_median(strength[:, None, None])[:, 0, 0] if len(strength) > 2 else strength
