"""Texts that are drawn once, by several processes, and laid over ever other scenes on the device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...data.synthetic.layers import layer
from .generated import ENDLESS, Generated, stream

AT_A_TIME = 50
"""Texts that a process draws in a row."""


class Texts(Generated):
    """Item i: AT_A_TIME texts [AT_A_TIME, 5, H, W] uint8, red, green, blue, opacity and mask (0 or 255); size: (H, W);
    em: smallest and largest letters in pixels; boxes: see layers.layer."""

    def __init__(
        self, folder: Path, first: int, size: tuple[int, int], em: tuple[float, float], boxes: bool, validation: bool
    ):
        super().__init__(folder, first, ENDLESS, validation)
        self.size, self.em, self.boxes = size, em, boxes

    def item(self, i: int) -> Tensor:
        first = self.first + i * AT_A_TIME
        return torch.from_numpy(np.stack([self._one(first + k) for k in range(AT_A_TIME)]))

    def _one(self, seed: int) -> np.ndarray:
        colours, mask = layer(self.maker, seed, *self.size, self.em, self.boxes)
        return np.concatenate([colours.transpose(2, 0, 1), 255 * mask[None].astype(np.uint8)])


def drawn_texts(
    folder: Path,
    first: int,
    count: int,
    size: tuple[int, int],
    em: tuple[float, float],
    workers: int = 0,
    validation: bool = False,
    boxes: bool = False,
) -> Tensor:
    """[count, 5, H, W] uint8, those that have letters, from the seed `first` on; arguments as of Texts."""
    several = stream(Texts(folder, first, size, em, boxes, validation), None, workers)
    made: list[Tensor] = []
    while sum(map(len, made)) < count:
        texts = next(several)
        made.append(texts[(texts[:, -1] > 0).flatten(1).any(1)])
    return torch.cat(made)[:count]
