"""Strokes that a prior left out are completed; the scene inside of letters and beside them is not."""

import numpy as np
from scipy import ndimage

from clear_runtime.find.strokes import with_strokes

NONE = np.zeros((60, 120), bool)


def letter(gap=False, counter=True):
    """A white O with a black outline on a dull scene: (picture, true mask), and what a prior marks of it."""
    ys, xs = np.mgrid[:60, :120]
    ring = np.hypot((ys - 30) / 18, (xs - 60) / 14)
    white = (ring < 1) & (ring > 0.55 if counter else True)
    whole = ndimage.binary_dilation(white, iterations=2)
    scene = ndimage.gaussian_filter(np.random.default_rng(0).normal(90, 40, NONE.shape), 4)
    picture = np.where(white, 250.0, np.where(whole, 5.0, scene))
    soft = np.where(whole, 250, 0).astype(np.uint8)
    if gap:
        soft[14:19, 57:63] = 0
    return np.repeat(picture[..., None].clip(0, 255).astype(np.uint8), 3, 2), whole, soft


def test_a_hole_in_a_stroke_is_closed():
    picture, whole, soft = letter(gap=True)
    assert not (soft[whole] > 0).all()
    found = with_strokes(soft, picture, 1.0, NONE) > 127
    assert found[13:19, 57:63][picture[13:19, 57:63, 0] > 240].all()
    assert (found & ~whole).sum() == 0


def test_what_is_missing_of_a_picture_among_letters_is_added_beyond_its_marks():
    ys, xs = np.mgrid[:60, :120]
    face = np.hypot(ys - 30, xs - 60) < 16
    picture = np.where(face[..., None], np.array([250, 210, 60], np.uint8), np.uint8(40))
    soft = np.where(face, 250, 0).astype(np.uint8)
    soft[:24, 54:66] = 0
    found = with_strokes(soft, picture, 0.5, NONE) > 127
    assert (found & face).sum() > 0.99 * face.sum(), "a bay much wider than a stroke, and the top of it"
    assert not (found & ~face).any()


def test_the_scene_is_none_and_nothing_is_added_to_a_whole_letter():
    picture, whole, soft = letter()
    assert ((with_strokes(soft, picture, 1.0, NONE) > 127) == whole).all()
    flat = np.full_like(picture, 90)
    _, _, gap = letter(gap=True)
    assert (with_strokes(gap, flat, 1.0, NONE) == gap).all()


def test_no_row_and_no_room():
    picture, whole, soft = letter(gap=True)
    assert (with_strokes(np.zeros_like(soft), picture, 1.0, NONE) == 0).all()
    assert (with_strokes(soft, picture, 1.0, ~whole) == soft).all()
