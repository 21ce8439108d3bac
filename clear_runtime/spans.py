"""Which part of the frame carries subtitles."""
from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .errors import ClearError


@dataclass(frozen=True)
class Region:
    """A rectangle of the frame, in pixels."""
    top: int
    left: int
    height: int
    width: int

    @property
    def rows(self) -> slice:
        return slice(self.top, self.top + self.height)

    @property
    def columns(self) -> slice:
        return slice(self.left, self.left + self.width)

    def of(self, frames: Tensor) -> Tensor:
        """The rectangle's part of frames [T, H, W, 3] or masks [T, H, W], as a view."""
        return frames[:, self.rows, self.columns]


def bounds(masks: Tensor, margin: int = 0) -> Region | None:
    """The smallest rectangle around everything that is not zero in masks [T, H, W], with `margin` more pixels on every
    side as far as the frame goes; None where all is zero."""
    marked = (masks != 0).any(0)
    rows, columns = marked.any(1).nonzero()[:, 0], marked.any(0).nonzero()[:, 0]
    if not len(rows):
        return None
    top, bottom = max(0, int(rows[0]) - margin), min(masks.shape[1], int(rows[-1]) + 1 + margin)
    left, right = max(0, int(columns[0]) - margin), min(masks.shape[2], int(columns[-1]) + 1 + margin)
    return Region(top, left, bottom - top, right - left)


def band(masks: Tensor, multiple: int, margin: int, frame_size: tuple[int, int]) -> Region | None:
    """The part of the frame that the network needs to see: the subtitles in masks [T, H, W] with `margin` pixels of
    context, its edges moved outward to multiples of `multiple`. None where the masks are empty.

    frame_size is (height, width), themselves multiples of `multiple` and not smaller than the masks. Raises ClearError
    otherwise.
    """
    if any(side % multiple for side in frame_size) or any(side < m for side, m in zip(frame_size, masks.shape[1:])):
        raise ClearError(f"A frame of {frame_size[1]}x{frame_size[0]} cannot be cut on a grid of {multiple} pixels around a mask "
                         f"of {masks.shape[2]}x{masks.shape[1]}: pad the frame to multiples of {multiple} first.")
    box = bounds(masks)
    if box is None:
        return None
    top, height = _outward(box.top, box.height, multiple, margin, frame_size[0])
    left, width = _outward(box.left, box.width, multiple, margin, frame_size[1])
    return Region(top, left, height, width)


def _outward(start: int, length: int, multiple: int, margin: int, limit: int) -> tuple[int, int]:
    first = max(0, start - margin) // multiple * multiple
    last = min(limit, -(-(start + length + margin) // multiple) * multiple)
    return first, last - first
