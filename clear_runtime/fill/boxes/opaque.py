"""Opaque and coloured boxes behind letters: nothing shows through them, so they go with their letters.

A box is an area of one colour that is a rectangle, or rectangles of rows on top of each other, whose holes are letters,
and that ends close around these (plain_box.py). A sky or a letterbox bar is plain too, but goes on; so what reaches
further than a box does is none. It is looked for by its colour and not by the marks' outline: marks may be as wide as
the box itself, and join words of which only one has a box.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ...frames.parallel import in_order
from ...frames.region import Region, stretches
from .options import OPAQUE, OpaqueOptions
from .plain_box import PlainBox, View, alike, boxes_in
from .touching import touching_boxes


def behind(frames: Tensor, marks: Tensor, options: OpaqueOptions = OPAQUE) -> Tensor:
    """frames [T, H, W, 3] in 0..1 that follow one another, and the marks [T, H, W], not zero, of their letters -> where
    a box stands behind them [T, H, W] bool, its letters included."""
    marked = marks > 0
    found = torch.zeros_like(marked)
    for t, boxes in enumerate(_Boxes(frames, marked, options).found()):
        for box in boxes:
            box.region.of(found[t : t + 1])[0] |= torch.from_numpy(box.shape).to(found.device)
    return found


def around_rows(marks: Tensor, options: OpaqueOptions = OPAQUE) -> Tensor:
    """The rectangle around each row of marks [T, H, W], widened by a quarter of its height: [T, H, W] bool."""
    out = torch.zeros_like(marks, dtype=torch.bool)
    for t, mark in enumerate(marks > 0):
        for row in _rows(mark, options.apart):
            row.grown(row.height // 4 + 1, *mark.shape).of(out[t : t + 1])[:] = True
    return out


class _Boxes:
    """The boxes of frames [T, H, W, 3] with marks [T, H, W] bool, frame by frame."""

    def __init__(self, frames: Tensor, marks: Tensor, options: OpaqueOptions):
        self.frames, self.marks, self.options = frames, marks, options

    def found(self) -> list[list[PlainBox]]:
        """Looks for them in every few frames, and in those between where something has changed meanwhile."""
        count, step = len(self.frames), self.options.looks
        boxes: list[list[PlainBox]] = [[] for _ in range(count)]
        looks = sorted({*range(0, count, step), *range(count - 1, count)})
        self._look(boxes, looks)
        between = []
        for a, b in zip(looks, looks[1:]):
            if _same(boxes[a], boxes[b]):
                self._carry(boxes, range(a + 1, b))
            between += [t for t in range(a + 1, b) if not _same(boxes[a], boxes[t]) or not _same(boxes[t], boxes[b])]
        self._look(boxes, between)
        boxes = _lasting(boxes, self.options.lasts)
        # beside a part of the scene that has its colour no end of a box is seen, but not in every frame
        orders = range(1, count), range(count - 2, -1, -1)
        for order in orders:
            self._carry(boxes, order)
        for order in orders:
            self._fade(boxes, order)
        return boxes

    def _look(self, boxes: list[list[PlainBox]], frames: Sequence[int]) -> None:
        """Set the boxes of some frames to those that are seen in each on its own."""
        cpu = torch.device("cpu")  # where this is done, wherever the frames lie
        for t, found in zip(frames, in_order(lambda t: list(self._looked(t)), frames, cpu)):
            boxes[t] = found

    def _carry(self, boxes: list[list[PlainBox]], order: range) -> None:
        """Add to the boxes of frames, one after another, those of the frame before that are still there."""
        age: dict[int, int] = {}  # id of a box -> for how many frames it has been carried
        shares: dict[int, float] = {}  # and the share of it that had its colour where it was found
        for t in order:
            for box in boxes[t - order.step]:
                known = age.get(id(box), 0) < self.options.carried
                if not known or any(map(box.meets, boxes[t])):
                    continue
                shares.setdefault(id(box), self._share(box, t - order.step))
                if self._there(box, t, shares[id(box)]):
                    boxes[t].append(box)
                    age[id(box)] = age.get(id(box), 0) + 1

    def _fade(self, boxes: list[list[PlainBox]], order: range) -> None:
        """Add to the boxes of frames, one after another, those of the frame before that fade away behind their letters:
        these are marked to the end, and what shows of the box beside them would lend its darkness to all others. One
        that has moved on to another word is none."""
        options, age = self.options, dict[int, int]()  # id of a box -> for how many frames it has been fading
        for t in order:
            there = list(boxes[t])
            for box in boxes[t - order.step]:
                if age.get(id(box), 0) >= options.fades or any(box.meets(one) or box.follows(one) for one in there):
                    continue
                least = max(options.letters, options.fading * self._letters(box, t - order.step))
                if self._letters(box, t) >= least:
                    boxes[t].append(box)
                    age[id(box)] = age.get(id(box), 0) + 1

    def _letters(self, box: PlainBox, t: int) -> float:
        """The share of a box that is marked letters."""
        marked = box.region.of(self.marks[t : t + 1])[0].cpu().numpy() & box.shape
        return float(marked.sum() / box.shape.sum())

    def _there(self, box: PlainBox, t: int, share: float) -> bool:
        """Whether the colour of a box that was found in a frame beside is still there, and marks in it. share: of its
        pixels that had its colour there; of a compressed one, some have not."""
        if self._letters(box, t) < self.options.letters:
            return False
        return self._share(box, t) >= self.options.same * share

    def _share(self, box: PlainBox, t: int) -> float:
        levels = _levels(self.frames[t], box.region)
        return float(alike(levels, box.colour, self.options.alike)[box.plain].mean())

    def _looked(self, t: int) -> Iterator[PlainBox]:
        """The boxes that are seen in a frame on its own."""
        mark, options = self.marks[t], self.options
        for block, letter in _blocks(mark, options.apart):
            if min(block.height, block.width) < options.smallest:
                continue
            window = block.grown(round(options.around * letter) + 2 * options.soft, *mark.shape)
            step = max(1, min(options.coarsest, letter // options.letter))
            letters = window.of(mark[None])[0].cpu().numpy()
            marks = letters[::step, ::step]
            view = View(_levels(self.frames[t], window), marks, step, window, tuple(mark.shape), options)
            near = block.grown(2, *mark.shape).within(window)
            free = list(boxes_in(view, near))
            beside = touching_boxes(view, letters, near) if options.touching.look else ()
            # a part of a box, between dark things of the scene, looks like a box that stands free
            large = [box for box in beside if not any(box.meets(one) and 2 * one.size > box.size for one in free)]
            yield from (box for box in free if not any(map(box.meets, large)))
            yield from large


def _same(some: list[PlainBox], others: list[PlainBox]) -> bool:
    """Whether the boxes of two frames are the same ones, where they were."""
    return len(some) == len(others) and all(any(map(box.meets, others)) for box in some)


def _rows(mark: Tensor, apart: float) -> list[Region]:
    """Rectangles around the rows of a frame's marks [H, W], parted where a gap is wider than `apart` heights."""
    return [
        Region.between(top, left, bottom, right)
        for top, bottom in stretches(mark.any(1))
        for left, right in stretches(mark[top:bottom].any(0), round(apart * (bottom - top)))
    ]


