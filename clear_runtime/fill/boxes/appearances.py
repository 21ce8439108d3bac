"""Runs of frames in which a block of marks keeps its place: there a box may stand behind it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...frames.region import Region, stretches
from .options import BoxOptions


@dataclass(frozen=True)
class Appearance:
    """Frames first .. stop - 1 with a mark in `box`."""

    first: int
    stop: int
    region: Region


def appearances(mask: Tensor, options: BoxOptions) -> list[Appearance]:
    """Runs of at least `least_frames` frames in which a block of marks keeps its place."""
    open_: list[list] = []  # [first, stop, boxes of each frame]
    closed: list[list] = []
    for t, frame in enumerate(mask > 0):
        going_on = []
        for region in _blocks(frame):
            appearance = next(
                (appearance for appearance in open_ if overlap(appearance[2][-1], region) > options.steady), None
            )
            if appearance is None:
                appearance = [t, t, []]
            else:
                open_.remove(appearance)
            appearance[1], appearance[2] = t + 1, appearance[2] + [region]
            going_on.append(appearance)
        closed += open_
        open_ = going_on
    long_enough = [appearance for appearance in closed + open_ if appearance[1] - appearance[0] >= options.least_frames]
    return [
        Appearance(first, stop, _median(boxes))
        for first, stop, boxes in sorted(long_enough, key=lambda appearance: appearance[0] - appearance[1])
    ]


def _blocks(marked: Tensor) -> list[Region]:
    """Boxes around the marks [H, W] of a frame, parted where there is a row without any, or a gap wider than the block
    is high."""
    blocks = []
    for top, bottom in stretches(marked.any(1), 1):
        for left, right in stretches(marked[top:bottom].any(0), bottom - top):
            blocks.append(Region.between(top, left, bottom, right))
    return blocks


def overlap(a: Region, b: Region) -> float:
    """Intersection over union."""
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    width = min(a.right, b.right) - max(a.left, b.left)
    both = max(0, height) * max(0, width)
    return both / (a.height * a.width + b.height * b.width - both)


def _median(boxes: list[Region]) -> Region:
    return Region.between(*torch.tensor([(b.top, b.left, b.bottom, b.right) for b in boxes]).median(0).values.tolist())
