"""Keep marks that add up to a line of text; specks of a busy texture and graphics in a corner are dropped."""

import torch
from torch import Tensor
from torch.nn import functional as F

ACROSS = 80
"""Cells along the longer side of a frame: one is about a third of a letter."""
REACH = (1, 3)
"""Cells, up and down and sideways, over which marks belong together: words of a line do, specks far apart do not."""
SMALLEST = 0.0008
"""Share of the frame that a line covers at least: 180 of 640 x 352 pixels, two or three small letters."""
CORNER = (0.25, 0.28)
"""Shares of the height and width: marks wholly inside such a corner are a score, a clock or a logo. Lines are nearer
the middle."""


def keep_lines(mask: Tensor, corners: bool = False) -> Tensor:
    """Binary masks [T, H, W] without the groups of marks that are too small or sit in a corner, each frame on its own.
    Float 0 or 1.

    corners: keep those in a corner too.
    """
    if not mask.any():
        return mask.float()
    count, height, width = mask.shape
    cell = -(-max(height, width) // ACROSS)
    padded = F.pad(mask.float(), (0, -width % cell, 0, -height % cell))[:, None]
    area = F.avg_pool2d(padded, cell) * cell * cell
    marked = area > 0
    labels = torch.arange(1, area.numel() + 1, dtype=torch.float64, device=area.device).view_as(area) * marked
    while True:  # the largest label of a group wins, a reach further at each turn
        spread = F.max_pool2d(labels, [2 * r + 1 for r in REACH], 1, REACH) * marked
        if torch.equal(spread, labels):
            break
        labels = spread
    groups = labels.flatten().long()
    size = area.new_zeros(area.numel() + 1).index_add_(0, groups, area.flatten())
    line = size >= SMALLEST * height * width
    cornered = torch.ones_like(line)
    for axis, side, share in ((2, height, CORNER[0]), (3, width, CORNER[1])):
        place = (
            torch.arange(area.shape[axis], dtype=torch.float32, device=area.device).view(
                [-1 if a == axis else 1 for a in range(4)]
            )
            * cell
        )
        first, last = (
            torch.zeros_like(size).scatter_reduce_(0, groups, place.expand_as(area).flatten(), how, include_self=False)
            for how in ("amin", "amax")
        )
        cornered &= (last + cell <= share * side) | (first >= (1 - share) * side)
    kept = (line if corners else line & ~cornered)[groups].view_as(area) & marked
    return mask.float() * F.interpolate(kept.float(), scale_factor=cell)[:, 0, :height, :width]
