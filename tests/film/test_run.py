"""A film as a whole: what is cleaned and what is not."""

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
import tiny_film
import torch
from tiny_film import BRIEF, CUT, FRAMES, LINES, Noisy, job, letters, read

from clear_runtime.engines.engine import Painted
from clear_runtime.errors import ClearError
from clear_runtime.film.run import clean, make_plan
from clear_runtime.media.video import read_facts


def test_every_frame_comes_back_at_its_time_and_the_lines_are_gone(film, whole):
    _, report, done, after = whole
    (times, before), now = read(film), read(done.output)[0]
    assert times == now and len(after) == done.frames == FRAMES
    assert done.changed == sum(stop - first for first, stop in LINES)
    assert [(line.first, line.stop) for line in report.removed] == list(LINES)
    for n, (first, stop) in enumerate(LINES):
        assert (before[first:stop][:, letters(n)].mean((1, 2)) > 0.9).all()
        assert (after[first:stop][:, letters(n)].mean((1, 2)) < 0.6).all(), n
    inside = torch.zeros(FRAMES, dtype=torch.bool)
    for first, stop in LINES:
        inside[first:stop] = True
    assert (after[~inside] - before[~inside]).abs().mean() < 0.01
    assert read_facts(done.output).audio == read_facts(film).audio is not None


def test_only_stretches_with_text_are_painted_and_no_window_reaches_over_a_cut(whole):
    painted = whole[0].windows
    assert all(stop <= CUT or first >= CUT for first, stop in painted)
    assert {first % 4 for first, _ in painted} == {0}
    near = {t for first, stop in LINES for t in range(first - 8, stop + 8)}
    assert {t for first, stop in painted for t in range(first, stop)} <= near


def test_the_plan_stays_beside_the_result_and_nothing_else_does(whole):
    _, _, done, _ = whole
    folder = os.path.dirname(done.output)
    assert sorted(os.listdir(folder)) == ["clean.mp4", "clean_plan.json", "clean_plan.marks"]
    plan = json.loads(Path(done.plan).read_text(encoding="utf-8"))
    assert [(line["from"], line["to"], line["remove"]) for line in plan["lines"]] == [
        ("0:00:01.600", "0:00:03.600", True),
        ("0:00:06.000", "0:00:09.200", True),
        ("0:00:12.400", "0:00:13.200", True),
    ]
    assert plan["marks_file"] == "clean_plan.marks"


def test_an_output_that_is_there_is_never_overwritten(tmp_path):
    film, target = tiny_film.write_film(tmp_path / "film.mp4", 12), tmp_path / "clean.mp4"

    def appears(now):
        if now.stage == "joining":
            target.write_text("mine")

    with pytest.raises(ClearError, match="exists already"):
        clean(job(film, target), appears)
    assert target.read_text() == "mine"
    target.unlink()
    stages = set()
    clean(job(film, target), lambda now: stages.add(now.stage))
    assert read_facts(target).frames == 12


def test_between_two_times_and_in_an_area_alone(film, tmp_path):
    done = clean(job(film, tmp_path / "clean.mp4", start="0:06", end="13"))
    before, after = read(film)[1], read(done.output)[1]
    changed = ((after - before).abs().amax((1, 2, 3)) > 0.25).nonzero()[:, 0].tolist()
    assert changed == [*range(150, 230), *range(310, 325)] and len(after) == FRAMES
    above = clean(job(film, tmp_path / "above.mp4", area="0,0,112,30"))
    assert above.changed == 0


def test_wrong_times_and_areas_are_refused_at_once(film, tmp_path):
    for wrong in (dict(start="soon"), dict(start="5", end="4"), dict(area="1,2,3"), dict(area="a,b,c,d")):
        with pytest.raises(ClearError):
            job(film, tmp_path / "clean.mp4", **wrong)
    with pytest.raises(ClearError, match="has no pixel of the picture"):
        clean(job(film, tmp_path / "clean.mp4", area="200,0,10,10"))
    with pytest.raises(ClearError, match="no frame between"):
        clean(job(film, tmp_path / "clean.mp4", start="1:00:00"))


