"""Whether letters that a prior has lost are still in the picture."""

import numpy as np
import pytest
from drawn_rows import at, letters, scene

from clear_runtime.find.edges import Pattern
from clear_runtime.find.rows import rows_of

SIGN, OTHER = letters(3, 12), letters(4, 12)


def shown(row, left, strength=1.0, top=60):
    """A small frame [h, w, 3] of a scene with a row of letters."""
    grey = scene(1)[0] * 255
    mask = at(row, top, left)
    grey = np.where(mask, grey + strength * (250 - grey), grey)
    return np.repeat(grey[..., None], 3, 2).astype(np.uint8)


@pytest.fixture(scope="module")
def pattern():
    soft = at(SIGN, 60, 80).astype(np.uint8) * 255
    (row,) = rows_of(soft, 0.5)
    return Pattern.of(row, shown(SIGN, 80), 1.0)


@pytest.mark.parametrize("left", [80, 83, 90])
def test_a_sign_stands_where_it_was_and_where_the_camera_has_moved_it(pattern, left):
    assert pattern.stands(shown(SIGN, left))


def test_a_sign_stands_behind_what_walks_before_a_part_of_it(pattern):
    frame = shown(SIGN, 80)
    frame[50:90, 80:130] = 40
    assert pattern.stands(frame)


@pytest.mark.parametrize(
    "frame",
    [shown(OTHER, 80), shown(SIGN, 80, 0.0), shown(SIGN, 80, 0.3), shown(SIGN, 180)],
    ids=["other letters", "nothing", "nearly faded", "elsewhere"],
)
def test_what_has_changed_does_not_stand(pattern, frame):
    assert not pattern.stands(frame)


def test_letters_without_contrast_stand_nowhere():
    soft = at(SIGN, 60, 80).astype(np.uint8) * 255
    (row,) = rows_of(soft, 0.5)
    even = np.full((180, 320, 3), 90, np.uint8)
    assert not Pattern.of(row, even, 1.0).stands(even)


def test_a_line_that_goes_at_once_is_not_taken_for_a_fading_one_by_what_the_scene_leaves_of_it(pattern):
    frames = [shown(SIGN, 80)] * 2 + [shown(SIGN, 80, 0.15)] * 6  # an edge of the scene that looks a little like it
    assert pattern.frames_there(frames) == 2
    assert pattern.frames_there([shown(SIGN, 80, strength) for strength in (0.8, 0.55, 0.3, 0.0)]) == 3
