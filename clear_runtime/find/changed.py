"""What a model changed as a row of text: its picture drifts a little everywhere, and only rows are subtitles."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .rows import rows_of

TALLEST = 0.25
"""Share of the frame's height that letters have at most; what is taller is a part of the scene that was repainted."""
AROUND, SHOWN = 4, 5
"""Frames before and after in which a pixel is looked for, and in how many of all these it must be a row's."""


def rows_that_last(changed: Tensor) -> Tensor:
    """Masks [T, H, W], 0 or 1, of what was changed -> the same without all that is no row of text, or is one for a
    moment only."""
    rows = torch.stack([_rows(mask) for mask in changed]) if len(changed) else changed
    counts = torch.zeros_like(rows)
    for t in range(len(rows)):
        counts[t] = rows[max(0, t - AROUND) : t + AROUND + 1].sum(0)
    return rows * (counts >= min(SHOWN, len(rows)))


def _rows(mask: Tensor) -> Tensor:
    out = np.zeros(tuple(mask.shape), dtype=np.float32)
    for row in rows_of((mask.numpy() > 0).astype(np.uint8) * 255, 0.5):
        if row.letter <= TALLEST * mask.shape[0]:
            part = out[row.region.rows, row.region.columns]
            part[row.marks] = 1
    return torch.from_numpy(out)
