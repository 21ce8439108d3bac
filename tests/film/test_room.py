"""Too little disk and too little memory, and how much of a film is held."""

import json
import os
import weakref
from collections import namedtuple

import pytest
import torch
from tiny_film import BRIEF, FRAMES, LINES, Noisy, job, read, write_film

from clear_runtime.errors import ClearError
from clear_runtime.film import estimate, run, store
from clear_runtime.film import source as sources
from clear_runtime.film.run import clean


@pytest.mark.parametrize("frames", [1, 130, FRAMES - 10])
def test_a_full_disk_loses_nothing_that_is_finished(film, whole, tmp_path, monkeypatch, frames):
    written = 0
    real = store.SegmentWriter.write

    def full(writer, shown, *pixels):
        nonlocal written
        written += 1
        if written > frames:
            raise OSError(28, "No space left on device")
        real(writer, shown, *pixels)

    target = tmp_path / "clean.mp4"
    with monkeypatch.context() as patch:
        patch.setattr(store.SegmentWriter, "write", full)
        with pytest.raises(ClearError, match="no room"):
            clean(job(film, target))
    kept = [json.loads(path.read_text()) for path in (tmp_path / "clean.mp4.unfinished").glob("segment_*.json")]
    assert sum(one["stop"] - one["first"] for one in kept) > frames - 40
    clean(job(film, target))
    assert torch.equal(read(target)[1], whole[3])


def test_a_full_disk_at_the_very_end_and_a_stop_right_after_it(film, whole, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    target = tmp_path / "clean.mp4"
    for name in ("join", "settle"):
        with monkeypatch.context() as patch:
            patch.setattr(store.Store, "join", full) if name == "join" else patch.setattr(run.Work, "clear", full)
            with pytest.raises((ClearError, OSError)):
                clean(job(film, target))
    engine = Noisy()
    done = clean(job(film, target, engine))
    assert not engine.windows and done.frames == FRAMES and done.output == str(target)
    assert torch.equal(read(target)[1], whole[3])
    assert sorted(os.listdir(tmp_path)) == ["clean.mp4", "clean_plan.json", "clean_plan.marks"]


def test_too_little_disk_is_said_before_anything_is_painted(brief, tmp_path, monkeypatch):

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(estimate.shutil, "disk_usage", lambda folder: usage(10**9, 10**9, 1000))
    engine = Noisy()
    with pytest.raises(ClearError, match="GB free, and this film needs"):
        clean(job(brief, tmp_path / "clean.mp4", engine))
    assert not engine.windows


def test_when_memory_runs_out_the_window_is_halved_and_the_run_goes_on(brief, tmp_path):
    class Greedy(Noisy):
        def paint(self, piece, seed, on_stage):
            if len(piece.window) > 9:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().paint(piece, seed, on_stage)

    engine = Greedy()
    done = clean(job(brief, tmp_path / "clean.mp4", engine, window=33))
    assert [note for note in done.notes if "Memory ran out" in note] == [
        "Memory ran out with a window of 33 frames. From frame 0 on it is 13.",
        "Memory ran out with a window of 13 frames. From frame 0 on it is 5.",
    ] or "Memory ran out with a window of 33" in done.notes[0]
    assert done.frames == BRIEF and done.changed == LINES[0][1] - LINES[0][0]
    assert max(stop - first for first, stop in engine.windows) <= 9


def test_memory_runs_out_for_good(brief, tmp_path):
    class Never(Noisy):
        def paint(self, piece, seed, on_stage):
            raise MemoryError

    with pytest.raises(ClearError, match="not enough memory for the smallest window"):
        clean(job(brief, tmp_path / "clean.mp4", Never()))


def test_memory_holds_a_window_and_not_the_film(tmp_path, monkeypatch):
    """Frames that are alive at once do not grow with the film."""

    alive: set[int] = set()
    real, peak = sources.Source.frames, 0

    def counted(self, *first):
        nonlocal peak
        for shown in real(self, *first):
            key = id(shown)
            alive.add(key)
            weakref.finalize(shown, alive.discard, key)
            peak = max(peak, len(alive))
            yield shown

    most = []
    monkeypatch.setattr(sources.Source, "frames", counted)
    for frames in (120, 300):
        film, peak = write_film(tmp_path / f"{frames}.mp4", frames, audio=False), 0
        clean(job(film, tmp_path / f"clean_{frames}.mp4"))
        most.append(peak)
    assert 17 <= most[1] <= most[0] + 4 <= 40
