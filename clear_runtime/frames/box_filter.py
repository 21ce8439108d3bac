"""The mean over squares around every pixel, and over those of a grid."""

import torch
from torch import Tensor
from torch.nn import functional as F


def box_mean(x: Tensor, reach: int, inside: bool = False) -> Tensor:
    """[N, C, h, w] -> the same: means over squares that reach `reach` pixels on every side. What lies beyond the border
    counts as 0; or with `inside` those squares alone that lie within it, [N, C, h - 2 reach, w - 2 reach].

    Sums of 1, 2, 4 ... neighbours are made of one another, so that a wide square costs little more than a narrow one; a
    running sum would cost less, but its rounding depends on what lies far away.
    """
    size = 2 * reach + 1
    padded = x if inside else F.pad(x, (reach, reach, reach, reach))
    return _runs(_runs(padded, size, 3), size, 2).div_(size * size)  # a square is its rows, then its columns


def _runs(x: Tensor, size: int, dim: int) -> Tensor:
    """Sums of `size` neighbours along a dimension, which is `size` - 1 shorter then."""
    length, start, span = x.shape[dim] - size + 1, 0, 1
    total: Tensor | None = None
    while True:
        if size & span:
            part = x.narrow(dim, start, length)
            total = part.clone() if total is None else total.add_(part)
            start += span
        if 2 * span > size:
            return x.narrow(dim, 0, length) if total is None else total
        x = x.narrow(dim, 0, x.shape[dim] - span) + x.narrow(dim, span, x.shape[dim] - span)
        span *= 2


def mean_of_four(x: Tensor) -> Tensor:
    """[..., h, w] -> the mean of each two by two [..., h / 2, w / 2]; where a side is odd, of those that there are at
    its end. avg_pool2d takes four times as long on a CPU."""
    height, width = x.shape[-2:]
    rows = x.new_empty(*x.shape[:-2], (height + 1) // 2, width)
    torch.add(x[..., : height - 1 : 2, :], x[..., 1::2, :], out=rows[..., : height // 2, :])
    if height % 2:
        torch.mul(x[..., -1, :], 2, out=rows[..., -1, :])
    out = x.new_empty(*rows.shape[:-1], (width + 1) // 2)
    torch.add(rows[..., : width - 1 : 2], rows[..., 1::2], out=out[..., : width // 2])
    if width % 2:
        torch.mul(rows[..., -1], 2, out=out[..., -1])
    return out.mul_(0.25)
