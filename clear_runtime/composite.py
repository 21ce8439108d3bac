"""Put new pixels over the source: where, how softly, and nothing anywhere else.

Masks are [T, H, W] in 0..1; sizes are in pixels of the source.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from .fill.harmonic import harmonic
from .frames.region import blocks

MARGIN = 24
"""Pixels around a mask that `match` looks at."""
BLUR = 9
"""Side of the box in pixels over which `match` averages the difference to the source: wide enough to lose a codec's
noise."""


def composite_(source: Tensor, new: Tensor, alpha: Tensor) -> Tensor:
    """Put new, brought into 0..1, over source where alpha [T, H, W] is 1, and a mixture where it is between 0 and 1;
    elsewhere source keeps its bits. In place; returns source. Both [T, H, W, 3] float32."""
    for block in blocks(alpha, 0):
        for old, above, share in zip(
            block.of(source), block.of(new), block.of(alpha)[..., None]
        ):  # frame by frame: no copy of all
            old.copy_(torch.where(share > 0, torch.lerp(old, above.clamp(0, 1), share), old))
    return source


def match(source: Tensor, new: Tensor, mask: Tensor) -> Tensor:
    """`new` [T, H, W, 3] shifted in colour inside the mask so that it joins `source` there without a seam.

    A codec moves every colour a little. What it did just outside the mask, source - new averaged over a few pixels, is
    carried into the mask as a smooth surface and added. mask [T, H, W] is everything that may be subtitle: there the
    source says nothing about the background. Frames that are all mask stay as they are.
    """
    out = new.clone()
    for block in blocks(mask, MARGIN):
        for old, moved, known in zip(block.of(source), block.of(out), block.of(mask) == 0):
            if known.any() and not known.all():
                shift = _shift(rearrange(old - moved, "h w c -> 1 c h w"), known[None, None])
                moved += torch.where(known[..., None], 0, rearrange(shift, "1 c h w -> h w c"))
    return out


def _shift(difference: Tensor, known: Tensor) -> Tensor:
    """The smooth surface [1, 3, h, w] through what `difference` is on average around the pixels that are known [1, 1,
    h, w]."""
    average = lambda x: F.avg_pool2d(x, BLUR, 1, BLUR // 2, count_include_pad=False)
    return harmonic(average(difference * known) / average(known.float()).clamp_min(1e-8), known)
