"""A RAFT network (Teed and Deng, 2020), as torchvision has it, as the flow that the fill follows."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MULTIPLE = 8
"""Sides of a picture are multiples of it: features have an eighth of its size."""
LEAST = 128
"""Pixels of a side at least: of the features, the coarsest of four levels still has two."""
MEMORY = 32
"""Bytes for each two features that are compared: all with all, in float32, at four levels, and what is looked up."""


class Raft:
    """(first, second) [N, 3, h, w] in 0..1 -> where each pixel of `first` lies in `second` [N, 2, h, w], pixels to the
    right and downwards, on the CPU. network: torchvision's raft_large or raft_small, in float32, on `device`."""

    def __init__(self, network: nn.Module, device: str | torch.device = "cpu"):
        self.network, self.device = network, device

    @torch.no_grad()
    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        height, width = first.shape[-2:]
        # at the edge, more of the edge: what is scaled instead moves by other amounts
        pad = (0, _side(width) - width, 0, _side(height) - height)
        one, two = (F.pad(x.to(self.device, torch.float32), pad, mode="replicate") * 2 - 1 for x in (first, second))
        return self.network(one, two)[-1][..., :height, :width].cpu()  # the last of its refinements


def memory(height: int, width: int) -> int:
    """Bytes that a pair of pictures takes beside the network."""
    return MEMORY * (_side(height) * _side(width) // MULTIPLE**2) ** 2


def _side(pixels: int) -> int:
    return max(LEAST, -(-pixels // MULTIPLE) * MULTIPLE)
