"""Fill masked pixels from what surrounds them: the floor that the network must rise above."""
import torch
from torch import Tensor
from torch.nn import functional as F

JACOBI_STEPS = 60   # measured: more does not help, fewer leaves the pyramid's blocks
MARGIN = 24         # pixels of surroundings around the mask's bounding box that take part


def push_pull(frames: Tensor, known: Tensor) -> Tensor:
    """Pyramid fill. frames [T, 3, H, W], known [T, 1, H, W] weights 0..1 -> frames with unknown pixels interpolated.

    Push: weighted averages of 2x2 pixels until everything is known. Pull: each level fills its holes from the coarser one.
    """
    if min(frames.shape[-2:]) <= 1 or bool(known.flatten(1).amin() > 0):
        return frames
    height, width = frames.shape[-2:]
    pad = (0, width % 2, 0, height % 2)
    weight = F.pad(known, pad)
    total = F.avg_pool2d(weight, 2)
    coarse = F.avg_pool2d(F.pad(frames * known, pad), 2) / total.clamp_min(1e-8)
    coarse = push_pull(coarse, (total * 4).clamp(max=1))
    fine = F.interpolate(coarse, scale_factor=2.0, mode="bilinear")[..., :height, :width]
    return frames * known + fine * (1 - known)


def fill(frames: Tensor, mask: Tensor) -> Tensor:
    """frames [T, H, W, 3] in 0..1 with the pixels of mask [T, H, W] (true = unknown) filled smoothly; the others as they are."""
    out = frames.clone()
    rows, columns = mask.bool().any(0).any(1).nonzero(), mask.bool().any(0).any(0).nonzero()
    if not len(rows):
        return out
    box = (slice(None), slice(max(0, rows[0].item() - MARGIN), rows[-1].item() + MARGIN), slice(max(0, columns[0].item() - MARGIN), columns[-1].item() + MARGIN))
    hole = mask[box].bool()[:, None]
    known = (~hole).to(frames.dtype)
    x = frames[box].permute(0, 3, 1, 2)
    x = torch.where(hole, push_pull(x * known, known), x)
    for _ in range(JACOBI_STEPS):
        p = F.pad(x, (1, 1, 1, 1), mode="replicate")
        x = torch.where(hole, (p[..., :-2, 1:-1] + p[..., 2:, 1:-1] + p[..., 1:-1, :-2] + p[..., 1:-1, 2:]) / 4, x)
    out[box] = x.permute(0, 2, 3, 1)
    return out
