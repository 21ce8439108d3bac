"""Backgrounds that lines of text hide, and how far what is filled in is from them."""

import torch
from torch.nn import functional as F


def texture(height=72, width=160, seed=0):
    """A background that no smooth fill can guess."""
    noise = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))
    return (
        F.avg_pool2d(F.pad(noise, (2, 2, 2, 2), mode="replicate"), 5, 1)[0]
        .permute(1, 2, 0)
        .sub(0.5)
        .mul(3)
        .add(0.5)
        .clamp(0, 1)
    )


def lines(count=24, height=72, width=160):
    """A line of text at one place, then at another, then none."""
    mask = torch.zeros(count, height, width)
    mask[:10, 30:46, 20:90] = 1
    mask[10:20, 30:46, 70:140] = 1
    return mask


def error(result, clean, mask):
    return (result - clean)[mask > 0].square().mean().sqrt()


def subtitled(clean, mask):
    return torch.where(mask[..., None] > 0, torch.ones(()), clean)
