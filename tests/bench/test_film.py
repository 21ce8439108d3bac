"""The bench of a film: its clip, its parts and its table."""

import itertools
from types import SimpleNamespace

import pytest
import torch

from clear_runtime.bench import film
from clear_runtime.bench.peak import Peak
from clear_runtime.engines.engine import Needs, Painted
from clear_runtime.find.priors.checkpoints import BUNDLED, load_prior


def test_the_clip_moves_and_has_its_lines_where_they_are_said_to_be():
    clip = film.Subtitled(5, (240, 416), 1, 3)
    frames = torch.stack(list(clip))
    assert frames.shape == (5, 240, 416, 3) and torch.equal(frames[4], frames[0].roll(4, 1))
    bright = (frames > 0.9).all(-1)
    assert bright.any((1, 2)).tolist() == [False, True, True, False, False] and not bright[:, :180].any()


def test_time_goes_to_the_part_that_took_it(monkeypatch):
    times = iter([0.0, 1.0, 3.0, 6.0, 10.0, 15.0])
    monkeypatch.setattr(film.time, "perf_counter", lambda: next(times))
    parts = film._Parts()
    for stage in ("find", "encode", "sample", "decode", "done"):
        parts(SimpleNamespace(stage=stage))
    assert parts.seconds == {"look": 1, "fill": 0, film.PAINT: 3, "decode": 5, "rest": 6}


def test_the_table_has_a_row_for_each_clip_and_its_bar():
    parts = {"look": 0.1, "fill": 0.0, film.PAINT: 0.2, "decode": 0.1, "rest": 0.1}
    row = {"DiffSynth": 1.0, "DiffSynth GiB": 2.0, "whole": 0.5, **parts, "times": 2.0, "GiB": None}
    lines = film.table(dict.fromkeys(film.BARS, row)).splitlines()
    assert len(lines) == 7 and {line.count("|") for line in lines[2:]} == {13}
    assert lines[-1].endswith("| 2.00 | 10 | 2.00 |  |")


def test_from_file_to_file_the_pieces_with_lines_alone_are_painted_and_time_has_its_parts(monkeypatch):
    class Slow:
        needs, steps = Needs(group=4, region="subtitle band"), 1

        def __init__(self):
            self.windows = []

        def paint(self, piece, seed, on_stage):
            self.windows.append((piece.window.start, piece.window.stop))
            for stage in ("encode", "sample", "decode"):
                on_stage(stage, 1)
            return Painted(torch.full_like(piece.frames, 0.4))

    monkeypatch.setattr(film.time, "perf_counter", itertools.count().__next__)
    engine, clip = Slow(), film.Subtitled(45, (240, 416), 14, 32)
    found = film._from_file_to_file(engine, load_prior(BUNDLED), clip, 9)
    assert min(first for first, _ in engine.windows) >= 8 and max(stop for _, stop in engine.windows) <= 40
    parts = [found[name] for name in (*dict.fromkeys(film.PARTS.values()), "rest")]
    assert min(found["look"], found["rest"], found["decode"], found[film.PAINT]) > 0
    assert sum(parts) * clip.frames == pytest.approx(found["whole"] * clip.frames, abs=3), "looks at the clock"


def test_memory_is_that_of_the_part_and_not_of_the_process():
    place = torch.device("cpu")
    if Peak(place).gib() is None:
        pytest.skip("this system keeps one peak for all of a process")
    peak = Peak(place)
    torch.ones(64 * 2**20)  # 0.25 GiB, let go of at once
    large, small = peak.gib(), Peak(place).gib()
    assert large - small > 0.2
