"""Means over squares, zeros beyond the border."""

import torch

from clear_runtime.frames.box_filter import box_mean


def test_it_is_the_mean_over_the_square_with_zeros_beyond_the_border():
    x = torch.rand(2, 3, 7, 9, generator=torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(x, (2, 2, 2, 2))
    expected = torch.stack(
        [torch.stack([padded[..., y : y + 5, c : c + 5].mean((-1, -2)) for c in range(9)], -1) for y in range(7)], -2
    )
    assert torch.allclose(box_mean(x, 2), expected, atol=1e-6)
    assert torch.equal(box_mean(x, 0), x)
