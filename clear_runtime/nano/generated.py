"""The base of the training commands' data: random pairs, each a pure function of its number."""
from pathlib import Path

import torch
from torch.utils.data import Dataset, get_worker_info

from ..data.burn import load_font
from ..data.pairs import PairMaker


class Generated(Dataset):
    """count items, from the seed `first` on; a subclass's item(i) makes one. Every worker of a loader has a maker and a thread of its own."""

    def __init__(self, folder: Path, first: int, count: int, validation: bool = False):
        self.folder, self.first, self.count, self.validation, self._maker = folder, first, count, validation, None

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
