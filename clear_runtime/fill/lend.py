"""A picture's colours between its pixels, made of known pixels alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .motion import at_points

TRACE = 1e-3
"""Weight of an unknown pixel that is left out of the count: a place that is nearly a pixel's has a trace of its
neighbours'."""


def shown_at(known: Tensor, points: Tensor) -> Tensor:
    """Which of n points [n, 2] of (x, y) lie between four known pixels of [h, w] bool, [n] bool."""
    return at_points(known[None, None].float(), points)[0] > 1 - TRACE


def sampled(picture: Tensor, known: Tensor, points: Tensor) -> Tensor:
    """Colours [3, n] of a picture [3, h, w] at points [n, 2] of (x, y) that lie between four known pixels of [h, w]
    bool: cubic where all sixteen around are known, else linear between the four."""
    corner = points.floor()
    part, (x, y) = (points - corner).T, corner.long().T
    if not part.any():
        return picture[:, y, x].float()
    sharp = _clear(known)[y.clamp(-2, known.shape[0] - 1) + 2, x.clamp(-2, known.shape[1] - 1) + 2]
    # a place on a pixel's edge, which rounding may have cross it, is as good as one TRACE beside it
    beside = (corner.T + part.clamp(TRACE, 1 - TRACE)).T
    # Keys, "Cubic convolution interpolation", 1981
    out = at_points(picture[None].float(), beside, "bicubic").clamp_(0, 1)
    blurred = (~sharp).nonzero()[:, 0]
    colours, shown = _four(picture, known, x[blurred], y[blurred])
    linear = _linear(part[:, blurred]) * shown
    out[:, blurred] = (torch.where(shown, colours, 0) * linear).sum((1, 2)) / linear.sum((0, 1)).clamp_min(0.5)
    return out


def _clear(known: Tensor) -> Tensor:
    """Whether all sixteen pixels around a place are known of [h, w] bool, by the pixel above and left of it: [h + 2, w
    + 2], from two pixels before the first on."""
    wide = F.pad(known, (3, 3, 3, 3))
    rows = wide[:-1] & wide[1:]
    rows = rows[:-2] & rows[2:]
    columns = rows[:, :-1] & rows[:, 1:]
    return columns[:, :-2] & columns[:, 2:]


def _four(picture: Tensor, known: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """N pixels (x, y) with those to the right and below, of a picture [3, h, w] and of what is known of it [h, w]: [3,
    2, 2, n] (rows, columns) float32 and [2, 2, n]; beyond the border nothing is known."""
    height, width = known.shape
    steps = torch.arange(2, device=x.device)[:, None]
    columns, rows = x + steps, y + steps
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    place = (rows.clamp(0, height - 1) * width)[:, None] + columns.clamp(0, width - 1)
    return picture.flatten(1)[:, place].float(), inside & known.flatten()[place]


def _linear(part: Tensor) -> Tensor:
    """The weights [2, 2, n] (rows, columns) of the four pixels around a place [2, n] of 0 to 1."""
    across, down = torch.stack([1 - part, part]).unbind(1)
    return down[:, None] * across
