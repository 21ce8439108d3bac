"""Masks from what the network changed."""

import torch

from clear_runtime.engines.difference import changed_cells


def latents(seed=0):
    return torch.randn(1, 16, 5, 12, 20, generator=torch.Generator().manual_seed(seed))


def test_a_subtitle_stands_out_from_the_networks_noise():
    before = latents()
    for noise in (0.0, 0.05, 0.3):
        after = before + noise * latents(1)
        assert not changed_cells(before, after).any()  # nothing is found where nothing was removed
        after[:, :, 1:4, 8:10, 3:17] += 2 * latents(2)[:, :, 1:4, 8:10, 3:17]
        expected = torch.zeros(5, 12, 20, dtype=torch.bool)
        expected[1:4, 8:10, 3:17] = True
        assert torch.equal(changed_cells(before, after), expected)
