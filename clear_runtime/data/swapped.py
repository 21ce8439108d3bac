"""Whether the two videos of a pair are swapped. Their difference is the same either way; a prior sees the subtitle in
one of them alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from . import pseudo_labels

SWAPPED = 0.2
"""Share of the subtitle's pixels that a prior must mark in the clean video beyond those that it marks in the subtitled
one, to call them swapped. Of 120 random pairs, six real clips and the bundled one the bundled prior marks 0.27 to 1
more in the subtitled one, so an exchange is always seen; it never marked more in the clean one."""
_AT_MOST = 4  # frames of a pair that a prior looks at
FindMask = Callable[[Tensor], Tensor]
"""Frames [T, H, W, 3] in 0..1 -> soft masks of subtitles [T, H, W] in 0..1: a prior."""


class Few:
    """At most _AT_MOST of what is added, evenly spread over all of it, however much that will be."""

    def __init__(self):
        self.held, self._count, self._step = [], 0, 1

    def add(self, item) -> None:
        if self._count % self._step == 0:
            self.held.append(item)
        self._count += 1
        if len(self.held) > _AT_MOST:
            self.held, self._step = self.held[::2], 2 * self._step


def are_swapped(frames: list[list[Tensor]], find_mask: FindMask) -> bool:
    """Whether a prior marks more in the clean frames than in the subtitled ones, where they differ; what else it marks
    does not count. frames: (subtitled, clean) [H, W, 3] bytes of some frames that were kept."""
    shares = []
    for both in frames:
        both = torch.stack(both).float() / 255
        differ = pseudo_labels.labels(both[:1], both[1:])[0] > 0
        shares.append((find_mask(both) > 0.5)[:, differ].float().mean(1))
    in_subtitled, in_clean = torch.stack(shares).mean(0).tolist()
    return in_clean - in_subtitled > SWAPPED
