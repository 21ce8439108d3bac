"""Growth follows outline, glow and shadow, and nothing else."""

import numpy as np
import pytest
from drawn_rows import letters
from scipy import ndimage

from clear_runtime.find.growth import GrowthRules, growth

NONE = np.zeros((80, 260), bool)


def picture(rim=0, colour=20, blur=0.0, seed=0):
    rng = np.random.default_rng(seed)
    frame = np.repeat(ndimage.gaussian_filter(rng.normal(128, 60, NONE.shape), 3)[..., None] + 20, 3, 2)
    marks = NONE.copy()
    text = letters(1, 14)
    marks[32 : 32 + text.shape[0], 40 : 40 + text.shape[1]] = text
    if rim:
        around = ndimage.binary_dilation(marks, np.ones((3, 3)), iterations=rim).astype(float)
        around = ndimage.gaussian_filter(around, blur) if blur else around
        frame = frame * (1 - around[..., None]) + colour * around[..., None]
    frame[marks] = 255
    return frame.clip(0, 255).astype(np.uint8), marks


@pytest.mark.parametrize("rim", [2, 3, 5, 7])
@pytest.mark.parametrize("colour", [0, 255])
def test_it_reaches_to_the_end_of_an_outline(rim, colour):
    frame, marks = picture(rim, colour)
    assert rim <= growth(frame, marks, NONE) <= rim + 1


def test_letters_alone_and_a_glow():
    assert growth(*picture(), NONE) <= 2
    assert growth(*picture(3, 255, blur=2.0), NONE) >= 4


def test_a_glow_is_as_much_wider_as_letters_are_higher():
    frame, marks = (np.kron(one, np.ones((4, 4) + (1,) * (one.ndim - 2), one.dtype)) for one in picture(4, 0))
    none = np.zeros(marks.shape, bool)
    assert growth(frame, marks, none) < 12 <= growth(frame, marks, none, letter=320.0) <= 20


def test_another_row_close_by_is_no_outline():
    frame, marks = picture()
    other = NONE.copy()
    other[52:66, 40:208] = letters(2, 14)
    frame[other] = 255
    assert growth(frame, marks, other) <= 2


def test_nothing_marked_and_no_room_to_tell():
    frame, marks = picture(5, 0)
    assert growth(frame, NONE, NONE) == 1 and growth(frame[30:48], marks[30:48], NONE[30:48]) >= 1


def test_an_edge_of_the_scene_near_some_letters_is_no_outline():
    frame, marks = picture()
    frame[~marks] = 120
    frame[:26, 160:] = 250  # as far from these as an outline may reach
    assert growth(frame, marks, NONE, rules=GrowthRules(letters=0.0)) == 6
    assert growth(frame, marks, NONE) == 1
