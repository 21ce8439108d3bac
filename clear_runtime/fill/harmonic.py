"""The smoothest surface through known pixels: what a fill starts from, and how colours are matched across a mask."""

import torch
from torch import Tensor
from torch.nn import functional as F

STEPS = 20
"""Jacobi steps at each scale. 40 gain 0.05 dB, 10 lose 0.1 dB."""


def harmonic(pixels: Tensor, known: Tensor) -> Tensor:
    """The smoothest surface through the known pixels of [N, C, h, w]; known [N, 1, h, w] bool has at least one per
    picture.

    By scales: a push-pull pyramid (Gortler et al., "The Lumigraph", 1996) whose every level is relaxed towards
    Laplace's equation before the next finer one starts from it.
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
