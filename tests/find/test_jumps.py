"""A mask that jumps to another object for a few frames is held where its own moves; any other comes back as it was."""

import pytest
import torch
from drawn_rows import scene, video

from clear_runtime.engines.plain_fill import PlainFill
from clear_runtime.errors import ClearError
from clear_runtime.find.jumps import cuts_of, without_jumps
from clear_runtime.find.report import Report
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove

FRAMES, HEIGHT, WIDTH = 40, 180, 320
MOST = 8
OTHER = (20, 250)


def track(*boxes: tuple[range, tuple[float, float], tuple[float, float]], size=(24, 60)) -> torch.Tensor:
    """A mask [T, H, W] of boxes of one size: (frames, (top, left) in frame 0, movement a frame)."""
    mask = torch.zeros(FRAMES, HEIGHT, WIDTH)
    for frames, (top, left), (down, right) in boxes:
        for t in frames:
            y, x = round(top + t * down), round(left + t * right)
            mask[t, y : y + size[0], x : x + size[1]] = 1
    return mask


def except_for(gap: range) -> list[int]:
    return [t for t in range(FRAMES) if t not in gap]


@pytest.mark.parametrize("move", [(0, 0), (1.5, 3), (0, 5)])
@pytest.mark.parametrize("gap", [range(12, 13), range(12, 20)])
def test_a_planted_jump_is_held_where_the_object_moves(move, gap):
    true = track((range(FRAMES), (90, 20), move))
    jumping = track((except_for(gap), (90, 20), move), (gap, OTHER, (0, 0)))
    given = jumping.clone()
    held, found = without_jumps(jumping, MOST)
    assert found == [(gap.start, gap.stop)]
    assert torch.equal(jumping, given), "the mask is another node's too"
    assert torch.equal(held[except_for(gap)], true[except_for(gap)])
    for t in gap:
        both, either = (held[t] * true[t]).sum(), held[t].maximum(true[t]).sum()
        assert both / either > 0.85 and held[t, : OTHER[0] + 40, 240:].sum() == 0


def test_two_jumps_and_an_object_that_stays_beside():
    beside = track((range(FRAMES), (150, 200), (0, 0)))
    first, second = range(6, 9), range(25, 30)
    gone = [t for t in range(FRAMES) if t not in first and t not in second]
    jumping = track((gone, (60, 20), (0, 1)), (first, OTHER, (0, 0)), (second, (10, 100), (0, 0))).maximum(beside)
    held, found = without_jumps(jumping, MOST)
    assert found == [(6, 9), (25, 30)]
    assert torch.equal(held, track((range(FRAMES), (60, 20), (0, 1))).maximum(beside))


UNCHANGED = {
    "moves smoothly": track((range(FRAMES), (20, 10), (2, 5))),
    "appears and ends": track((range(8, 15), (90, 20), (0, 0)), (range(20, 26), OTHER, (0, 0))),
    "another beside it for a few frames": track((range(FRAMES), (90, 20), (0, 0)), (range(9, 13), OTHER, (0, 0))),
    "is lost for a few frames": track((except_for(range(10, 14)), (90, 20), (0, 0))),
    "goes elsewhere and stays": track((range(17), (90, 20), (0, 0)), (range(17, FRAMES), OTHER, (0, 0))),
    "goes elsewhere for long": track((except_for(range(10, 19)), (90, 20), (0, 0)), (range(10, 19), OTHER, (0, 0))),
    "jumps at the end": track((range(36), (90, 20), (0, 0)), (range(36, FRAMES), OTHER, (0, 0))),
    "another ends as one begins": track((except_for(range(10, 14)), (90, 20), (0, 0)), (range(4, 14), OTHER, (0, 0))),
    "specks": torch.zeros(FRAMES, HEIGHT, WIDTH).index_fill_(0, torch.tensor([3, 5]), 1.0)
    * ((torch.arange(HEIGHT)[:, None] % 20 == 0) & (torch.arange(WIDTH) % 20 == 0)),
    "nothing": torch.zeros(FRAMES, HEIGHT, WIDTH),
    "one for all": torch.ones(1, HEIGHT, WIDTH),
}


@pytest.mark.parametrize("mask", UNCHANGED.values(), ids=UNCHANGED)
def test_what_is_no_jump_comes_back_as_it_was(mask):
    held, found = without_jumps(mask, MOST)
    assert held is mask and not found


def test_off_nothing_is_held():
    gap = range(12, 15)
    jumping = track((except_for(gap), (90, 20), (0, 0)), (gap, OTHER, (0, 0)))
    assert without_jumps(jumping, 0)[0] is jumping
    assert without_jumps(jumping, 2)[0] is jumping, "three frames are more than two"


def test_another_shot_shows_another_object_rightly():
    gap = range(12, 18)
    mask = track((except_for(gap), (90, 20), (0, 0)), (gap, OTHER, (0, 0)))
    one_shot = video(scene(FRAMES))
    assert without_jumps(mask, MOST, cuts_of(one_shot))[1] == [(12, 18)]
    two = one_shot.clone()
    two[12:18] = video(scene(FRAMES, seed=3))[12:18]
    assert without_jumps(mask, MOST, cuts_of(two))[0] is mask
    assert without_jumps(mask, MOST, cuts_of(iter(two)))[1] == [(12, 18)], "frames that pass once cannot be looked at"


def removed(**asked):
    gap = range(12, 15)
    mask = track((except_for(gap), (90, 20), (0, 0)), (gap, OTHER, (0, 0)))
    report = Report()
    options = RemoveOptions.of(subtitle_use="only", mask_from="prior", boxes="keep", **asked)
    frames = video(scene(FRAMES))
    done = list(remove(frames, PlainFill(), None, options, subtitle=mask, total=FRAMES, report=report))
    return torch.stack([changed for _, changed in done]), report


def test_a_removal_holds_it_and_says_so():
    changed, report = removed()
    assert changed[13, 100, 40] == 1 and changed[13, 30, 260] == 0
    assert report.notes == [
        "The subtitle mask jumped to another object and back in frames 12-14; there it was held where its own object "
        "moves (mask_jumps)."
    ]
    assert report.notes[0] in report.text()


def test_a_removal_without_takes_the_mask_as_it_is():
    changed, report = removed(mask_jumps=0)
    assert changed[13, 100, 40] == 0 and changed[13, 30, 260] == 1 and not report.notes


def test_protect_is_held_too():
    gap = range(12, 15)
    protect = track((except_for(gap), (90, 20), (0, 0)), (gap, OTHER, (0, 0)))
    options = RemoveOptions.of(subtitle_use="only", mask_from="prior", boxes="keep")
    near, report = torch.zeros(1, HEIGHT, WIDTH), Report()
    near[:, 96:106, 30:50] = near[:, 26:36, 255:265] = 1  # where the object is, and where it jumps to
    frames = video(scene(FRAMES))
    done = list(remove(frames, PlainFill(), None, options, protect=protect, subtitle=near, total=FRAMES, report=report))
    assert done[13][1][100, 40] == 0 and done[13][1][30, 260] > 0 and "protect mask" in report.notes[0]


def test_a_mask_of_another_shape_is_refused_as_before():
    options = RemoveOptions.of(subtitle_use="only", mask_from="prior")
    with pytest.raises(ClearError, match="dimensions"):
        list(remove(video(scene(3)), PlainFill(), None, options, subtitle=torch.ones(HEIGHT, WIDTH)))
