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
    assert cost[-1] < 4 * frames[0, ..., 0].numel(), "two frames whole, of six no more than a band, and all coarsely"


def test_letters_too_small_for_the_coarse_look_are_found_where_they_stand_for_half_a_batch():
    frames = torch.zeros(8, 180, 320, 3)
    frames[2:6, 90, 100:200] = 1  # a line of one pixel is grey at half the size
    prior = Counting()
    masks = Looker(prior, Scales((180, 320), (90, 160), (180, 320)))(list(frames))
    assert [bool((mask[90, 100:200] > 127).all()) for mask in masks] == [2 <= n < 6 for n in range(8)]
