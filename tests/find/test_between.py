"""Rows that come and go between two looks are seen on their way."""

import numpy as np
import pytest
import torch
from drawn_rows import at, letters, scene, video, white

from clear_runtime.find.between import Between
from clear_runtime.find.look import Looker, Scales
from clear_runtime.find.marks import find_text
from clear_runtime.find.options import MarkOptions
from clear_runtime.find.rows import Row
from clear_runtime.find.rules import Rules
from clear_runtime.find.track import Look, Track
from clear_runtime.frames.region import Region

WORDS = letters(1, 10)
LINE, LOWER, SMALL = at(WORDS, 120, 90), at(WORDS, 138, 90), at(letters(1, 10)[::2, ::2].repeat(1, 0), 123, 120)
FRAMES = 48
LINE_AT = Region(115, 80, 24, 140)


def marks_of(frames, rules=Rules()):
    finding = find_text(frames, white, MarkOptions(grow=0), rules=rules)
    return torch.stack([finding.marks(t) for t in range(len(frames))]), finding.finder


@pytest.mark.parametrize("way", [LOWER, SMALL], ids=["slides", "pops in"])
@pytest.mark.parametrize("rules, seen", [(Rules(), True), (Rules().without("between"), False)])
def test_what_is_on_its_way_between_two_looks_goes(way, rules, seen):
    """Looks are at 12 and 15, and at 33 and 36. Over a scene that moves, so that nothing else tells."""
    grey = scene(FRAMES, pan=3.0)
    marks, _ = marks_of(video(grey, (way, slice(13, 15)), (LINE, slice(15, 34)), (way, slice(34, 36))), rules)
    for t in (13, 14, 34, 35):
        assert torch.equal(marks[t] & torch.from_numpy(way), torch.from_numpy(way)) == seen
    assert torch.equal(marks[15:34].all(0), torch.from_numpy(LINE)) and not marks[:13].any() and not marks[36:].any()


def test_the_prior_is_asked_where_rows_come_and_go_and_nowhere_else():
    _, finder = marks_of(video(scene(FRAMES), (LINE, slice(0, FRAMES))))
    assert finder.between.asked == 0
    _, finder = marks_of(video(scene(FRAMES), (LINE, slice(14, 30))))
    assert finder.between.asked == 4


def test_letters_of_a_line_that_stands_are_no_others_on_their_way():
    other = at(letters(4, 10), 150, 90)
    frames = video(scene(FRAMES, pan=3.0), (LINE, slice(0, FRAMES)), (other, slice(14, 30)))
    finding = find_text(frames, white, MarkOptions(grow=0))
    assert sorted(look.t for one in finding.found for look in one.track.between) == [14, 28, 29]
    assert not any(one.track.passing for one in finding.found)


def test_frames_between_are_looked_at_closely_where_the_rows_beside_them_are():
    """A prior that sees letters of the close look's size only."""
    asked = []

    def sees(frames):
        asked.append(tuple(frames.shape[1:3]))
        return white(frames) * (frames.shape[1] != 90)

    looker = Looker(sees, Scales((180, 320), (90, 160), (180, 320)))
    frame = video(scene(1), (LINE, slice(0, 1)))[0]
    assert not looker.beside([frame], [])[0].any()
    (soft,) = looker.beside([frame], [LINE_AT])
    assert (soft[LINE] > 127).all() and all(size[0] < 180 for size in asked)


def test_words_that_take_the_place_of_others_are_not_these_on_their_way():
    """They were one row with them at the look before, until the picture told them apart: a track of two looks."""
    row = Row(LINE_AT, np.full((24, 140), 255, np.uint8), 1.0, 14.0)
    before, after = Track([Look(t, row) for t in (18, 21, 24)], 18, 25), Track([Look(t, row) for t in (24, 27)], 24, 28)
    between = Between(Looker(white, Scales(*[(180, 320)] * 3)), 3)
    between.follow(24, [(before, row)], 0.8, lambda *seen: [row])
    before.looks.pop()
    for t in (25, 26):
        between.hold(t, torch.zeros(180, 320, 3))
    between.follow(27, [(after, row)], 0.8, lambda *seen: [row])
    assert between.asked == 0 and not before.between and not after.between
