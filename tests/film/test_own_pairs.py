"""Pairs from a subtitled film alone: clean halves without any text, and lines that look as its own."""

from contextlib import closing

import numpy as np
import pytest
import torch
from own_film import PLANTED, TEXT, write_film

from clear_runtime.data.film_clips import FilmClips, spans_of
from clear_runtime.data.synthetic.burn_style import BurnStyle, rgb
from clear_runtime.errors import ClearError
from clear_runtime.film import own_pairs as own
from clear_runtime.film.marks_file import MarksFile, MarksWriter
from clear_runtime.film.own_look import own_style
from clear_runtime.film.plan import Plan, PlannedLine
from clear_runtime.film.source import Source
from clear_runtime.film.timecode import Clock
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.frames.region import Region
from clear_runtime.media.video import read_frames


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_film(tmp_path_factory.mktemp("own") / "film.mp4")


@pytest.fixture(scope="module")
def looked(film, tmp_path_factory):
    """(what was found, the folder where it is kept, what was told while the film was looked at)."""
    folder, told = tmp_path_factory.mktemp("found"), []
    return own.own_pairs(film, load_prior(), folder, BurnStyle(), told.append), folder, told


@pytest.fixture(scope="module")
def found(looked):
    return looked[0]


@pytest.mark.slow
def test_no_stretch_has_text_in_it(found):
    assert found.stretches and found.lines >= 2
    for first, stop in found.stretches:
        assert all(stop <= begin or first >= end for begin, end in TEXT), (first, stop)
    assert any(first <= 44 < stop for first, stop in found.stretches)


@pytest.mark.slow
def test_the_style_is_close_to_the_planted_one(found):
    style = found.style
    assert style.position == "bottom" and abs(style.size - PLANTED.size) < 0.2 * PLANTED.size
    assert abs(style.margin - PLANTED.margin) < 3 and abs(style.outline - PLANTED.outline) < 6
    for name in ("colour", "outline_colour"):
        seen, planted = (torch.tensor(rgb(getattr(one, name))).float() for one in (style, PLANTED))
        assert (seen - planted).norm() < 100, (name, getattr(style, name))  # a thin letter loses colour in 4:2:0
    assert rgb(style.colour)[0] > 200 > rgb(style.colour)[2]


@pytest.mark.slow
def test_pairs_are_the_film_s_own_frames_and_the_same_with_a_line(film, found):
    clips = found.clips(frames=17, count=9, long_side=320, seed=3)
    assert len(clips.identities) == 3 and clips.sizes == [(17, 176, 320)], "two in 28 frames, one in 18"
    assert len(found.clips(17, 2, 320, 3).identities) == 2
    frames = list(read_frames(film))
    read = dict(clips.read(range(3)))
    spans = clips.sources[0].spans
    for n, clip in read.items():
        assert torch.equal(clip.clean[5], frames[spans[n].start + 5][2:178])
        changed = (clip.subtitled - clip.clean).abs().amax((0, 3)) > 0.2
        assert changed.any() and changed.nonzero()[:, 0].median() > 100, "a line, of one row or two, at the bottom"
    assert not torch.equal(read[0].subtitled - read[0].clean, read[1].subtitled - read[1].clean), "other lines in each"


@pytest.mark.slow
def test_what_was_found_is_not_looked_for_again(film, looked):
    found, folder, told = looked
    again = []
    assert own.own_pairs(film, None, folder, BurnStyle(), again.append) == found and told and not again


def plan(*lines, shots=(0,), stop=400):
    at = Region(100, 20, 20, 100)
    return Plan({}, {}, 0, stop, True, list(shots), [PlannedLine(a, b, at, goes) for a, b, goes in lines])


def test_lines_of_which_nothing_is_marked_leave_the_style_as_it_is(film, tmp_path):
    with MarksWriter(tmp_path / "empty.marks") as writer:
        writer.add_times(Clock(np.arange(0, 41_667 * 161, 41_667)))
    with closing(MarksFile(tmp_path / "empty.marks")) as marks:
        line = PlannedLine(10, 30, Region(100, 20, 20, 100), True, 0)
        texts = Plan({}, {}, 0, 160, True, [0], [line])
        assert own_style(Source(film), texts, marks, None, PLANTED, 50) == PLANTED


def test_stretches_keep_away_from_text_and_do_not_cross_cuts():
    texts = plan((50, 80, True), (60, 100, True), (300, 320, False), shots=(0, 200))
    assert own.free_stretches(texts) == [(0, 44), (106, 200), (200, 294), (326, 400)]
    assert own.free_stretches(plan((0, 400, False))) == [(0, 400)], "what always stands is the scene's"
    assert own.free_stretches(plan((0, 400, True))) == []


def test_spans_are_spread_and_overlap_by_half_at_most():
    spans = spans_of([(0, 38), (112, 200)], 17, 100)
    assert [span.start for span in spans] == [0, 8, 16, 112, 120, 128, 136, 144, 152, 160, 168, 176]
    few = spans_of([(0, 38), (112, 200)], 17, 3)
    assert len(few) == 3 and few[0].start == 0 and few[-1].start == 176


def test_a_film_without_text_and_one_without_rest_are_refused(film, tmp_path, monkeypatch):
    nothing = lambda frames: torch.zeros(frames.shape[:3])
    with pytest.raises(ClearError, match="No subtitle was found"):
        own.own_pairs(film, nothing, tmp_path / "a")
    monkeypatch.setattr(own, "look", lambda *args: plan((0, 190, True), (211, 400, True)))
    with pytest.raises(ClearError, match="away from text; the most that it has is 9. Take a longer piece"):
        own.own_pairs(film, nothing, tmp_path / "b")
    with pytest.raises(ClearError, match="in a row without text"):
        FilmClips(film, BurnStyle(), [(0, 3)])
