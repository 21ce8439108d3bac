"""Cuts are found to the frame, beside a line that stands over them, and nothing else is taken for one."""

import numpy as np
import pytest
from drawn_rows import at, letters, scene

from clear_runtime.find.align import correlation
from clear_runtime.find.shots import AT_ONCE, ShotRules, Shots
from clear_runtime.frames.region import Region

EVERY, LINE = 3, Region(140, 20, 30, 200)


def shots_of(grey, text=(), rules=ShotRules()):
    frames = (np.repeat(grey[..., None], 3, 3) * 255).round().astype(np.uint8)
    shots = Shots(rules)
    for t in range(0, len(frames), EVERY):
        shots.look(t, {n: frames[n] for n in range(max(0, t - EVERY), t + 1)}, text)
    return shots.first


@pytest.mark.parametrize("cut", [30, 31, 32])
def test_a_cut_is_found_to_the_frame(cut):
    grey = np.concatenate([scene(cut), scene(60 - cut, seed=1)])
    assert shots_of(grey) == [0, cut]


def test_a_bright_line_over_a_dark_cut_hides_nothing():
    grey = np.concatenate([scene(31), scene(29, seed=1)]) * 0.3
    grey[:, at(letters(1, 16, 2), 145, 24)] = 1.0
    assert shots_of(grey, [LINE]) == [0, 31]


def test_a_pan_a_fade_a_flash_and_black_with_noise_are_no_cuts():
    noise = np.random.default_rng(0).normal(0.02, 0.006, (30, 180, 320)).clip(0, 1)
    fade = scene(30) * np.linspace(1, 0.3, 30)[:, None, None]
    flash = scene(30).copy()
    flash[10:12] = flash[10:12] * 0.3 + 0.7
    for grey in (scene(40, pan=2.0), noise, fade, flash):
        assert shots_of(grey) == [0]


def test_a_hand_that_shakes_is_no_cut():
    """From frame to frame the picture is unlike, as over a cut; but it is the same one, moved."""
    wide = scene(1, seed=3)[0]
    shake = np.random.default_rng(2).integers(-9, 10, (40, 2))
    grey = np.stack([np.roll(wide, tuple(at), (0, 1)) for at in shake])
    steps = [correlation(one, two) for one, two in zip(grey, grey[1:])]
    assert min(steps) < AT_ONCE
    assert shots_of(grey) == [0]
    assert shots_of(grey, rules=ShotRules(moved=2.0)) != [0]


def test_shots_that_are_lit_alike_are_two():
    """A slide on black, and the stage on which it is shown."""
    y, x = np.mgrid[-1:1:180j, -1:1:320j]
    light = np.exp(-(x**2) - y**2)
    grey = light * np.concatenate([0.3 + 0.7 * scene(31), scene(29, seed=1)])
    assert 0.3 < correlation(grey[30], grey[31]) < 0.6
    assert shots_of(grey) == [0, 31]


def test_what_is_black_in_both_does_not_make_two_shots_one():
    """A dark hall between two bars, and the same from nearer by."""
    grey = 0.06 * np.concatenate([scene(31), scene(29, seed=1)])
    grey[:31, 60:110] = 0.4 + 0.4 * scene(31, seed=2)[:, 60:110]
    grey[31:, 60:120] = 0.4 + 0.4 * scene(29, seed=3)[:, 60:120]
    assert correlation(grey[30], grey[31]) > 0.6
    assert shots_of(grey) == [0, 31]


def test_to_black_and_back_are_two():
    grey = np.concatenate([scene(20), np.zeros((20, 180, 320)), scene(20)])
    assert shots_of(grey) == [0, 20, 40]


def dissolves_of(grey, rules=ShotRules()):
    frames = (np.repeat(grey[..., None], 3, 3) * 255).round().astype(np.uint8)
    shots = Shots(rules)
    for t in range(0, len(frames), EVERY):
        shots.look_back(12, {n: frames[n] for n in range(max(0, t - 40), t + 1)}, ())
    return shots.dissolves


@pytest.mark.parametrize("lasts", [12, 24, 40])
def test_a_dissolve_is_found_where_it_is(lasts):
    share = np.clip((np.arange(100) - 50) / lasts + 0.5, 0, 1)[:, None, None]
    ((first, stop),) = dissolves_of((1 - share) * scene(100) + share * scene(100, seed=1))
    assert first <= 50 - lasts // 3 and stop >= 50 + lasts // 3


def test_a_cut_a_pan_and_a_flash_are_no_dissolves():
    cut = np.concatenate([scene(50), scene(50, seed=1)])
    flash = scene(100).copy()
    flash[50:53] = flash[50:53] * 0.3 + 0.7
    assert [dissolves_of(grey) for grey in (cut, scene(100, pan=2.0), flash)] == [[], [], []]


@pytest.mark.parametrize("lasts", [20, 60])
def test_out_of_black_and_into_it_is_no_shot_that_goes_on(lasts):
    """What is written in the scene comes and goes with it."""
    light = np.clip(np.minimum(np.arange(200), np.arange(200)[::-1]) / lasts, 0, 1)[:, None, None]
    (came, went) = dissolves_of(light * scene(200))
    assert came[0] == 0 and 0.7 * lasts <= came[1] <= lasts + 24
    assert 200 - lasts - 24 <= went[0] <= 200 - 0.7 * lasts and went[1] >= 197
    assert dissolves_of(light * scene(200), ShotRules(fades=False)) == []
