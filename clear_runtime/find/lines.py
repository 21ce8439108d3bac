"""Keep marks that add up to a line of text; specks of a busy texture and graphics in a corner are dropped."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class LineRules:
    """What a line is.

    across: cells along the longer side of a frame; one is about a third of a letter.
    reach: cells, up and down and sideways, over which marks belong together: words of a line do, specks far apart do
    not.
    smallest: share of the frame that a line covers at least: 180 of 640 x 352 pixels, two or three small letters.
    corner: shares of the height and width; marks wholly inside such a corner are a score, a clock or a logo. Lines are
    nearer the middle.
    """

    across: int = 80
    reach: tuple[int, int] = (1, 3)
    smallest: float = 0.0008
    corner: tuple[float, float] = (0.25, 0.28)


def keep_lines(mask: Tensor, corners: bool = False, rules: LineRules = LineRules()) -> Tensor:
    """Binary masks [T, H, W] without the groups of marks that are too small or sit in a corner, each frame on its own.
    Float 0 or 1.

    corners: keep those in a corner too.
    """
    if not mask.any():
        return mask.float()
    height, width = mask.shape[1:]
    cell = -(-max(height, width) // rules.across)
    padded = F.pad(mask.float(), (0, -width % cell, 0, -height % cell))
    area = F.avg_pool2d(padded, cell) * cell * cell
    groups, count = _groups(area > 0, rules.reach)
    size = torch.zeros(count + 1).index_add_(0, groups.flatten(), area.flatten())
    kept = size >= rules.smallest * height * width
    if not corners:
        kept &= ~_cornered(groups, count, cell, (height, width), rules.corner)
    kept[0] = False  # cells without a mark
    return mask.float() * F.interpolate(kept[groups].float()[:, None], scale_factor=cell)[:, 0, :height, :width]


def _groups(marked: Tensor, reach: tuple[int, int]) -> tuple[Tensor, int]:
    """Cells [T, h, w] bool -> the group of each from 1 on, 0 where there is no mark; and how many groups there are.

    Marks within `reach` of each other are one group. Each is made `reach` cells large, downwards and to the right:
    two of these touch, by a side or a corner, just where their marks are within reach.
    """
    down, right = reach
    large = F.max_pool2d(F.pad(marked.float(), (right - 1, 0, down - 1, 0)), reach, 1)
    touching = np.zeros((3, 3, 3))
    touching[1] = 1  # within a frame, not from one to the next
    labels, count = ndimage.label(large.cpu().numpy(), touching)
    return torch.from_numpy(labels).to(marked.device, torch.long) * marked, count


def _cornered(groups: Tensor, count: int, cell: int, sides: tuple[int, int], corner: tuple[float, float]) -> Tensor:
    """[count + 1] bool: whether a group of cells lies wholly inside a corner of a frame of these sides."""
    cornered = torch.ones(count + 1, dtype=torch.bool)
    for axis, side, share in zip((1, 2), sides, corner):
        place = torch.arange(groups.shape[axis], dtype=torch.float32) * cell
        place = (place[:, None] if axis == 1 else place).expand_as(groups).flatten()
        first, last = (
            torch.zeros(count + 1).scatter_reduce_(0, groups.flatten(), place, how, include_self=False)
            for how in ("amin", "amax")
        )
        cornered &= (last + cell <= share * side) | (first >= (1 - share) * side)
    return cornered
