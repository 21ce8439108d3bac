"""The bench of a film's pace: its films, what is timed, and its table."""

import itertools

import pytest
import torch
from tiny_film import Grey

from clear_runtime.bench import pace


def test_lines_change_over_a_picture_that_moves():
    film = list(itertools.islice(pace.Film(77, (240, 416), True), 77))
    bare = next(iter(pace.Film(1, (240, 416), False)))
    (before, after), white = (film[74], film[75]), 0.9
    assert not (bare > white).all(-1).any() and (before > white).all(-1).any()
    assert ((before > white).all(-1) != (after > white).all(-1)).sum() > 200


def test_each_part_of_a_run_is_timed_and_held_to_its_bar(monkeypatch):
    monkeypatch.setattr(pace.time, "perf_counter", itertools.count().__next__)
    monkeypatch.setattr(pace, "load_prior", lambda *_: lambda frames: torch.zeros(frames.shape[:3]))
    found = pace.rates(pace.Film(6, (64, 96), False), Grey(), "cpu")
    assert list(found) == ["looked at", "cleaned", "in all"] and min(found.values()) > 0
    assert 1 / found["looked at"] + 1 / found["cleaned"] < 1 / found["in all"], "joining is in all alone"
    told = pace.table({name: {"looked at": 20.0, "cleaned": 3.4, "in all": 2.5} for name in pace.BARS}).splitlines()
    assert told[-2] == "| without text | 20.0 | – | 2.5 | looked at 15 |"
    assert told[-1] == "| two lines all the time | 20.0 | 3.4 | 2.5 | cleaned 3 |"
    with pytest.raises(pace.ClearError, match="lines of the film were not found"):
        pace.rates(pace.Film(6, (64, 96), True), Grey(), "cpu")


def test_a_film_too_small_for_lines_is_refused_before_it_is_made():
    with pytest.raises(pace.ClearError, match="8x6 is too small for lines. Give --size at least 64 64"):
        pace.run([6, 8], 10, "fill", "cpu")
