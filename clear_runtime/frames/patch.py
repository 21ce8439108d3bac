"""What has become of a frame: the frame as it came, and the rectangle of it that is new.

Most of a cleaned frame is the source's own, so a window of them is held as its frames and as patches of the few pixels
that changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .canvas import stacked
from .region import Region


@dataclass(frozen=True)
class Rectangles:
    """A rectangle of frames [H, W, 3], as float32 [h, w, 3] when it is asked for: the frames are read where they lie,
    and no copy of all is held. As a tensor: together()."""

    frames: Sequence[Tensor]
    region: Region

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, t: int) -> Tensor:
        return self.region.of(self.frames[t][None])[0].float()

    def __iter__(self) -> Iterator[Tensor]:
        return (self[t] for t in range(len(self)))


def together(pixels: Tensor | Rectangles) -> Tensor:
    """[T, h, w, 3]: a tensor as it is, rectangles of frames as a copy that is the caller's own."""
    return pixels if isinstance(pixels, Tensor) else stacked(pixels, len(pixels))


@dataclass(frozen=True)
class Patched:
    """frame [H, W, 3] in its own dtype. region: what of it is new, None where nothing is; pixels [h, w, 3] and mask [h,
    w] of that rectangle, float32: mask is 1 where a pixel was replaced, between 0 and 1 where it was mixed. All on the
    CPU."""

    frame: Tensor
    region: Region | None = None
    pixels: Tensor | None = None
    mask: Tensor | None = None

    def picture(self, dtype: torch.dtype | None = None) -> Tensor:
        """The frame [H, W, 3] with the patch in it, in its own dtype or another."""
        if self.region is None:
            return self.frame.to(dtype or self.frame.dtype)
        frame = self.frame.to(dtype or self.frame.dtype, copy=True)
        if self.pixels is not None:
            self.region.of(frame[None])[0] = self.pixels.to(frame.dtype)
        return frame

    def part(self, region: Region) -> Tensor:
        """A rectangle [h, w, 3] float32 of the picture; no more than that is copied."""
        pixels = region.of(self.frame[None])[0].to(torch.float32, copy=True)
        if self.region is not None and self.pixels is not None and (both := self.region.shared(region)):
            both.within(region).of(pixels[None])[0] = both.within(self.region).of(self.pixels[None])[0]
        return pixels

    def whole_mask(self) -> Tensor:
        """The mask [H, W] float32 of the whole frame."""
        mask = torch.zeros(self.frame.shape[:2])
        if self.region is not None and self.mask is not None:
            self.region.of(mask[None])[0] = self.mask
        return mask

    def fade_into(self, newer: Patched, weight: float) -> Patched:
        """This frame going over to `newer`, another version of the same one, which has a share `weight` of it. Where
        the two are equal, that value stays bit for bit."""
        regions = [one.region for one in (self, newer) if one.region is not None]
        if not regions:
            return newer
        region = regions[0] if len(regions) == 1 else regions[0].joined(regions[1])
        (old, was), (new, now) = (one._part(region) for one in (self, newer))
        return Patched(self.frame, region, old + weight * (new - old), was + weight * (now - was))

    def alone(self) -> Patched:
        """The same, holding its own pixels only: those of a window lie in one block, which stays as long as any of its
        frames does."""
        own = lambda x: x.clone() if x is not None and x.untyped_storage().nbytes() > x.nbytes else x
        return replace(self, pixels=own(self.pixels), mask=own(self.mask))

    def under(self, newer: Patched) -> Patched:
        """This frame with a patch over it that was made of it as it is here."""
        if newer.region is None:
            return self
        region = newer.region if self.region is None else self.region.joined(newer.region)
        (_, was), (_, now) = (one._part(region) for one in (self, newer))
        return Patched(self.frame, region, region.of(newer.picture(torch.float32)[None])[0].clone(), was.maximum(now))

    def _part(self, region: Region) -> tuple[Tensor, Tensor]:
        """(pixels [h, w, 3], mask [h, w]) of a rectangle that holds the patch."""
        pixels = region.of(self.frame[None])[0].to(torch.float32, copy=True)
        mask = torch.zeros(region.height, region.width)
        if self.region is not None:
            inside = self.region.within(region)
            inside.of(pixels[None])[0] = self.pixels
            inside.of(mask[None])[0] = self.mask
        return pixels, mask
