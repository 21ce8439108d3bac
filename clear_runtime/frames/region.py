"""Rectangles of the frame, and which of them carries subtitles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import ClearError

APART = 64
"""Pixels between two marks from which they are looked at one by one. Nearer ones cost less together."""


@dataclass(frozen=True)
class Region:
    """A rectangle of the frame, in pixels."""

    top: int
    left: int
    height: int
    width: int

    @classmethod
    def between(cls, top: int, left: int, bottom: int, right: int) -> Region:
        """Rows top to bottom - 1, columns left to right - 1."""
        return cls(top, left, bottom - top, right - left)

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """The first column beyond it."""
        return self.left + self.width

    @property
    def rows(self) -> slice:
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        return slice(self.left, self.right)

    @property
    def turned(self) -> Region:
        """The same rectangle in a frame whose rows are columns."""
        return Region(self.left, self.top, self.width, self.height)

    def grown(self, pixels: int, height: int, width: int) -> Region:
        """`pixels` more on every side, as far as a frame of that height and width goes."""
        return Region.between(
            max(0, self.top - pixels),
            max(0, self.left - pixels),
            min(height, self.bottom + pixels),
            min(width, self.right + pixels),
        )

    def joined(self, other: Region) -> Region:
        """The smallest rectangle around both."""
        return Region.between(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def shared(self, other: Region) -> Region | None:
        """What both cover; None where that is nothing."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom, right = min(self.bottom, other.bottom), min(self.right, other.right)
        return Region.between(top, left, bottom, right) if bottom > top and right > left else None

    def within(self, other: Region) -> Region:
        """The same rectangle as the coordinates of `other`, which holds it, have it."""
        return Region(self.top - other.top, self.left - other.left, self.height, self.width)

    def out_of(self, other: Region) -> Region:
        """The rectangle that this one is in the coordinates of `other`, in the frame's: undoes `within`."""
        return Region(self.top + other.top, self.left + other.left, self.height, self.width)

    def scaled(self, ratio: float) -> Region:
        """The same in a frame of `ratio` times the size, and no smaller."""
        top, left = int(self.top * ratio), int(self.left * ratio)
        return Region.between(top, left, math.ceil(self.bottom * ratio), math.ceil(self.right * ratio))

    def of(self, frames: Tensor) -> Tensor:
        """The rectangle's part of frames [T, H, W, 3] or masks [T, H, W], as a view."""
        return frames[:, self.rows, self.columns]


def bounds(masks: Tensor, margin: int = 0) -> Region | None:
    """The smallest rectangle around everything that is not zero in masks [T, H, W], with `margin` more pixels on every
    side as far as the frame goes; None where all is zero."""
    marked = _anywhere(masks)
    rows, columns = marked.any(1).nonzero()[:, 0], marked.any(0).nonzero()[:, 0]
    if not len(rows):
        return None
    return Region.between(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1).grown(
        margin, *masks.shape[1:]
    )


def blocks(masks: Tensor, margin: int) -> list[Region]:
    """What `bounds` gives, in as many rectangles that do not touch as there are marks far enough from one another: what
    is worked on costs then what is marked, and not what lies between a line at the top and one at the bottom.

    Rectangles are parted by rows without marks, then by columns, and so on within each.
    """
    marked = _anywhere(masks)
    whole = Region(0, 0, *marked.shape)
    return [block.grown(margin, *marked.shape) for block in _parted(marked, whole, max(APART, 2 * margin))]


def _anywhere(masks: Tensor) -> Tensor:
    """What is not zero in any of masks [T, H, W], as [H, W] bool."""
    if not len(masks):
        return torch.zeros(masks.shape[1:], dtype=torch.bool, device=masks.device)
    marked = masks if masks.dtype == torch.bool else masks != 0
    return marked.view(torch.uint8).amax(0).bool()  # any(0) takes a hundred times as long on a CPU


def _parted(marked: Tensor, within: Region, gap: int) -> list[Region]:
    part = marked[within.rows, within.columns]
    found = [
        Region.between(within.top + top, within.left + left, within.top + bottom, within.left + right)
        for top, bottom in stretches(part.any(1), gap)
        for left, right in stretches(part[top:bottom].any(0), gap)
    ]
    return found if found in ([], [within]) else [block for one in found for block in _parted(marked, one, gap)]


def stretches(line: Tensor, gap: int = 0) -> list[tuple[int, int]]:
    """Start and end of what is true in line [n], over gaps of at most `gap`."""
    at = line.nonzero()[:, 0]
    if not len(at):
        return []
    cut = (at[1:] - at[:-1] > gap + 1).nonzero()[:, 0]
    starts, ends = torch.cat([at[:1], at[cut + 1]]), torch.cat([at[cut], at[-1:]])
    return [(int(a), int(b) + 1) for a, b in zip(starts, ends)]


def band(masks: Tensor, multiple: int, margin: int, frame_size: tuple[int, int]) -> Region | None:
    """The part of the frame that the network needs to see: the subtitles in masks [T, H, W] with `margin` pixels of
    context, its edges moved outward to multiples of `multiple`. None where the masks are empty.

    frame_size is (height, width), themselves multiples of `multiple` and not smaller than the masks. Raises ClearError
    otherwise.
    """
    if any(side % multiple for side in frame_size) or any(side < m for side, m in zip(frame_size, masks.shape[1:])):
        raise ClearError(
            f"A frame of {frame_size[1]}x{frame_size[0]} cannot be cut on a grid of {multiple} pixels around a mask "
            f"of {masks.shape[2]}x{masks.shape[1]}: pad the frame to multiples of {multiple} first."
        )
    box = bounds(masks)
    if box is None:
        return None
    wide = box.grown(margin, *frame_size)
    down, up = (lambda x: x // multiple * multiple), (lambda x: -(-x // multiple) * multiple)
    return Region.between(down(wide.top), down(wide.left), up(wide.bottom), up(wide.right))
