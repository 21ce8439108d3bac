"""Fill masked pixels from what surrounds them in space and time: the floor under everything the network adds."""
import torch
from torch import Tensor
from torch.nn import functional as F

from .borrow import borrow, lenders
from .errors import ClearError
from .regions import blocks

STEPS = 20
"""Jacobi steps at each scale. 40 gain 0.05 dB, 10 lose 0.1 dB."""
MARGIN = 32
"""Pixels around the holes that the fill looks at."""


def fill(frames: Tensor, mask: Tensor) -> Tensor:
    """frames [T, H, W, 3] with the pixels where mask [T, H, W] is not zero replaced; all others stay bit for bit.

    The frames follow one another in one shot or several: where the background stands still, a pixel that another frame
    shows is taken from there (borrow.py), else it is the smooth continuation of its surroundings. A frame that is masked
    from edge to edge stays as it is: nothing is known of it. Raises ClearError when frames and mask differ in count or size.
    """
    if frames.shape[:3] != mask.shape:
        raise ClearError(f"The mask has shape {tuple(mask.shape)}, the frames {tuple(frames.shape[:3])}: "
                         "a fill needs one mask value for each pixel of each frame.")
    out = frames.clone()
    for block in blocks(mask, MARGIN):
        pixels, known = block.of(frames).permute(0, 3, 1, 2), (block.of(mask) == 0)[:, None]
        # frame by frame, so that beyond `out` no more than a frame is held at once
        for t, others in enumerate(lenders(known)):
            if known[t].all() or not known[t].any():
                continue
            filled = borrow(pixels, known, t, others, harmonic(pixels[t:t + 1].float(), known[t:t + 1])[0])
            block.of(out)[t] = torch.where(known[t], pixels[t], filled).permute(1, 2, 0)
    return out


def harmonic(pixels: Tensor, known: Tensor) -> Tensor:
    """The smoothest surface through the known pixels of [N, C, h, w]; known [N, 1, h, w] bool has at least one per picture.

    By scales: a push-pull pyramid (Gortler et al., "The Lumigraph", 1996) whose every level is relaxed towards Laplace's
    equation before the next finer one starts from it.
    """
    height, width = pixels.shape[-2:]
    if known.all() or height == width == 1:
        return pixels
    pad = (0, width % 2, 0, height % 2)
    weight = F.avg_pool2d(F.pad(known.float(), pad), 2)
    coarse = F.avg_pool2d(F.pad(pixels * known, pad), 2) / weight.clamp_min(1e-8)
    guess = F.interpolate(harmonic(coarse, weight > 0), (height, width), mode="bilinear")
    x = torch.where(known, pixels, guess)
    for _ in range(STEPS):
        p = F.pad(x, (1, 1, 1, 1), mode="replicate")
        around = (p[..., 1:-1, :-2] + p[..., 1:-1, 2:] + p[..., :-2, 1:-1] + p[..., 2:, 1:-1]) / 4
        x = torch.where(known, pixels, around)
    return x