def test_a_users_mask_goes_for_the_whole_film_or_alone(brief, tmp_path):
    place = torch.zeros(1, tiny_film.HEIGHT, tiny_film.WIDTH)
    place[:, 4:12, 60:80] = 1
    added = clean(job(brief, tmp_path / "added.mp4", subtitle=place))
    assert added.changed == BRIEF
    before, after = read(brief)[1], read(added.output)[1]
    assert (after - before)[:, 5:11, 62:78].abs().mean((1, 2, 3)).min() > 0.02
    assert (after[60, letters(0)].mean()) < 0.6
    only = clean(job(brief, tmp_path / "only.mp4", subtitle=place, subtitle_use="only", prior=None))
    assert (read(only.output)[1][60, letters(0)].mean()) > 0.9


def test_a_users_mask_that_jumps_is_held_and_said(brief, tmp_path):
    place = torch.zeros(BRIEF, tiny_film.HEIGHT, tiny_film.WIDTH)
    place[:, 4:12, 60:80] = 1
    place[100:103] = 0
    place[100:103, 30:38, 5:25] = 1
    done = clean(job(brief, tmp_path / "only.mp4", subtitle=place, subtitle_use="only", prior=None))
    change = (read(done.output)[1] - read(brief)[1])[101].abs()
    assert change[5:11, 62:78].mean() > 0.02 > change[31:37, 7:23].mean()
    assert any("subtitle mask jumped" in note and "100-102" in note for note in done.notes)


def test_progress_goes_from_nothing_to_all_and_says_what_is_to_come(brief, tmp_path):
    seen = []
    clean(job(brief, tmp_path / "clean.mp4"), seen.append)
    shares = [now.share for now in seen if now.share is not None]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    assert list(dict.fromkeys(now.stage for now in seen)) == ["looking for text", "cleaning", "joining"]
    assert any(now.preview is not None for now in seen) and any("GB of disk" in now.note for now in seen)
    assert all(now.done <= now.total for now in seen)
    cleaning = [now for now in seen if now.stage == "cleaning"]
    within = [now.share > one.share for one, now in pairwise(cleaning) if now.done == one.done]
    assert any(within), "it goes on within a window too"


def test_seams_between_windows_and_segments_do_not_show(film, tmp_path):
    """What two windows make of a frame differs by a tenth; from frame to frame it never changes by more than a share
    of that, wherever windows and segments meet."""

    class Shifted(Noisy):
        def paint(self, piece, seed, on_stage):
            super().paint(piece, seed, on_stage)
            return Painted(torch.full_like(piece.frames, 0.3 + 0.1 * (len(self.windows) % 2)))

    engine = Shifted()
    after = read(clean(job(film, tmp_path / "clean.mp4", engine)).output)[1]
    first, stop = LINES[1][0], CUT
    steps = (after[first + 1 : stop] - after[first : stop - 1])[:, letters(1)].mean((1, 2)).abs()
    inside = [one for one in engine.windows if first <= one[0] and one[1] <= stop]
    assert len(inside) > 2 and steps.max() < 0.1 / 4 + 0.01


@pytest.mark.parametrize("subtitles_only", [True, False])
def test_what_is_seen_is_shown_marked_while_it_is_looked_for(film, tmp_path, subtitles_only):
    seen = []
    make_plan(job(film, tmp_path / "clean.mp4", subtitles_only=subtitles_only), tmp_path / "plan.json", seen.append)
    shown = [(now.done, now.preview) for now in seen if now.preview is not None]
    assert len(shown) > 10 and shown[0][0] < 40, "there is a picture before the first line"
    marked = [done for done, picture in shown if (picture[letters(0)] - torch.tensor([1.0, 1, 0.3])).abs().max() < 0.2]
    first, stop = LINES[0]
    assert marked and all(first < done < stop + 30 for done in marked), "yellow where the letters are"


def test_joining_moves_too_and_a_stop_in_it_loses_nothing(film, whole, tmp_path):
    target, seen = tmp_path / "clean.mp4", []

    def stop(now):
        if now.stage == "joining" and now.done > 100:
            raise tiny_film.Stopped
        seen.append(now)

    with pytest.raises(tiny_film.Stopped):
        clean(job(film, target), stop)
    joined = [now.done for now in seen if now.stage == "joining"]
    assert len(joined) > 20 and joined == sorted(joined) and not target.exists()
    engine = Noisy()
    clean(job(film, target, engine))
    assert not engine.windows and torch.equal(read(target)[1], whole[3])