def _blocks(mark: Tensor, apart: float) -> Iterator[tuple[Region, int]]:
    """Rectangles around rows that may stand in one box, and the height of the highest of them."""
    rows = _rows(mark, apart)
    while rows:
        block = rows.pop(0)
        letter = block.height
        while near := [row for row in rows if _gap(block, row) <= apart * min(letter, row.height)]:
            rows = [row for row in rows if row not in near]
            for row in near:
                block, letter = block.joined(row), max(letter, row.height)
        yield block, letter


def _gap(a: Region, b: Region) -> int:
    """Pixels between two rectangles, down or across, whatever is more."""
    return max(max(a.top, b.top) - min(a.bottom, b.bottom), max(a.left, b.left) - min(a.right, b.right))


def _levels(frame: Tensor, region: Region) -> np.ndarray:
    """A part of a frame [H, W, 3] as planes [3, h, w] of levels of 255."""
    part = region.of(frame[None])[0].cpu().numpy()  # numpy, for so few pixels are no work for torch's threads
    return np.ascontiguousarray((part * 255 + 0.5).clip(0, 255).astype(np.uint8).transpose(2, 0, 1))


def _lasting(boxes: list[list[PlainBox]], frames: int) -> list[list[PlainBox]]:
    """Those that are there, or move on, for so many frames in a row, or up to either end, beyond which they may go on.
    What has letters on its edges is a box only for as many frames before or after one that has none."""
    orders = range(len(boxes)), range(len(boxes) - 1, -1, -1)
    whole = [[box for box in ones if box.whole] for ones in boxes]
    rows = [_along(whole, order, frames - 1, lambda box, held: 1 + max(held, default=0)) for order in orders]
    sure = [
        [box for box, a, b in zip(*one) if a + b > frames]  # the frame itself is counted twice
        for one in zip(whole, *rows)
    ]
    maybe = [ones + [box for box in all_ if not box.whole] for ones, all_ in zip(sure, boxes)]
    off = [
        _along(maybe, order, frames, lambda box, held: 0 if box.whole else 1 + min(held, default=frames))
        for order in orders
    ]
    return [[box for box, a, b in zip(*one) if min(a, b) <= frames] for one in zip(maybe, *off)]


def _along(
    boxes: list[list[PlainBox]], order: range, start: int, value: Callable[[PlainBox, list[int]], int]
) -> list[list[int]]:
    """For each box of each frame, value(box, the values of those that it follows); `start` is that of what comes before
    the first frame."""
    out: list[list[int]] = [[] for _ in boxes]
    for t in order:
        before = t - order.step
        for box in boxes[t]:
            follows = (
                [start] if t == order[0] else [n for n, one in zip(out[before], boxes[before]) if box.follows(one)]
            )
            out[t].append(value(box, follows))
    return out
