"""The frame as the network sees it: scaled to a working size and padded to the codec's grid, and the way back."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ..wan import GROUP
from .region import Region


class Canvas:
    """Between source frames of (height, width) and working frames of at most max_pixels, padded to multiples of
    `multiple`."""

    def __init__(self, source: tuple[int, int], max_pixels: int, multiple: int):
        height, width = self.source = source
        scale = min(1.0, math.sqrt(max_pixels / (height * width)))
        self.working = (max(1, int(height * scale)), max(1, int(width * scale)))
        self.padded = tuple(-(-side // multiple) * multiple for side in self.working)

    @property
    def whole(self) -> Region:
        return Region(0, 0, *self.padded)

    def enter(self, frames: Tensor) -> Tensor:
        """Frames [T, H, W, 3] -> [T', *padded, 3], T' = 4k + 1. Edges and the last frame are repeated to fill up."""
        x = frames.permute(0, 3, 1, 2)
        if self.working != self.source:
            x = F.interpolate(x, self.working, mode="bicubic", antialias=True).clamp(0, 1)
        x = F.pad(x, (0, self.padded[1] - self.working[1], 0, self.padded[0] - self.working[0]), mode="replicate")
        missing = -(len(x) - 1) % GROUP
        return torch.cat([x, x[-1:].expand(missing, -1, -1, -1)]).permute(0, 2, 3, 1)

    def enter_mask(self, mask: Tensor) -> Tensor:
        """A binary mask [T, H, W] -> [T, *working]; a cell is marked where any of its pixels is."""
        if self.working == self.source:
            return mask
        return F.adaptive_max_pool2d(mask[:, None], self.working)[:, 0]

    def leave(self, frames: Tensor, count: int) -> Tensor:
        """Working frames, or differences of such, [T', *padded, 3] -> [count, H, W, 3]. Not clamped."""
        x = frames[:count, : self.working[0], : self.working[1]].permute(0, 3, 1, 2)
        if self.working != self.source:
            x = F.interpolate(x, self.source, mode="bicubic")
        return x.permute(0, 2, 3, 1)

    def leave_mask(self, mask: Tensor, count: int) -> Tensor:
        """A binary mask [T', *padded] -> [count, H, W]."""
        x = mask[:count, : self.working[0], : self.working[1]]
        return x if self.working == self.source else F.interpolate(x[:, None], self.source, mode="nearest")[:, 0]
