"""The bench of a film: its clip, its parts and its table."""

from types import SimpleNamespace

import torch

from clear_runtime.bench import film


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
    row = {"DiffSynth": 1.0, "whole": 0.5, **parts, "times": 2.0}
    lines = film.table(dict.fromkeys(film.BARS, row)).splitlines()
    assert len(lines) == 7 and {line.count("|") for line in lines[2:]} == {11}
    assert lines[-1].endswith("| 2.00 | 10 |")
