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
        blocks = blocks_in(frame)
        for region in (*_stacked(blocks, options.rows), *blocks):
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
        for first, stop, boxes in sorted(long_enough, key=lambda one: (one[0] - one[1], -one[2][0].height))
    ]


def blocks_in(marked: Tensor) -> list[Region]:
    """Boxes around the marks [H, W] of a frame, parted where there is a row without any, or a gap wider than the block
    is high."""
    blocks = []
    for top, bottom in stretches(marked.any(1), 1):
        for left, right in stretches(marked[top:bottom].any(0), bottom - top):
            blocks.append(Region.between(top, left, bottom, right))
    return blocks


def _stacked(blocks: list[Region], apart: float) -> list[Region]:
    """Boxes around those of blocks, from above to below, that stand closely below one another: rows on one box."""
    stacks: list[list[Region]] = []
    for block in blocks:
        near = next((stack for stack in stacks if _below(stack[-1], block, apart)), None)
        if near is None:
            stacks.append([block])
        else:
            near.append(block)
    return [_around(stack) for stack in stacks if len(stack) > 1]


def _below(upper: Region, lower: Region, apart: float) -> bool:
    shared = min(upper.right, lower.right) - max(upper.left, lower.left)
    low, tall = sorted((upper.height, lower.height))
    return (
        0 <= lower.top - upper.bottom <= apart * low and tall <= 2 * low and 2 * shared >= min(upper.width, lower.width)
    )


def _around(stack: list[Region]) -> Region:
    whole = stack[0]
    for block in stack[1:]:
        whole = whole.joined(block)
    return whole


def overlap(a: Region, b: Region) -> float:
    """Intersection over union."""
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    width = min(a.right, b.right) - max(a.left, b.left)
    both = max(0, height) * max(0, width)
    return both / (a.height * a.width + b.height * b.width - both)


def _median(boxes: list[Region]) -> Region:
    return Region.between(*torch.tensor([(b.top, b.left, b.bottom, b.right) for b in boxes]).median(0).values.tolist())
