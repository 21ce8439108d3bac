"""Pairs from a subtitled film alone: clean halves without any text, and lines that look as its own."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import torch
from own_film import ALWAYS, PLANTED, TEXT, frame, write_film

from clear_runtime.data.clips import fitted
from clear_runtime.data.film_clips import Area, FilmClips, spans_of
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
    clips = found.clips(frames=17, count=3, long_side=320, seed=3)
    assert len(clips.identities) == 3 and clips.sizes == [(17, 176, 320)], "two in 28 frames, one in 18"
    assert str(clips).endswith("Of whole frames without text: 3.")
    frames = list(read_frames(film))
    read = dict(clips.read(range(3)))
    spans = clips.sources[0].spans
    for n, clip in read.items():
        assert torch.equal(clip.clean[5], frames[spans[n].start + 5][2:178])
        changed = (clip.subtitled - clip.clean).abs().amax((0, 3)) > 0.2
        assert changed.any() and changed.nonzero()[:, 0].median() > 100, "a line, of one row or two, at the bottom"
    assert not torch.equal(read[0].subtitled - read[0].clean, read[1].subtitled - read[1].clean), "other lines in each"


@pytest.mark.slow
def test_what_the_stretches_do_not_give_areas_do(film, found):
    alone, clips = found.clips(17, 3, 320, 3), found.clips(17, 9, 320, 3)
    assert clips.identities[:3] == alone.identities and len(clips.identities) == 9
    assert "Of whole frames without text: 3." in str(clips) and "in frames with some: 6." in str(clips)
    assert "from 1 video." in str(clips), "of one film, whatever parts of it they show"
    areas = clips.sources[1]
    free = [span for span in areas.spans if all(span.stop <= begin or span.start >= end for begin, end in TEXT)]
    assert len(free) < len(areas.spans), "of frames that have text"


@pytest.fixture(scope="module")
def always(tmp_path_factory):
    """What is found of a film with text in every frame."""
    folder = tmp_path_factory.mktemp("always")
    return own.own_pairs(write_film(folder / "film.mp4", ALWAYS, 48), load_prior(), folder / "found")


@pytest.mark.slow
def test_a_film_with_text_in_every_frame_gives_pairs_of_what_is_beside_it(always):
    assert always.stretches == [] and "0 frames in 0 stretches are without text" in always.text()
    clips = always.clips(17, 4, 320, 3)
    assert "4 clips of 17 frames" in str(clips) and "whole frames" not in str(clips)
    (areas,) = clips.sources
    for n, (subtitled, clean) in clips.read(range(4)):
        span, part = areas.spans[n], areas.parts[n]
        shown = torch.stack([part.of(fitted(frame(t), 320)[None])[0] for t in span])
        assert (clean - shown).abs().max() < 0.15, "the picture behind the lines, as compression leaves it"
        changed = (subtitled - clean).abs().amax((0, 3)) > 0.2
        rows = changed.any(1).nonzero()[:, 0]
        assert len(rows) and abs(float(rows.float().mean()) - part.height / 2) < part.height / 4, "in the middle"


@pytest.mark.slow
def test_lines_that_are_measured_beside_others_look_as_those_of_a_film_with_stretches(always, found):
    for style in (always.style, found.style):
        assert style.position == "bottom" and abs(style.size - PLANTED.size) < 0.2 * PLANTED.size
        assert abs(style.margin - PLANTED.margin) < 3 and abs(style.outline - PLANTED.outline) < 6


def test_letters_are_as_large_in_an_area_as_in_the_whole_frame_and_in_its_middle(film, tmp_path):
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:09,000\nHamburg\n")
    style = replace(PLANTED, file=str(tmp_path / "a.srt"))
    areas = [Area(range(17), Region(32, 0, 96, 320))]
    rows = []
    for clips in FilmClips(film, style, [(0, 17)], 17, 1, 320), FilmClips(film, style, [], 17, 1, 320, areas=areas):
        ((_, clip),) = clips.read([0])
        rows.append((clip.subtitled - clip.clean).abs().amax((0, 2, 3)).gt(0.2).nonzero()[:, 0])
    assert abs(len(rows[0]) - len(rows[1])) <= 1 and len(rows[0]) > 15
    assert rows[0].float().mean() > 120 and abs(rows[1].float().mean() - 48) < 6


@pytest.mark.slow
def test_what_is_marked_has_to_be_there_too(always, tmp_path):
    kept = always.areas.marked
    assert own.own_pairs(always.film, None, kept.parent) == always
    moved = kept.rename(tmp_path / "away.npz")
    assert own._known(kept.with_name(own.FOUND), {}, always.film) is None
    moved.rename(kept)


@pytest.mark.slow
def test_what_was_found_is_not_looked_for_again(film, looked):
    found, folder, told = looked
    again = []
    assert own.own_pairs(film, None, folder, BurnStyle(), again.append) == found and told and not again


def plan(*lines, shots=(0,), stop=400, at=Region(100, 20, 20, 100)):
    return Plan({}, {}, 0, stop, True, list(shots), [PlannedLine(a, b, at, goes) for a, b, goes in lines])


def test_lines_of_which_nothing_is_marked_leave_the_style_as_it_is(film, tmp_path):
    with MarksWriter(tmp_path / "empty.marks") as writer:
        writer.add_times(Clock(np.arange(0, 41_667 * 161, 41_667)))
    with closing(MarksFile(tmp_path / "empty.marks")) as marks:
        line = PlannedLine(10, 30, Region(100, 20, 20, 100), True, 0)
        texts = Plan({}, {}, 0, 160, True, [0], [line])
        assert own_style(Source(film), texts, marks, None, PLANTED, lambda: None) == PLANTED


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
    everywhere = plan((0, 190, True), (211, 400, True), at=Region(0, 0, 180, 320))
    monkeypatch.setattr(own, "look", lambda *args: everywhere)
    with pytest.raises(ClearError, match="no area of the picture, .* Take a longer piece"):
        own.own_pairs(film, nothing, tmp_path / "b")
    with pytest.raises(ClearError, match="in a row without text"):
        FilmClips(film, BurnStyle(), [(0, 3)])
