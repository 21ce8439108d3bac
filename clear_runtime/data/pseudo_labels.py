"""Pseudo-labels: where a subtitled frame differs from its clean twin. They stand in for masks, which nobody drew."""

import math

import torch
from torch import Tensor

STD = 1.0  # CLEAR, Stage I: the threshold is mean + 1.0 standard deviation of the frame's difference
LEAST_SHARE = 0.0012  # CLEAR, Stage I: frames with fewer positive pixels than this are left out
VISIBLE = 0.05 * math.sqrt(3)
"""No difference below this is a subtitle: 0.05 in each of R, G and B, the level from which CLEAR's published trainer
counts a pixel as changed. Two encodings of the same frame differ by noise, and mean + std of noise marks a seventh of
it: without a floor the rule on the share would leave no frame out."""


def difference(subtitled: Tensor, clean: Tensor) -> Tensor:
    """D = ||X_sub - X_clean||_2 over R, G, B: two times [..., H, W, 3] in 0..1 -> [..., H, W] in 0..sqrt(3)."""
    return torch.linalg.vector_norm(subtitled.float() - clean.float(), dim=-1)


def labels(subtitled: Tensor, clean: Tensor, std: float = STD, visible: float = VISIBLE) -> Tensor:
    """M: the pixels with D > mean(D) + std(D) of their own frame, two times [T, H, W, 3] in 0..1 -> [T, H, W] of 0 and
    1."""
    return labels_of(difference(subtitled, clean), std, visible)


def labels_of(d: Tensor, std: float = STD, visible: float = VISIBLE) -> Tensor:
    """M of differences D [T, H, W]."""
    deviation, mean = torch.std_mean(d.flatten(1), dim=1, correction=0)
    return (d > (mean + std * deviation).clamp(min=visible)[:, None, None]).float()


def frame_worth_training(d: Tensor) -> bool:
    """Whether one frame's D [H, W] has enough subtitle to learn from: worth_training of its labels, which cannot be
    more pixels than those above VISIBLE are. Of most frames without a subtitle nothing more is computed."""
    if (d > VISIBLE).count_nonzero().item() < LEAST_SHARE * d.numel():
        return False
    return bool(worth_training(labels_of(d[None])))


def worth_training(masks: Tensor, least: float = LEAST_SHARE) -> Tensor:
    """Which frames have enough subtitle to learn from: labels [T, H, W] -> [T] bool."""
    return masks.flatten(1).mean(1) >= least
