"""Controls whose subtitle is painted over: what the released weights saw in 60 % of their steps (train_stage2.py)."""

from __future__ import annotations

import torch
from torch import Tensor

from ...frames.masks import grow

PAINTED = {"coloured": 0.1, "black": 0.1, "ringed": 0.4}
"""Way -> share of the examples that are shown it."""
DILATED, RING = 1, 6
"""Pixels by which the mask is widened, and up to which the ring around the letters goes: kernels of 3 and 13."""
DARKEST = 0.1
"""The ring's colour is at most as bright."""


def painted_over(frames: Tensor, soft: Tensor, seed: int) -> tuple[dict[str, Tensor], Tensor]:
    """frames [T, H, W, 3] and the prior's masks [T, H, W] -> the frames in each way of PAINTED, and the hard mask
    [T, H, W], 0 or 1, widened by DILATED.

    coloured: letters and their edge in one random colour; black: in black; ringed: a dark ring around letters that
    stay. One colour for a clip, where the authors draw one for each step.
    """
    generator = torch.Generator().manual_seed(seed)
    colour, dark = torch.rand(3, generator=generator), torch.rand(3, generator=generator) * DARKEST
    letters = (soft > 0.5).float()
    hard = grow(letters, DILATED)
    ring = grow(letters, RING) - letters
    over = lambda mask, paint: torch.where(mask[..., None] > 0, paint, frames)
    return {"coloured": over(hard, colour), "black": over(hard, torch.zeros(3)), "ringed": over(ring, dark)}, hard
