"""Rectangles of the frame, and boxes around subtitles."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clear_runtime.errors import ClearError
from clear_runtime.frames.region import APART, Region, band, blocks, bounds


def marked(*boxes, size=(64, 96)):
    """One frame per box (top, bottom, left, right); None is an empty frame."""
    masks = torch.zeros(len(boxes), *size)
    for frame, box in zip(masks, boxes):
        if box:
            frame[box[0] : box[1], box[2] : box[3]] = 1
    return masks


def test_bounds_is_the_union_over_frames_and_stops_at_the_frame():
    masks = marked((50, 60, 10, 20), None, (55, 62, 70, 90))
    assert bounds(masks) == Region(50, 10, 12, 80)
    assert bounds(masks, 8) == Region(42, 2, 22, 94)
    assert bounds(marked(None, None)) is None


def test_a_region_cuts_frames_and_masks_alike():
    region = Region(2, 5, 10, 20)
    assert region.of(torch.zeros(3, 64, 96, 3)).shape == (3, 10, 20, 3)
    assert region.of(torch.zeros(3, 64, 96)).shape == (3, 10, 20)


def test_a_region_is_told_by_its_edges_too_and_grows_as_far_as_the_frame():
    region = Region.between(2, 5, 12, 25)
    assert region == Region(2, 5, 10, 20) and (region.bottom, region.right) == (12, 25)
    assert region.grown(1, 64, 96) == Region(1, 4, 12, 22)
    assert region.grown(7, 16, 28) == Region(0, 0, 16, 28)


@settings(deadline=None)
@given(st.integers(1, 8), st.integers(1, 12), st.sampled_from([8, 16]), st.integers(0, 40), st.data())
def test_a_band_holds_the_mask_and_its_context_on_the_grid(down, across, multiple, margin, data):
    size = (down * multiple, across * multiple)
    top, left = data.draw(st.integers(0, size[0] - 1)), data.draw(st.integers(0, size[1] - 1))
    bottom, right = data.draw(st.integers(top + 1, size[0])), data.draw(st.integers(left + 1, size[1]))
    region = band(marked((top, bottom, left, right), size=size), multiple, margin, size)
    assert all(x % multiple == 0 for x in (region.top, region.left, region.height, region.width))
    assert 0 <= region.top <= max(0, top - margin) and min(size[0], bottom + margin) <= region.bottom <= size[0]
    assert 0 <= region.left <= max(0, left - margin) and min(size[1], right + margin) <= region.right <= size[1]
    assert region.height < bottom - top + 2 * (margin + multiple)


def test_the_masks_may_be_smaller_than_the_padded_frame():
    assert band(marked((60, 64, 90, 95), size=(64, 95)), 16, 0, (64, 96)) == Region(48, 80, 16, 16)


def test_no_mask_no_band():
    assert band(marked(None), 16, 8, (64, 96)) is None


def test_a_frame_off_the_grid_is_refused():
    with pytest.raises(ClearError, match="95x64"):
        band(marked((1, 2, 3, 4), size=(64, 95)), 16, 0, (64, 95))


def test_blocks_are_parted_by_rows_then_columns_and_lie_apart():
    masks = torch.zeros(2, 400, 600)
    masks[0, 10:20, 20:60] = masks[0, 10:20, 300:340] = 1  # a line of two far words at the top
    masks[1, 30:34, 50:56] = 1  # close to the first of them
    masks[1, 350:380, 100:500] = 1
    assert blocks(masks, 32) == [
        Region.between(0, 0, 66, 92),
        Region.between(0, 268, 52, 372),
        Region.between(318, 68, 400, 532),
    ]
    assert blocks(torch.zeros(1, 8, 8), 4) == []


def test_blocks_are_parted_where_only_their_own_rows_or_columns_tell_them_apart():
    """A column of text left, and two lines of text right of it, in rows that the column closes."""
    masks = torch.zeros(1, 400, 600)
    masks[0, 20:380, 20:40] = masks[0, 20:40, 300:400] = masks[0, 360:380, 300:400] = 1
    assert blocks(masks, 0) == [
        Region.between(20, 20, 380, 40),
        Region.between(20, 300, 40, 400),
        Region.between(360, 300, 380, 400),
    ]


@pytest.mark.parametrize("gap, count", [(APART, 1), (APART + 1, 2)])
def test_near_marks_stay_together(gap, count):
    masks = torch.zeros(1, 200, 50)
    masks[0, 40:50, 10:20] = masks[0, 50 + gap : 60 + gap, 10:20] = 1
    assert len(blocks(masks, 2)) == count


@pytest.mark.parametrize("margin", [1, 40])
def test_blocks_hold_all_marks_and_do_not_overlap(margin):
    masks = (torch.rand(2, 500, 700, generator=torch.Generator().manual_seed(0)) > 0.99996).float()
    held = torch.zeros(500, 700)
    found = blocks(masks, margin)
    for block in found:
        held[block.rows, block.columns] += 1
    assert held.max() == 1 and (held[masks.any(0)] == 1).all() and len(found) > 2
    assert masks.any(0).sum() < held.sum() < held.numel()
