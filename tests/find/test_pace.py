"""Rules about text are lengths of time: at another rate they are other numbers of frames."""

import pytest
from drawn_rows import at, letters, scene, video, white

from clear_runtime.find.marks import find_text
from clear_runtime.find.options import MarkOptions
from clear_runtime.find.pace import Pace


@pytest.mark.parametrize("fps, every", [(0, 3), (8, 1), (24, 3), (25, 3), (30, 3), (50, 6), (60, 7), (1000, 8)])
def test_looks_are_never_further_apart_in_time_than_at_24_a_second(fps, every):
    assert Pace(fps).every == every


@pytest.mark.parametrize("fps, frames", [(0, 25), (8, 8), (60, 60), (1, 4), (90000, 120)])
def test_a_second_is_as_many_frames_as_there_are_within_what_text_is_shown_at(fps, frames):
    assert Pace(fps).frames(25) == frames


@pytest.mark.parametrize("fps, found", [(0, False), (8, True)])
def test_two_thirds_of_a_second_at_8_frames_a_second_are_a_line(fps, found):
    line = at(letters(1, 10), 150, 90)
    frames = video(scene(40), (line, slice(9, 14)))
    finding = find_text(frames, white, MarkOptions(fps=fps, grow=0))
    assert all(bool(finding.marks(t).any()) == found for t in range(9, 14))
    assert not finding.marks(4).any() and not finding.marks(20).any()


def test_a_flash_of_a_tenth_of_a_second_at_60_frames_a_second_is_none():
    word = at(letters(1, 10), 150, 90)
    finding = find_text(video(scene(120), (word, slice(60, 68))), white, MarkOptions(fps=60, grow=0))
    assert not any(finding.marks(t).any() for t in range(120))
