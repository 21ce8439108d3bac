"""Where the user says that there is a subtitle: a mask, drawn or from a segmenter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from .look import Scales
from .rows import Row

MOST = 0.6
"""Share of a row that must lie in the mask to be meant."""


@dataclass(frozen=True, eq=False)
class Place:
    """mask: [T, H, W] or [1, H, W] for every frame, in 0..1."""

    mask: Tensor

    def of(self, t: int) -> Tensor:
        """The mask of frame t [H, W] bool."""
        return self.mask[min(t, len(self.mask) - 1)] > 0.5

    def holds(self, t: int, row: Row, scales: Scales) -> bool:
        """Whether most of a row in frame t lies in it."""
        mask = F.interpolate(self.of(t)[None, None].float(), scales.fine)[0, 0]
        inside = row.region.of(mask[None])[0].numpy() > 0.5
        marks = row.soft > 0
        return bool(np.count_nonzero(inside & marks) >= MOST * np.count_nonzero(marks))
