"""Letters stand where the picture behind them moves, and move where they are of the scene."""

import numpy as np
import pytest
from scipy import ndimage

from clear_runtime.find.rows import Row
from clear_runtime.find.steady import standing
from clear_runtime.frames.region import Region

HEIGHT, WIDTH = 60, 200


@pytest.fixture
def scene():
    noise = np.random.default_rng(0).uniform(0, 255, (HEIGHT, 2 * WIDTH, 3))
    return ndimage.gaussian_filter(noise, (3, 3, 0)) * 4 - 384


@pytest.fixture
def letters():
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for left in range(30, 170, 12):
        mask[22:38, left : left + 4] = True
    return mask


def row(letters):
    region = Region.between(22, 30, 38, 166)
    return Row(region, 255 * region.of(letters[None])[0].astype(np.uint8), 1.0, 16)


def written(scene, letters, opacity):
    return np.where(letters[..., None], (1 - opacity) * scene + opacity * 255, scene).clip(0, 255).astype(np.uint8)


def test_faint_letters_change_less_than_the_scene_behind_them(scene, letters):
    one, two = (written(scene[:, x : x + WIDTH], letters, 0.3) for x in (0, 60))
    found = standing(row(letters), [one], [two], 1.0)
    assert found.alike < 0.83 and found.change < 0.8


def test_letters_of_the_scene_change_more_than_what_they_are_written_on(scene, letters):
    calm = np.full_like(scene, 90.0) + 0.1 * scene
    sign = written(calm[:, :WIDTH], letters, 1.0)
    found = standing(row(letters), [sign], [np.roll(sign, 6, 1)], 1.0)
    assert found.alike < 0.83 and found.change > 1


def test_nothing_is_said_of_what_is_beside_letters_that_fill_the_picture():
    whole = np.ones((HEIGHT, WIDTH), bool)
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    full = Row(Region.between(0, 0, HEIGHT, WIDTH), 255 * whole.astype(np.uint8), 1.0, 16)
    assert standing(full, [frame], [frame], 1.0).change is None
