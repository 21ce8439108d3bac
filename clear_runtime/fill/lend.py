"""A picture's colours between its pixels, made of known pixels alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .motion import at_points

SHARP = -0.75
"""Slope of the cubic at its first zero (Keys, "Cubic convolution interpolation", 1981; torch's own value)."""
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
    sharp = _clear(known)[y.clamp(-2, known.shape[0] - 1) + 2, x.clamp(-2, known.shape[1] - 1) + 2]
    out, blurred = picture.new_empty(3, len(points), dtype=torch.float32), ~sharp
    colours, _ = _around(picture, known, x[sharp], y[sharp], -1, 2)
    across, down = _cubic(part[:, sharp]).unbind(1)
    out[:, sharp] = ((colours * across).sum(2) * down).sum(1).clamp(0, 1)
    colours, shown = _around(picture, known, x[blurred], y[blurred], 0, 1)
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


def _around(picture: Tensor, known: Tensor, x: Tensor, y: Tensor, first: int, last: int) -> tuple[Tensor, Tensor]:
    """The pixels from `first` to `last` rows and columns away from n others (x, y), of a picture [3, h, w] and of what
    is known of it [h, w]: [3, rows, columns, n] float32 and [rows, columns, n]; beyond the border nothing is known."""
    height, width = known.shape
    steps = torch.arange(first, last + 1, device=x.device)[:, None]
    columns, rows = x + steps, y + steps
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    place = (rows.clamp(0, height - 1) * width)[:, None] + columns.clamp(0, width - 1)
    return picture.flatten(1)[:, place].float(), inside & known.flatten()[place]


def _linear(part: Tensor) -> Tensor:
    """The weights [2, 2, n] (rows, columns) of the four pixels around a place [2, n] of 0 to 1."""
    across, down = torch.stack([1 - part, part]).unbind(1)
    return down[:, None] * across


def _cubic(part: Tensor) -> Tensor:
    """The weights [4, ...] of the pixels at -1, 0, 1 and 2 for a place between 0 and 1."""
    near, far = torch.stack([part, 1 - part]), torch.stack([part + 1, 2 - part])
    inner = ((SHARP + 2) * near - (SHARP + 3)) * near * near + 1
    outer = ((SHARP * far - 5 * SHARP) * far + 8 * SHARP) * far - 4 * SHARP
    return torch.stack([outer[0], inner[0], inner[1], outer[1]])
