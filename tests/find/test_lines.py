"""Marks that add up to a line stay, whatever their size; specks go."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from clear_runtime.find.lines import LineRules, keep_lines


@pytest.mark.parametrize("height,width", [(352, 640), (720, 1280), (640, 360), (241, 433)])
def test_letters_of_a_line_stay_and_specks_go(height, width):
    mask = torch.zeros(2, height, width)
    size, top = max(height, width) // 40, int(height * 0.85)
    for k in range(6):  # letters with gaps, each of them too small to stay alone
        mask[0, top : top + size, width // 4 + 3 * k * size // 2 : width // 4 + 3 * k * size // 2 + size // 2] = 1
    line = mask[0].clone()
    mask[:, height // 5 : height // 5 + size // 2, 3 : 3 + size // 2] = 1
    kept = keep_lines(mask)
    assert torch.equal(kept[0], line) and not kept[1].any()


def test_nothing_and_everything_come_back():
    assert not keep_lines(torch.zeros(3, 20, 30)).any()
    assert keep_lines(torch.ones(1, 20, 30, dtype=torch.bool)).all()
    assert keep_lines(torch.zeros(0, 20, 30)).shape == (0, 20, 30)


@pytest.mark.parametrize("top, left", [(170, 4), (170, 540), (4, 280), (330, 280)])
def test_words_at_an_edge_but_in_no_corner_stay(top, left):
    """In the middle of the left, right, upper and lower edge: a corner is one by rows and by columns."""
    mask = torch.zeros(1, 352, 640)
    mask[0, top : top + 18, left : left + 96] = 1
    assert torch.equal(keep_lines(mask), mask)


def test_graphics_in_a_corner_are_no_lines():
    mask = torch.zeros(1, 352, 640)
    mask[0, 20:60, 20:140] = 1  # a score, top left
    mask[0, 320:340, 560:630] = 1  # a logo, bottom right
    line = torch.zeros(1, 352, 640)
    line[0, 300:320, 40:400] = 1  # a line that begins in a corner and leaves it
    line[0, 20:40, 300:340] = 1  # a short word at the top, in the middle
    assert torch.equal(keep_lines(mask + line), line)
    assert torch.equal(keep_lines(mask + line, corners=True), mask + line)


def spread_until_nothing_changes(mask, corners, rules):
    """keep_lines by its definition: the largest label of a group wins, a reach further at each turn."""
    if not mask.any():
        return mask
    height, width = mask.shape[1:]
    cell = -(-max(height, width) // rules.across)
    area = F.avg_pool2d(F.pad(mask, (0, -width % cell, 0, -height % cell))[:, None], cell) * cell * cell
    marked = area > 0
    labels = torch.arange(1, area.numel() + 1, dtype=torch.float64).view_as(area) * marked
    while True:
        spread = F.max_pool2d(labels, [2 * r + 1 for r in rules.reach], 1, rules.reach) * marked
        if torch.equal(spread, labels):
            break
        labels = spread
    groups = labels.flatten().long()
    size = torch.zeros(area.numel() + 1).index_add_(0, groups, area.flatten())
    line = size >= rules.smallest * height * width
    cornered = torch.ones_like(line)
    for axis, side, share in ((2, height, rules.corner[0]), (3, width, rules.corner[1])):
        place = torch.arange(area.shape[axis]).float().view([-1 if a == axis else 1 for a in range(4)]) * cell
        first, last = (
            torch.zeros_like(size).scatter_reduce_(0, groups, place.expand_as(area).flatten(), how, include_self=False)
            for how in ("amin", "amax")
        )
        cornered &= (last + cell <= share * side) | (first >= (1 - share) * side)
    kept = (line if corners else line & ~cornered)[groups].view_as(area) & marked
    return mask * F.interpolate(kept.float(), scale_factor=cell)[:, 0, :height, :width]


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**31),
    size=st.tuples(st.integers(1, 2), st.integers(1, 50), st.integers(1, 90)),
    density=st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.5]),
    reach=st.tuples(st.integers(1, 4), st.integers(1, 5)),
    smallest=st.sampled_from([0.0, 0.0008, 0.01, 0.1]),
    across=st.sampled_from([20, 80]),
    corners=st.booleans(),
)
def test_groups_are_chains_of_marks_within_reach(seed, size, density, reach, smallest, across, corners):
    mask = (torch.rand(size, generator=torch.Generator().manual_seed(seed)) < density).float()
    rules = LineRules(across=across, reach=reach, smallest=smallest)
    assert torch.equal(keep_lines(mask, corners, rules), spread_until_nothing_changes(mask, corners, rules))
