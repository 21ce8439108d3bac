"""The frame as an engine sees it: scaled to a working size and padded to the codec's grid, and the way back.

One frame at a time: of a window in full size no copy is made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain

from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from .region import Region


class Canvas:
    """Between source frames of (height, width) and working frames of at most max_pixels (None: the source's own size),
    padded to multiples of `multiple`."""

    def __init__(self, source: tuple[int, int], max_pixels: int | None = None, multiple: int = 1):
        height, width = self.source = source
        scale = 1.0 if max_pixels is None else min(1.0, math.sqrt(max_pixels / (height * width)))
        self.working = (max(1, int(height * scale)), max(1, int(width * scale)))
        height, width = (-(-side // multiple) * multiple for side in self.working)
        self.padded = height, width

    @property
    def whole(self) -> Region:
        return Region(0, 0, *self.padded)

    @property
    def scaled(self) -> bool:
        """Whether working frames have another size than the source's."""
        return self.working != self.source

    def enter(self, frame: Tensor) -> Tensor:
        """A frame [H, W, 3] -> [*padded, 3]; its edges are repeated to fill up."""
        x = rearrange(frame, "h w c -> 1 c h w")
        if self.scaled:
            x = F.interpolate(x, self.working, mode="bicubic", antialias=True).clamp(0, 1)
        x = F.pad(x, (0, self.padded[1] - self.working[1], 0, self.padded[0] - self.working[0]), mode="replicate")
        return rearrange(x, "1 c h w -> h w c")

    def enter_mask(self, mask: Tensor) -> Tensor:
        """A binary mask [H, W] -> [*padded]; a cell is marked where any of its pixels is, and none beyond the frame."""
        small = F.adaptive_max_pool2d(mask[None], self.working)[0] if self.scaled else mask
        return F.pad(small, (0, self.padded[1] - self.working[1], 0, self.padded[0] - self.working[0]))

    def leave(self, frame: Tensor) -> Tensor:
        """A working frame, or the difference of two, [*padded, 3] -> [H, W, 3]. Not clamped."""
        x = rearrange(frame[: self.working[0], : self.working[1]], "h w c -> 1 c h w")
        if self.scaled:
            x = F.interpolate(x, self.source, mode="bicubic")
        return rearrange(x, "1 c h w -> h w c")

    def leave_mask(self, mask: Tensor) -> Tensor:
        """A binary mask [*padded] -> [H, W]."""
        x = mask[: self.working[0], : self.working[1]]
        return F.interpolate(x[None, None], self.source, mode="nearest")[0, 0] if self.scaled else x


def stacked(frames: Iterable[Tensor], count: int, group: int = 1) -> Tensor:
    """`count` frames or masks of one shape as [T, ...], T = group * k + 1: the last is repeated until the last group is
    full. Takes them one at a time, so that there is one copy of them and not two."""
    rest = iter(frames)
    first = next(rest)
    out = first.new_empty(count + -(count - 1) % group, *first.shape)
    for t, frame in enumerate(chain((first,), rest)):
        out[t] = frame
    out[count:] = out[count - 1].clone()
    return out
