"""A picture's colours between its pixels, made of known pixels alone."""

from __future__ import annotations

import torch
from torch import Tensor

SHARP = -0.75
"""Slope of the cubic at its first zero (Keys, "Cubic convolution interpolation", 1981; torch's own value)."""
TRACE = 1e-3
"""Weight of an unknown pixel that is left out of the count: a place that is nearly a pixel's has a trace of its
neighbours'."""


def shown_at(known: Tensor, points: Tensor) -> Tensor:
    """Which of n points [n, 2] of (x, y) lie between four known pixels of [h, w] bool, [n] bool."""
    _, shown, part = _around(known, points, 0, 1)
    return (shown * _linear(part)).sum((0, 1)) > 1 - TRACE


def sampled(picture: Tensor, known: Tensor, points: Tensor) -> Tensor:
    """Colours [3, n] of a picture [3, h, w] at points [n, 2] of (x, y) that lie between four known pixels of [h, w]
    bool: cubic where all sixteen around are known, else linear between the four."""
    place, shown, part = _around(known, points, -1, 2)
    colours = torch.where(shown, picture.flatten(1)[:, place].float(), 0)
    across, down = _cubic(part).unbind(1)
    sharp = ((colours * across).sum(2) * down).sum(1).clamp(0, 1)
    linear = _linear(part) * shown[1:3, 1:3]
    soft = (colours[:, 1:3, 1:3] * linear).sum((1, 2)) / linear.sum((0, 1)).clamp_min(0.5)
    return torch.where(shown.flatten(0, 1).all(0), sharp, soft)


def _around(known: Tensor, points: Tensor, first: int, last: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of the pixels from `first` to `last` rows and columns away from the one above and left of each point: their
    places in the flattened picture and whether they are known, both [rows, columns, n]; and how far the points are from
    that one, [2, n] (x, y) of 0 to 1."""
    height, width = known.shape
    corner = points.floor()
    steps = torch.arange(first, last + 1, device=points.device)[:, None]
    columns, rows = (of + steps for of in corner.long().T)
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    place = (rows.clamp(0, height - 1) * width)[:, None] + columns.clamp(0, width - 1)
    return place, inside & known.flatten()[place], (points - corner).T


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
