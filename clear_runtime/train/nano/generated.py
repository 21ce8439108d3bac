"""The base of the training commands' data: random pairs, each a pure function of its number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info

from ...data.synthetic.burn import load_font
from ...data.synthetic.pairs import PairMaker

ENDLESS = 10**9
"""Items of a stream: more than any training comes to."""
AHEAD = 4
"""Batches that each worker has ready, so that one that takes long does not hold a step up."""
GROUND_HEIGHT = 352
"""Pixels of the whole frame that crops of clips are cut from: what the sizes of letters are meant for."""


class Generated(Dataset):
    """count items, from the seed `first` on; a subclass's item(i) makes one. Every worker of a loader has a maker and a
    thread of its own."""

    def __init__(self, folder: Path, first: int, count: int, validation: bool = False):
        self.folder, self.first, self.count, self.validation = folder, first, count, validation
        self._maker: PairMaker | None = None

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int):
        if get_worker_info():
            torch.set_num_threads(1)
        return self.item(i)

    @property
    def maker(self) -> PairMaker:
        if self._maker is None:  # made where it is used: it holds open fonts, which no other process can take over
            load_font.cache_clear()  # nor those that the process it was forked from had open
            self._maker = PairMaker(self.folder, self.validation)
        return self._maker

    def item(self, i: int):
        raise NotImplementedError


def stream(items: Dataset, batch: int | None, workers: int, ahead: int = AHEAD, **loader: Any) -> Iterator:
    """Batches of the items, drawn by so many processes beside this one, each `ahead` batches in front; by this one
    where workers is 0."""
    in_front = {"prefetch_factor": ahead} if workers else {}
    return iter(DataLoader(items, batch, num_workers=workers, **in_front, **loader))
