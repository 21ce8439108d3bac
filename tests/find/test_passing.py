"""A line that slides in or is blown away counts from its first frame to its last, and leaves nothing to borrow from."""

import numpy as np
import pytest
import torch
from drawn_rows import at, letters, scene, video, white

from clear_runtime.find.marks import find_text, marked
from clear_runtime.find.options import MarkOptions

FRAMES, LINE, NEXT = 60, at(letters(1, 12), 150, 70), at(letters(2, 12), 150, 70)
STANDS = slice(24, 40)
EVEN = MarkOptions(grow=0)


def slid(right):
    """Where the line is on its way, so many pixels from its place."""
    return np.roll(LINE, right, axis=1)


def sliding(frames, ways):
    """The frames with the line on its way in some, too faint for a prior to read: number -> pixels from its place."""
    for t, right in ways.items():
        way = torch.from_numpy(slid(right))
        frames[t][way] += 0.35 * (1 - frames[t][way])
    return frames


def mark(frames):
    return torch.stack([one.marks for one in marked(frames, white, EVEN)])


@pytest.mark.parametrize("ways", [{23: 8, 22: 24, 21: 60}, {40: -10, 41: -30}], ids=["in", "out"])
def test_a_line_on_its_way_counts(ways):
    plain = video(scene(FRAMES), (LINE, STANDS))
    marks, usual = mark(sliding(plain.clone(), ways)), mark(plain)
    for t, right in ways.items():
        way = torch.from_numpy(slid(right))
        assert (marks[t] & way).sum() >= 0.97 * way.sum() and marks[t].float().mean() < 0.12
    others = [t for t in range(FRAMES) if t not in ways]
    assert torch.equal(marks[others], usual[others])


def test_a_line_that_is_there_at_once_has_no_way():
    finding = find_text(video(scene(FRAMES), (LINE, STANDS)), white, EVEN)
    assert [one.track.passing for one in finding.found] == [[]]


def test_the_line_after_it_is_no_empty_scene():
    frames = video(scene(FRAMES), (LINE, slice(10, 28)), (NEXT, slice(33, 50)))
    assert not mark(frames)[28:33].any()


def test_a_scene_that_moves_is_nothing_on_its_way():
    frames = video(scene(FRAMES, pan=3.0), (LINE, STANDS))
    counted = mark(frames).any((1, 2))
    assert not counted[: STANDS.start].any() and not counted[STANDS.stop :].any()


def test_the_report_says_how_far_it_reaches():
    finding = find_text(sliding(video(scene(FRAMES), (LINE, STANDS)), {23: 8, 22: 24, 21: 60}), white, EVEN)
    (one,) = finding.found
    assert (one.track.first, one.track.stop) == (21, 40)
    assert one.track.covered.right >= one.track.region.right + 50


def test_a_hand_that_comes_near_is_nothing_on_its_way():
    frames = video(scene(FRAMES), (LINE, STANDS))
    sleeve = torch.tensor([0.1, 0.6]).repeat_interleave(3).repeat(40)[None, :, None]
    for t in range(16, FRAMES):
        reach = 5 * (t - 16) + 1
        frames[t, 148:164, :reach] = sleeve[:, -reach:]
    finding = find_text(frames, white, EVEN)
    assert [one.track.passing for one in finding.found] == [[]]


@pytest.mark.parametrize("width", [317, 318, 319, 320])
def test_what_leaves_the_frame_is_marked_to_its_edge(width):
    frames = sliding(video(scene(FRAMES), (LINE, STANDS)), {23: 30, 22: 70, 21: 110})[:, :, :width]
    large = lambda x, rows: x.repeat_interleave(3, rows).repeat_interleave(3, rows + 1)
    marks, way = mark(large(frames, 1)), large(torch.from_numpy(slid(110))[:, :width], 0)
    assert (marks[21] & way).sum() >= 0.97 * way.sum()
