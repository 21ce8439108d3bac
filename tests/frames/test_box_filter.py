"""Means over squares, zeros beyond the border."""

import pytest
import torch
from torch.nn import functional as F

from clear_runtime.frames.box_filter import box_mean, mean_of_four


def test_it_is_the_mean_over_the_square_with_zeros_beyond_the_border():
    x = torch.rand(2, 3, 7, 9, generator=torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(x, (2, 2, 2, 2))
    expected = torch.stack(
        [torch.stack([padded[..., y : y + 5, c : c + 5].mean((-1, -2)) for c in range(9)], -1) for y in range(7)], -2
    )
    assert torch.allclose(box_mean(x, 2), expected, atol=1e-6)
    assert torch.equal(box_mean(x, 0), x)


def test_squares_that_lie_within_alone():
    x = torch.rand(2, 3, 7, 9, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(box_mean(x, 2, inside=True), box_mean(x, 2)[..., 2:-2, 2:-2], atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (7, 1), (6, 8), (7, 9)])
def test_two_by_two_at_odd_ends_too(size):
    x = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    expected = F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)
    assert torch.allclose(mean_of_four(x), expected, atol=1e-6)
