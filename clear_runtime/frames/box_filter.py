"""The mean over squares around every pixel."""

from torch import Tensor
from torch.nn import functional as F


def box_mean(x: Tensor, reach: int) -> Tensor:
    """[N, C, h, w] -> the same: means over squares that reach `reach` pixels on every side. What lies beyond the border
    counts as 0.

    Sums of 1, 2, 4 ... neighbours are made of one another, so that a wide square costs little more than a narrow one; a
    running sum would cost less, but its rounding depends on what lies far away.
    """
    size = 2 * reach + 1
    padded = F.pad(x, (reach, reach, reach, reach))
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
