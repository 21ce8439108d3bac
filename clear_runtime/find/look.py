"""What a prior sees in a frame, at more than one scale.

A prior knows letters of the sizes that it was trained on. So it is shown the whole frame coarsely, where large letters
are found, and twice as large where letters are or may be, which gives small letters and the shape of all. Some frames
of each batch are looked at closely from edge to edge: letters too small for the coarse look stand for longer than from
one of these to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..frames.region import Region, blocks, bounds

FINE = 1280
"""Pixels of the longer side of the close look, at most: letters of 8 pixels in a frame of 1280 are just readable."""
SMALL = 640
"""A frame smaller than half of this is enlarged for the close look to this: pixel by pixel, letters have no shape."""
FAINT = 0.15
"""How sure the coarse look must be of a place for the close look to go there."""
EDGE_TO_EDGE = 4
"""Looks from one that is close from edge to edge to the next."""
NEAR = 12
"""Pixels around what the close look marks within which it alone counts: its letters are sharper."""
ROOM = 32
"""Pixels around a place that the close look sees beside it."""


@dataclass(frozen=True)
class Scales:
    """The sizes (height, width) at which a frame is looked at; masks have the fine one."""

    source: tuple[int, int]
    coarse: tuple[int, int]
    fine: tuple[int, int]

    @classmethod
    def of(cls, height: int, width: int, long_side: int | None) -> Scales:
        """long_side: of the frames that the prior was trained on; the coarse look has it, or half the close one. None
        where the prior sees every size alike: then there is one look, at the frame's own."""
        if long_side is None:
            return cls(*[(height, width)] * 3)
        longer = max(height, width)
        fine = min(FINE, max(SMALL, 2 * longer))
        coarse = min(long_side, fine // 2 if long_side < FINE else fine)
        size = lambda side: (max(1, round(height * side / longer)), max(1, round(width * side / longer)))
        return cls((height, width), size(coarse), size(max(fine, coarse)))


class Looker:
    """Frames [H, W, 3] float in 0..1 -> soft masks [h, w] uint8 at the fine size. prior: frames [T, h, w, 3] -> soft
    masks [T, h, w], at the size that it is given."""

    def __init__(self, prior, scales: Scales):
        self.sees, self.scales = getattr(prior, "sees", prior), scales
        self.known: list[Region] = []  # where the batch before had letters

    def __call__(self, frames: Sequence[Tensor]) -> list[np.ndarray]:
        rough = self._rough(frames)
        if self.scales.fine == self.scales.coarse:
            return [to_levels(mask) for mask in rough]
        large = [resized(frame, self.scales.fine) for frame in frames]
        close = torch.zeros_like(rough)
        for n in range(0, len(frames), EDGE_TO_EDGE):
            close[n] = self.sees(large[n][None])[0]
        others = [n for n in range(len(frames)) if n % EDGE_TO_EDGE]
        places = torch.maximum(rough.amax(0), close.amax(0))[None] > FAINT
        for region in self.known:
            region.of(places)[:] = True
        self.known = []
        for block in blocks(places, ROOM):
            self._closely(block, [large[n] for n in others], [close[n] for n in others])
            letters = bounds(block.of(close) > 0.5)
            if letters is not None:
                # with what the block has around them, but not ever more: their room is added again
                self.known.append(letters.grown(2 * ROOM, block.height, block.width).out_of(block))
        return [to_levels(joined(*one)) for one in zip(rough, close)]

    def beside(self, frames: Sequence[Tensor], near: Sequence[Region]) -> list[np.ndarray]:
        """The same of frames between two looks: closely only where the coarse look finds letters, or they are near."""
        rough = self._rough(frames)
        if self.scales.fine == self.scales.coarse:
            return [to_levels(mask) for mask in rough]
        large, close = [resized(frame, self.scales.fine) for frame in frames], torch.zeros_like(rough)
        places = rough.amax(0)[None] > FAINT
        for region in near:
            region.of(places)[:] = True
        for block in blocks(places, ROOM):
            self._closely(block, large, close)
        return [to_levels(joined(*one)) for one in zip(rough, close)]

    def _rough(self, frames: Sequence[Tensor]) -> Tensor:
        small = torch.stack([resized(frame, self.scales.coarse) for frame in frames])
        return _resized_masks(self.sees(small), self.scales.fine)

    def _closely(self, block: Region, large: Sequence[Tensor], close: Iterable[Tensor]) -> None:
        """Look at a block of frames, into `close`, a mask [h, w] for each."""
        seen = self.sees(torch.stack([block.of(one[None])[0] for one in large])) if len(large) else ()
        for mask, part in zip(close, seen):
            block.of(mask[None])[0] = part


def joined(rough: Tensor, close: Tensor) -> Tensor:
    """The coarse and the close look at a frame [h, w]: near what the close one marks, that one alone."""
    if not (close > 0.5).any():
        return rough
    coarse = F.max_pool2d(close[None, None], 4, ceil_mode=True)  # a quarter of the size: 12 pixels are 3 there
    near = F.max_pool2d((coarse > 0.5).float(), 2 * (NEAR // 4) + 1, 1, NEAR // 4)
    near = near.repeat_interleave(4, 2).repeat_interleave(4, 3)[0, 0, : close.shape[0], : close.shape[1]]
    return torch.where(near > 0, close, rough)


def resized(frame: Tensor, size: tuple[int, int]) -> Tensor:
    """A frame [H, W, 3] at another size, float32."""
    if tuple(frame.shape[:2]) == size:
        return frame.float()
    smaller = size[0] < frame.shape[0]
    return F.interpolate(frame.permute(2, 0, 1)[None].float(), size, mode="bilinear", antialias=smaller)[0].permute(
        1, 2, 0
    )


def _resized_masks(masks: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(masks.shape[1:]) == size:
        return masks.float()
    return F.interpolate(masks[None].float(), size, mode="bilinear")[0]


def to_levels(values: Tensor) -> np.ndarray:
    """Pictures or masks in 0..1 as uint8."""
    # in place: of every frame that is looked at, and these are large
    return values.to(torch.float32, copy=True).mul_(255).round_().clamp_(0, 255).byte().cpu().numpy()
