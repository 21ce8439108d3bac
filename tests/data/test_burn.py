"""Burned subtitles: the mask is exactly what changed."""

import random

import numpy as np
import pytest

from clear_runtime.data.synthetic import text
from clear_runtime.data.synthetic.burn import MASK_FROM, Style, burn, random_style, render
from clear_runtime.data.synthetic.scripts import SCRIPTS

HEIGHT, WIDTH = 96, 240


def scene(frames=6):
    return np.random.default_rng(0).integers(0, 256, (frames, HEIGHT, WIDTH, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "style",
    [
        Style(),
        Style(box=(0, 0, 0, 0.6)),
        Style(shadow=(2, 2, 1.5)),
        Style(softness=0.9, italic=True),
        Style(opacity=0.7, stroke=0),
    ],
    ids=["outline", "box", "shadow", "soft italic", "translucent"],
)
def test_pixels_change_inside_the_mask_and_nowhere_else(style):
    frames = scene()
    out, mask = burn(frames, [(0, 6, render(["It rained.", "All day."], style, WIDTH, HEIGHT, (120, 50)))])
    change = np.abs(out.astype(int) - frames).max(-1)
    assert change[~mask].max() <= 255 * MASK_FROM + 1
    assert change[mask].mean() > 30
    assert 0.03 < mask.mean() < 0.6


def test_a_line_stays_within_its_span():
    frames = scene()
    out, mask = burn(frames, [(2, 4, render(["Now"], Style(), WIDTH, HEIGHT, (120, 50)))])
    assert mask.any((1, 2)).tolist() == [False, False, True, True, False, False]
    assert np.array_equal(out[:2], frames[:2]) and np.array_equal(out[4:], frames[4:])


def test_a_fade_grows_and_shrinks():
    layer = render(["Fade"], Style(), WIDTH, HEIGHT, (120, 50))
    frames = np.full((7, HEIGHT, WIDTH, 3), 60, np.uint8)
    out, _ = burn(frames, [(0, 7, layer)], fade=2)
    strength = np.abs(out.astype(int) - frames).sum((1, 2, 3))
    assert strength[0] < strength[1] < strength[2] == strength[3] == strength[4] > strength[5] > strength[6]


@pytest.mark.parametrize("script", [*SCRIPTS])
def test_lines_follow_their_seed(script):
    first, again, other = (text.random_line(random.Random(s), script, 24) for s in (1, 1, 2))
    assert first == again != other
    assert 8 <= len(first) <= 48


def test_repertoires_are_the_standards_own():
    assert len(text.HANZI) == 3755 and len(text.HANGUL) == 2350 and len(text.KANJI) == 2965


def test_styles_follow_their_seed():
    fonts = [("a.ttf", 0), ("b.ttf", 0)]
    assert random_style(random.Random(3), fonts, 24) == random_style(random.Random(3), fonts, 24)
    assert len({random_style(random.Random(s), fonts, 24) for s in range(50)}) > 40
