"""A run that was stopped at any moment gives the file that it would have given."""

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_film
import torch
from paths import ROOT
from tiny_film import FRAMES, Noisy, Stopped, job, read

from clear_runtime.engines.engine import Painted
from clear_runtime.engines.plain_fill import PlainFill
from clear_runtime.errors import ClearError
from clear_runtime.film.run import clean


@pytest.mark.parametrize("at", [0, 30, 120, 180, FRAMES - 1])
def test_a_stop_anywhere_then_a_second_run_gives_the_same_file(film, whole, tmp_path, at):
    def stop(now):
        if now.stage == "cleaning" and now.done >= at:
            raise Stopped

    target = tmp_path / "clean.mp4"
    with pytest.raises(Stopped):
        clean(job(film, target), stop)
    assert not target.exists() and (tmp_path / "clean.mp4.unfinished").is_dir()
    looked = []
    engine = Noisy()
    done = clean(job(film, target, engine), lambda now: looked.append(now.stage))
    assert "looking for text" not in looked, "the plan was found by the run before"
    assert torch.equal(read(target)[1], whole[3])
    assert len(engine.windows) <= len(whole[0].windows) and (at < 100 or len(engine.windows) < len(whole[0].windows))
    assert (at < 60) or "Goes on from frame" in done.notes[0]


class GoesOn(Noisy):
    """Paints each window in a colour that it hands on: what it was given of the window before, and a little more."""

    needs = replace(Noisy.needs, goes_on=True)

    def paint(self, piece, seed, on_stage):
        super().paint(piece, seed, on_stage)
        before = 0.2 if piece.painted is None else piece.painted[-1][piece.holes[len(piece.painted) - 1]].mean().item()
        return Painted(torch.full_like(piece.frames, min(0.9, before + 0.1)))


def test_where_windows_go_on_from_one_another_a_stop_gives_the_same_file_too(film, tmp_path):
    def stop(now):
        if now.stage == "cleaning" and now.done >= 180:
            raise Stopped

    runs = {name: (tmp_path / f"{name}.mp4", GoesOn()) for name in ("whole", "first", "second")}
    ask = lambda name: job(film, runs[name][0], runs[name][1], clean_overlap=True, steps=2)
    clean(ask("whole"))
    with pytest.raises(Stopped):
        clean(ask("first"), stop)
    runs["second"] = runs["first"][0], GoesOn()
    clean(ask("second"))
    assert torch.equal(read(runs["second"][0])[1], read(runs["whole"][0])[1])
    assert 0 < len(runs["second"][1].windows) < len(runs["whole"][1].windows), "the first stretch was finished"
    # the stretch in which it was stopped began anew, from its first window
    assert runs["second"][1].windows[0][0] in {first for first, _ in runs["whole"][1].windows}
    free = GoesOn()
    clean(job(film, tmp_path / "free.mp4", free))
    assert not torch.equal(read(tmp_path / "free.mp4")[1], read(runs["whole"][0])[1])


class Leaves(PlainFill):
    """Leaves the letters where they are until it is asked once more."""

    def paint(self, piece, seed, on_stage):
        return super().paint(piece, seed, on_stage) if piece.again else Painted(piece.frames)


@pytest.mark.parametrize("engine, again", [(PlainFill, False), (Leaves, True)])
def test_where_frames_are_not_painted_twice_a_stop_gives_the_same_file_too(film, tmp_path, engine, again):
    """What a window is shown of them is the same, whether the window before is at hand or was painted by a run before:
    where it is looked at a second time too."""

    def stop(now):
        if now.stage == "cleaning" and now.done >= 180:
            raise Stopped

    whole, parts = tmp_path / "whole.mp4", tmp_path / "parts.mp4"
    clean(job(film, whole, engine(), second_look=again))
    with pytest.raises(Stopped):
        clean(job(film, parts, engine(), second_look=again), stop)
    done = clean(job(film, parts, engine(), second_look=again))
    assert "Goes on from frame" in done.notes[0]
    assert torch.equal(read(parts)[1], read(whole)[1])


def test_a_stop_while_it_is_looked_at_looks_at_nothing_twice(film, whole, tmp_path):
    asked = []

    def prior(frames):
        asked.append(len(frames))
        return tiny_film.white(frames)

    def stop(now):
        if now.done > 200:
            raise Stopped

    clean(job(film, tmp_path / "never stopped.mp4", prior=prior))
    in_all, asked[:] = len(asked), []
    target = tmp_path / "clean.mp4"
    with pytest.raises(Stopped):
        clean(job(film, target, prior=prior), stop)
    before = len(asked)
    clean(job(film, target, prior=prior))
    assert before >= 200 // 24 and len(asked) == in_all  # a batch of eight looks, each at every third frame
    assert torch.equal(read(target)[1], whole[3])


