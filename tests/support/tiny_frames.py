"""A Stage I run of a few steps, and the batches for it."""

import torch
from tiny_pairs import clip

from clear_runtime.data import pseudo_labels
from clear_runtime.data.frame_batches import Batch
from clear_runtime.train.prior.options import PriorOptions

SHORT = PriorOptions(steps=6, batch=2, crop=(64, 96), checkpoint_every=2, example_every=3, seed=3)


class Frames(torch.utils.data.Dataset):
    """Batch n of one small clip, by n alone. `broken`: the batch that holds a value which is no number."""

    def __init__(self, broken=None):
        clean, subtitled = (torch.from_numpy(a).float() / 255 for a in clip(frames=12))
        self.parts = [x.permute(0, 3, 1, 2) for x in (subtitled, clean)] + [
            pseudo_labels.labels(subtitled, clean)[:, None]
        ]
        self.broken = broken

    def __len__(self):
        return 5

    def __getitem__(self, n):
        batch = Batch(*(part[2 * n % 12 : 2 * n % 12 + 2].clone() for part in self.parts))
        if n == self.broken:
            batch.subtitled[0, 0, 0, 0] = float("nan")
        return batch
