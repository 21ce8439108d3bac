"""A translucent box that grows with its words: live captions and auto captions, a word or a letter more in every other
frame.

No width of it stands for long enough to be found by itself. But what it lets through, and its colour, are known from
where it stands longest; with them one frame is enough to find its edges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ...frames.region import Region, bounds, stretches
from .box import Box

Fit = Callable[[Tensor, Region, Box], Box | None]
"""(frames [1, H, W, 3], where marks are, a box that is known) -> such a box around them."""


def followed(
    frames: Tensor, mask: Tensor, box: Box, strength: Tensor, taken: Tensor, fit: Fit
) -> Iterator[tuple[Box, Tensor]]:
    """The same box in the frames beside those [T, H, W, 3] in which its strength [T] says that it stands, as long as
    marks [T, H, W] stand on one that is about as high: each with its strength. taken [T] bool: where other boxes
    are."""
    there = strength > 0
    for first, stop in stretches(there):
        for frames_beside in (range(first - 1, -1, -1), range(stop, len(frames))):
            known = box
            for t in frames_beside:
                one = None if there[t] or taken[t] else _at(frames[t : t + 1], mask[t], known, fit)
                if one is None:
                    break
                there[t] = True
                own = torch.zeros_like(strength)
                own[t] = 1.0
                yield one, own
                known = one


def _at(frame: Tensor, mask: Tensor, known: Box, fit: Fit) -> Box | None:
    """The box in one frame, where it has another width."""
    near = known.region.grown(known.region.height, *mask.shape)
    near = Region(known.region.top, near.left, known.region.height, near.width)
    marks = bounds(near.of(mask[None]))
    if marks is None:
        return None
    marked = marks.out_of(near)
    box = fit(frame, marked, known)
    if box is None:
        return None
    a, b = box.region, known.region
    level = max(abs(a.top - b.top), abs(a.bottom - b.bottom)) <= max(known.options.skip, b.height // 4)
    return box if level and min(a.right, b.right) > max(a.left, b.left) else None