KILLED = """
import os, signal, sys, time
sys.path[:0] = [{root!r}, {support!r}]
import torch
torch.set_num_threads(1)
from pathlib import Path
from tiny_film import job
from clear_runtime.film import segments
from clear_runtime.film.run import clean
segments.SECONDS, kills = 1, 0
for moment in {moments!r}:
    run = os.fork()  # nothing has run in this process yet: each run begins as a new process would, without its imports
    if not run:
        try:
            clean(job(Path({film!r}), Path({target!r})))
            os._exit(0)
        finally:
            os._exit(1)
    end, ended = time.monotonic() + moment, (0, 0)
    while time.monotonic() < end and ended == (0, 0):
        time.sleep(0.01)
        ended = os.waitpid(run, os.WNOHANG)
    if ended != (0, 0):
        assert ended == (run, 0), "it came to its end"
        break
    os.kill(run, signal.SIGKILL)
    os.waitpid(run, 0)
    kills += 1
print(kills)
"""


@pytest.mark.slow
def test_kill_at_random_moments_then_the_same_file(tmp_path):
    """Six runs are killed without a warning, each a little later than the one before it got: while they look, paint,
    take packets over and join."""
    film = tiny_film.write_film(tmp_path / "film.mp4", seekable=20)  # some of its stretches are copied
    (tmp_path / "whole").mkdir()
    whole = clean(job(film, tmp_path / "whole" / "clean.mp4"))
    target, chance = tmp_path / "clean.mp4", random.Random(4)
    moments = [chance.uniform(0.1, 1.5) for _ in range(6)]
    places = {"root": ROOT, "support": ROOT / "tests" / "support", "film": film, "target": target}
    code = KILLED.format(moments=moments, **{name: str(path) for name, path in places.items()})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 0
    if not target.exists():
        clean(job(film, target))
    assert whole.copied > 100 and target.read_bytes() == Path(whole.output).read_bytes()
    # the last one may have been killed when the film was whole, and all but tidied up
    left = {path.name for path in tmp_path.iterdir()} - {"clean.mp4.unfinished", "film.mp4", "whole"}
    assert left == {"clean.mp4", "clean_plan.json", "clean_plan.marks"}


def test_a_run_that_was_killed_while_it_made_its_folder_begins_anew_and_a_strange_folder_is_left(tmp_path):
    film, target = tiny_film.write_film(tmp_path / "film.mp4", 3), tmp_path / "clean.mp4"
    folder = tmp_path / "clean.mp4.unfinished"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(ClearError, match="not from a film's run"):
        clean(job(film, target))
    (folder / "mine.txt").rename(folder / ".run.0a1b2c3d.part.json")
    assert clean(job(film, target)).frames == 3 and not folder.exists()


def test_a_changed_setting_or_film_starts_anew_and_says_what_changed(tmp_path):
    film, target = tiny_film.write_film(tmp_path / "film.mp4", 60), tmp_path / "clean.mp4"

    def stop(now):
        if now.stage == "cleaning" and now.done > 30:
            raise Stopped

    with pytest.raises(Stopped):
        clean(job(film, target), stop)
    with pytest.raises(Stopped):
        clean(job(film, target, seed=1), stop)
    done = clean(job(film, target, seed=1, weights={"prior": "another"}))
    assert done.notes[0].startswith("This run starts anew") and "weights prior" in done.notes[0]


def test_a_segment_that_was_damaged_is_made_again(film, whole, tmp_path):
    def stop(now):
        if now.done > 200:
            raise Stopped

    target = tmp_path / "clean.mp4"
    with pytest.raises(Stopped):
        clean(job(film, target), lambda now: now.stage == "cleaning" and stop(now))
    parts = sorted((tmp_path / "clean.mp4.unfinished").glob("segment_*.nut"))
    assert len(parts) > 3
    data = bytearray(parts[2].read_bytes())
    data[len(data) // 2] ^= 255
    parts[2].write_bytes(data)
    done = clean(job(film, target))
    assert "is damaged; it is made again" in done.notes[0]
    assert torch.equal(read(target)[1], whole[3])


def test_a_second_run_on_one_output_is_refused_and_the_first_goes_on(tmp_path):
    film, refused = tiny_film.write_film(tmp_path / "film.mp4", 12), []
    target = tmp_path / "clean.mp4"

    def another(now):
        if not refused:
            with pytest.raises(ClearError, match="Another run is using") as error:
                clean(job(film, target))
            refused.append(str(error.value))

    assert clean(job(film, target), another).frames == 12 and refused
