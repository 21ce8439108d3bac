"""A second look: whether what was removed can still be read in the result."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ..frames.masks import grow
from ..frames.region import Region, bounds
from .look import ROOM, Scales, resized

EVERY = 6
"""Frames from one look to the next: what stays of a line, stays in all of its frames."""
NEAR = 16
"""Pixels, on a frame of 1280, around the marks within which what reads as text is the line's own."""
SHARE = 0.02
"""Of the marks: what is less is a speck of texture that the prior doubts."""


class SecondLook:
    """prior: as a Finder's. threshold: how sure it must be that something is left."""

    def __init__(self, prior, threshold: float):
        self.sees, self.prior, self.threshold = getattr(prior, "sees", prior), prior, threshold

    def __call__(self, pictures: Sequence, marks: Sequence[Tensor]) -> list[Tensor | None]:
        """pictures: for each frame a function that gives it [H, W, 3] float; marks [H, W] bool of each -> what of each
        still reads as the line [H, W] bool, or None."""
        rest: list[Tensor | None] = [None] * len(marks)
        looks = [t for t, mark in enumerate(marks) if t % EVERY == 0 and mark.any()]
        for t in looks:
            left = self._left(pictures[t](), marks[t])
            if left is None:
                continue
            for near in range(max(0, t - EVERY + 1), min(len(marks), t + EVERY)):
                if marks[near].any():
                    rest[near] = left if rest[near] is None else rest[near] | left
        return rest

    def _left(self, picture: Tensor, marks: Tensor) -> Tensor | None:
        height, width = picture.shape[:2]
        scales = Scales.of(height, width, getattr(self.prior, "long_side", None))
        ratio = max(scales.fine) / max(height, width)
        near = bounds(marks[None], round(ROOM / ratio) + 1)
        if near is None:
            return None
        size = (max(1, round(near.height * ratio)), max(1, round(near.width * ratio)))
        soft = self.sees(resized(near.of(picture[None])[0], size)[None])
        soft = F.interpolate(soft[None].float(), (near.height, near.width), mode="bilinear")[0, 0]
        around = grow(near.of(marks[None]).float(), max(1, round(NEAR / ratio)))[0] > 0
        left = (soft > self.threshold) & around
        if left.sum() < SHARE * marks.sum():
            return None
        return _placed(left, near, (height, width))


def _placed(part: Tensor, at: Region, size: tuple[int, int]) -> Tensor:
    out = torch.zeros(size, dtype=torch.bool)
    at.of(out[None])[0] = part
    return out
