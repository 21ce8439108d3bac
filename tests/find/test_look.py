"""How a frame is looked at: coarsely all of it, and closely where letters are."""

import torch

from clear_runtime.find.look import Looker, Scales


class Counting:
    """Marks what is white, and counts the pixels that it is shown."""

    long_side = 160

    def __init__(self):
        self.pixels = 0

    def sees(self, frames):
        self.pixels += frames[..., 0].numel()
        return (frames.amin(-1) > 0.5).float()


def test_what_is_looked_at_closely_does_not_grow_while_text_stands():
    prior = Counting()
    frames = torch.zeros(8, 720, 1280, 3)
    frames[:, 640:660, 400:800] = 1
    looker, cost = Looker(prior, Scales.of(720, 1280, prior.long_side)), []
    for _ in range(6):
        before = prior.pixels
        masks = looker(list(frames))
        cost.append(prior.pixels - before)
        assert all((mask[640:660, 400:800] > 127).all() for mask in masks)
    assert len(set(cost[3:])) == 1
    assert cost[-1] < 3 * frames[0, ..., 0].numel(), "one frame whole, of seven no more than a band, and all coarsely"
