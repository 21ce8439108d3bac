"""What an engine is shown of a frame, and the way back: a rectangle of the canvas, beside the one that is worked on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from .canvas import Canvas
from .patch import Patched, Rectangles
from .region import Region


@dataclass(frozen=True)
class View:
    """canvas: the frame as engines see it. work: the rectangle of the source's frame that is worked on, where what is
    painted is taken from. region: the rectangle of the canvas that an engine is shown."""

    canvas: Canvas
    work: Region
    region: Region

    def seen(self, one: Patched) -> Tensor:
        """A frame as an engine sees it [h, w, 3]; no more is made than that where it can be cut out."""
        if self._cut_out:
            return one.part(self.region)
        return self.region.of(self.canvas.enter(one.picture(torch.float32))[None])[0]

    def hole(self, hole: Tensor) -> Tensor:
        """A mask of the part that is worked on as an engine sees it [h, w] bool."""
        region, work = self.region, self.work
        if self._cut_out:
            inside = torch.zeros(region.height, region.width, dtype=torch.bool)
            if both := work.shared(region):
                both.within(region).of(inside[None])[0] = both.within(work).of(hole[None])[0]
            return inside
        whole = torch.zeros(1, *self.canvas.source)
        work.of(whole)[0] = hole
        return region.of(self.canvas.enter_mask(whole[0])[None])[0] > 0

    def left(self, painted: Tensor, onto: bool, frames: Sequence[Tensor], given: Tensor | Rectangles) -> Tensor:
        """What was painted [T, h, w, 3] of the frames, at the source's size, in the part that is worked on: frame by
        frame. onto: it is to be added to what was given there."""
        out = torch.empty(len(frames), self.work.height, self.work.width, 3)
        for t, part in enumerate(painted[: len(frames)]):
            if self._cut_out:
                out[t] = given[t]
                self._lay(part, onto, out[t : t + 1])
            else:
                out[t] = self._fitted(part, onto, frames[t], given[t])
        return out

    @cached_property
    def _cut_out(self) -> bool:
        """Whether the region is a rectangle of the frame as it came."""
        height, width = self.canvas.source
        return not self.canvas.scaled and self.region.bottom <= height and self.region.right <= width

    def _lay(self, part: Tensor, onto: bool, out: Tensor) -> None:
        """Put what both rectangles share into the frame [1, h, w, 3] of the one that is worked on."""
        if both := self.work.shared(self.region):
            new, here = both.within(self.region).of(part[None])[0], both.within(self.work).of(out)[0]
            here.copy_(here + new if onto else new.clamp(0, 1))

    def _fitted(self, part: Tensor, onto: bool, frame: Tensor, given: Tensor) -> Tensor:
        """The same, by way of the canvas; where nothing was painted, the given frame stays sharp."""
        canvas, region = self.canvas, self.region
        if onto:
            whole = torch.zeros(*canvas.padded, 3)
        elif region == canvas.whole:
            whole = part
        else:
            whole = canvas.enter(Patched(frame, self.work, given).picture(torch.float32))
        if whole is not part:
            whole = whole.clone()
            region.of(whole[None])[0] = part
        left = self.work.of(canvas.leave(whole)[None])[0]
        return given + left if onto else torch.where(self._painted, left.clamp(0, 1), given)

    @cached_property
    def _painted(self) -> Tensor:
        """Where the part that is worked on lies in the region [h, w, 1] bool."""
        inside = torch.zeros(self.canvas.padded)
        self.region.of(inside[None])[0] = 1
        return self.work.of(self.canvas.leave_mask(inside)[None])[0, ..., None] > 0
