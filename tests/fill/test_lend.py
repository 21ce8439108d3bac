"""Colours between pixels: the picture's own, and nothing of what is not known."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from clear_runtime.fill.lend import sampled, shown_at
from clear_runtime.fill.plain import fill


def picture(height=12, width=16):
    y, x = torch.arange(height)[:, None] / height, torch.arange(width)[None] / width
    return torch.stack([0.5 * (x + y), 0.2 + 0.5 * x + 0 * y, 0.7 * y + 0 * x])


def test_between_pixels_a_slope_goes_on():
    points = torch.tensor([[5.25, 4.5], [7.0, 6.75], [3.5, 3.0]])
    expected = torch.stack([0.5 * (points[:, 0] / 16 + points[:, 1] / 12), 0.2 + 0.5 * points[:, 0] / 16])
    known = torch.ones(12, 16, dtype=torch.bool)
    assert (sampled(picture(), known, points)[:2] - expected).abs().max() < 3e-3
    known[:2] = False  # too near for a cubic, and the linear one agrees
    assert (sampled(picture(), known, points)[:2] - expected).abs().max() < 3e-3


def test_a_place_beside_a_hidden_pixel_is_not_shown():
    known = torch.ones(12, 16, dtype=torch.bool)
    known[4, 6] = False
    points = torch.tensor([[5.5, 4.0], [5.0, 4.0], [5.0004, 4.0], [6.0, 4.0], [8.5, 8.5], [-0.5, 3.0], [15.0, 11.0]])
    assert shown_at(known, points).tolist() == [False, True, True, False, True, False, True]


def test_a_cubic_is_used_wherever_all_sixteen_pixels_are_known_and_nowhere_else():
    """At the border too, beyond which nothing is known."""
    draws = torch.Generator().manual_seed(0)
    known = torch.rand(12, 16, generator=draws) > 0.1
    wild = torch.rand(3, 12, 16, generator=draws)
    points = torch.rand(400, 2, generator=draws) * torch.tensor([15.0, 11.0])
    points = points[shown_at(known, points)]
    for point, colours in zip(points, sampled(wild, known, points).T):
        x, y = point.floor().long().tolist()
        rows, columns = slice(y - 1, y + 3), slice(x - 1, x + 3)
        inside = 1 <= x <= 13 and 1 <= y <= 9 and bool(known[rows, columns].all())
        where = (point / torch.tensor([15.0, 11.0]) * 2 - 1).view(1, 1, 1, 2)
        mode = "bicubic" if inside else "bilinear"
        wanted = F.grid_sample(wild[None], where, mode=mode, align_corners=True)[0, :, 0, 0].clamp(0, 1)
        assert (colours - wanted).abs().max() < 1e-4


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.data())
def test_no_pixel_comes_from_a_marked_place(data):
    """Whatever is marked, however the picture moves, and whatever stands under the marks, the result is the same."""
    seed, count = data.draw(st.integers(0, 2**16)), data.draw(st.integers(1, 5))
    height, width = data.draw(st.integers(20, 56)), data.draw(st.integers(20, 72))
    speed, share = data.draw(st.integers(0, 3)), data.draw(st.floats(0.02, 0.9))
    draws = torch.Generator().manual_seed(seed)
    scene = torch.rand(height, width + speed * count, 3, generator=draws)
    scene[1:-1] = (scene[:-2] + scene[1:-1] + scene[2:]) / 3
    clean = torch.stack([scene[:, speed * t : speed * t + width] for t in range(count)])
    blocks = torch.rand(count, 1, (height + 3) // 4, (width + 3) // 4, generator=draws) < share
    mask = blocks.repeat_interleave(4, 2).repeat_interleave(4, 3)[:, 0, :height, :width]
    one, other = clean.clone(), clean.clone()
    one[mask], other[mask] = 1, torch.rand(int(mask.sum()), 3, generator=draws)
    filled = [fill(frames, mask.float()) for frames in (one, other)]
    hidden = mask & ~mask.flatten(1).all(1)[:, None, None]  # a frame of which nothing is known stays as it is
    assert torch.equal(filled[0][hidden], filled[1][hidden])
    assert torch.equal(filled[0][~mask], clean[~mask])
