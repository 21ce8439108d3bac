"""The video of what was replaced, beside the film."""

import pytest
import tiny_film
import torch
from tiny_film import CUT, FRAMES, LINES, Stopped, job, letters, read

from clear_runtime.errors import ClearError
from clear_runtime.film import run, segments
from clear_runtime.film.output import masks_of
from clear_runtime.film.run import clean
from clear_runtime.film.store import Store
from clear_runtime.media.video import read_facts


def masked(film, target, **more):
    return job(film, target, store=Store(masks=True), **more)


def test_it_has_a_frame_for_each_at_its_time_white_where_pixels_are_new(film, tmp_path):
    target = tmp_path / "clean.mp4"
    done = clean(masked(film, target))
    assert done.masks == str(masks_of(target)) == str(tmp_path / "clean_mask.mp4")
    (times, masks), (then, after), before = read(done.masks), read(target), read(film)[1]
    assert times == then and len(masks) == FRAMES and read_facts(done.masks).audio is None
    there = {t for first, stop in LINES for t in range(first, stop)}
    assert {t for t in range(FRAMES) if masks[t].max() > 0.9} == there
    for n, (first, _) in enumerate(LINES):
        mask = masks[first + 5].mean(-1)
        assert mask[letters(n)].mean() > 0.9 and mask[:30].max() < 0.05
    changed = (after[60] - before[60]).abs().amax(-1) > 0.1
    assert (masks[60].mean(-1)[changed] > 0.5).all()


@pytest.mark.parametrize("where", ["cleaning", "naming"])
def test_after_a_stop_the_film_and_its_masks_are_those_of_one_run(film, whole, tmp_path, monkeypatch, where):
    target = tmp_path / "clean.mp4"

    def stopped(*_):
        raise Stopped

    def stop(now):
        if now.stage == "cleaning" and now.done > CUT:
            raise Stopped

    with monkeypatch.context() as patch:
        if where == "naming":
            patch.setattr(run, "name_masks", stopped)
        with pytest.raises(Stopped):
            clean(masked(film, target), stop if where == "cleaning" else lambda now: None)
        assert not masks_of(target).exists()
    engine = tiny_film.Noisy()
    done = clean(masked(film, target, engine=engine))
    assert len(read(done.masks)[1]) == FRAMES and torch.equal(read(target)[1], whole[3])
    assert bool(engine.windows) == (where == "cleaning")
    assert sorted(one.name for one in tmp_path.iterdir() if one.suffix == ".mp4") == ["clean.mp4", "clean_mask.mp4"]


def test_a_name_that_is_taken_is_said_and_the_masks_of_a_segment_are_checked(brief, tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "SECONDS", 1)
    target = tmp_path / "clean.mp4"
    masks_of(target).write_text("mine")
    with pytest.raises(ClearError, match="clean_mask.mp4 exists already"):
        clean(masked(brief, target))
    assert masks_of(target).read_text() == "mine" and not target.exists()
    masks_of(target).unlink()
    part = sorted((tmp_path / "clean.mp4.unfinished").glob("segment_*_masks.nut"))[3]
    part.write_bytes(part.read_bytes()[:-9])
    assert any("is damaged; it is made again" in note for note in clean(masked(brief, target)).notes)
