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
    """Masks [T, H, W] of what was changed, nothing where 0 -> [T, H, W] bool of what of it is a row of text, and is one
    for more than a moment."""
    rows = torch.zeros(changed.shape, dtype=torch.bool)
    for row, mask in zip(rows, changed):
        _mark_rows(row, mask)
    lasting = torch.zeros_like(rows)
    for t in range(len(rows)):
        # int16 of one frame: a sum of booleans over all would hold eight bytes for each of their pixels
        near = rows[max(0, t - AROUND) : t + AROUND + 1].sum(0, dtype=torch.int16)
        lasting[t] = rows[t] & (near >= min(SHOWN, len(rows)))
    return lasting


def _mark_rows(out: Tensor, mask: Tensor) -> None:
    """Set `out` [H, W] bool where a mask [H, W] has rows of text."""
    for row in rows_of((mask.numpy() > 0).astype(np.uint8) * 255, 0.5):
        if row.letter <= TALLEST * mask.shape[0]:
            row.region.of(out[None])[0][torch.from_numpy(row.marks)] = True
