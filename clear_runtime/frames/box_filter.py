"""The mean over squares around every pixel."""

from torch import Tensor
from torch.nn import functional as F


def box_mean(x: Tensor, reach: int) -> Tensor:
    """[N, C, h, w] -> the same: means over squares that reach `reach` pixels on every side. What lies beyond the border
    counts as 0."""
    size = 2 * reach + 1
    rows = F.avg_pool2d(x, (1, size), 1, (0, reach))  # a square is its rows, then its columns
    return F.avg_pool2d(rows, (size, 1), 1, (reach, 0))
