"""The flow, where a picture says little."""

import torch

from clear_runtime.fill.flow import flow


def test_a_picture_that_changes_in_one_direction_alone_has_a_flow():
    """Any movement along its stripes is as good as none, to the last bit that is rounded off."""
    for slope in range(3):
        down, across = torch.meshgrid(torch.arange(60), torch.arange(80), indexing="ij")
        first = ((across + down * slope) / 420).float()[None, None]
        for seed in range(40):
            draws = torch.Generator().manual_seed(seed)
            shown = (torch.rand(1, 1, 60, 80, generator=draws) > 0.5).float()
            assert flow(first, first.roll(1, -1), shown, shown).isfinite().all()
