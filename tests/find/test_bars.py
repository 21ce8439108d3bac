"""Bars side by side are told from letters by the picture."""

import numpy as np
import pytest
import torch
from drawn_rows import HEIGHT, WIDTH, at, letters, scene, video, white

from clear_runtime.find.bars import are_bars
from clear_runtime.find.marks import find_text
from clear_runtime.find.options import MarkOptions
from clear_runtime.find.rows import RowRules
from clear_runtime.find.rules import Rules


def bars(count, apart=10, wide=4, heights=(30,), size=(40, 160)):
    """Pixels of upright bars [h, w] bool."""
    out = np.zeros(size, bool)
    for n in range(count):
        half = heights[n % len(heights)] // 2
        out[20 - half : 20 + half, 5 + apart * n : 5 + apart * n + wide] = True
    return out


def shown(mask, noise=4.0):
    grain = np.random.default_rng(0).normal(0, noise, (*mask.shape, 3))
    return (np.where(mask, 40, 230)[..., None] + grain).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("heights", [(30,), (24, 30, 36, 28)])
def test_upright_bars_at_one_distance_are_no_letters(heights):
    assert are_bars(shown(bars(12, heights=heights)))
    assert not are_bars(shown(bars(12, heights=heights)), RowRules(bars=0))


def test_letters_few_bars_and_bars_at_any_distance_may_be_letters():
    rng = np.random.default_rng(1)
    anywhere = np.zeros((40, 160), bool)
    anywhere[5:35, np.cumsum(rng.integers(4, 16, 14))] = True
    assert not are_bars(shown(letters(3, 14)))
    assert not are_bars(shown(bars(5)))
    assert not are_bars(shown(anywhere))
    assert not are_bars(np.full((40, 160, 3), 128, np.uint8))


@pytest.mark.parametrize("rules, stays", [(Rules(), True), (Rules().without("bars"), False)])
def test_an_equaliser_is_no_row_beside_a_line(rules, stays):
    line = at(letters(1, 14), 150, 70)
    equaliser = at(bars(14), 60, 80)
    frames = video(scene(48), (line, slice(10, 35)), (equaliser, slice(6, 40)))
    found = find_text(frames, white, MarkOptions(grow=0), rules=rules)
    marks = torch.stack([found.marks(t) for t in range(48)])
    assert marks.shape[1:] == (HEIGHT, WIDTH)
    assert marks[:, 40:110].any() != stays and marks[10:35, 150:164].any((1, 2)).all()
