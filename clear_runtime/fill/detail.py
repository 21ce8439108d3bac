"""More of the fine detail that a fill has, until it has the share of it that is around.

A fill that is near to the truth on average has less detail than it. To multiply what is there costs least: what is
added lies along the best guess, where texture that has nothing to do with the truth adds its whole energy to the error.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..frames.box_filter import box_mean

WINDOW = 5
"""Side of the square in pixels whose mean is no detail."""
AROUND = 24
"""Pixels to each side over which detail is compared."""
SHARE = 0.8
"""Of the surroundings' energy of detail."""
MOST = 1.5
"""Times as much as there was."""
NOISE = (1.5 / 255) ** 2 / 4
"""Energy that says nothing: flat places stay as they are."""


def with_detail(filled: Tensor, known: Tensor) -> Tensor:
    """filled [3, h, w] in 0..1 with its detail multiplied by up to MOST where known [1, h, w] bool is False; known
    pixels as they are."""
    picture, shown = filled[None], known[None].float()
    fine = picture - F.avg_pool2d(picture, WINDOW, 1, WINDOW // 2, count_include_pad=False)
    energy = fine.mean(1, keepdim=True).square()
    # detail beside a hole is the hole's too
    sure = -F.max_pool2d(-shown, WINDOW, 1, WINDOW // 2)
    around, inside = (
        box_mean(energy * weight, AROUND) / box_mean(weight, AROUND).clamp_min(1e-6) for weight in (sure, 1 - shown)
    )
    times = ((SHARE * around + NOISE) / (inside + NOISE)).sqrt().clamp(1, MOST)
    return torch.where(known, filled, (picture + (times - 1) * fine)[0].clamp(0, 1))
