"""Masks from pixels to the cells of a latent video, and back.

The first latent frame holds frame 0 alone, every other one `temporal` frames; a cell holds `spatial` pixels in height
and width.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def frames_to_cells(masks: Tensor, spatial: int, temporal: int) -> Tensor:
    """[T, H, W], T = temporal k + 1 -> [t, H / spatial, W / spatial] float: the maximum over each cell's frames and
    pixels."""
    padded = torch.cat([masks[:1].expand(temporal - 1, -1, -1), masks])
    return F.max_pool3d(padded[None].float(), (temporal, spatial, spatial))[0]


def cells_to_frames(cells: Tensor, spatial: int, temporal: int) -> Tensor:
    """[t, h, w] bool -> masks [(t - 1) * temporal + 1, h * spatial, w * spatial] float: every frame and pixel of a
    marked cell."""
    repeats = torch.full((len(cells),), temporal, device=cells.device)
    repeats[0] = 1
    frames = cells.repeat_interleave(repeats, 0)
    return frames.repeat_interleave(spatial, 1).repeat_interleave(spatial, 2).float()
