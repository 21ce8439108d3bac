"""A box goes with its letters; a plain part of the scene is none."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from drawn_rows import letters
from scipy import ndimage

from clear_runtime.fill.boxes.opaque import OPAQUE, _Boxes, around_rows, behind
from clear_runtime.fill.boxes.plain_box import PlainBox
from clear_runtime.frames.region import Region

HEIGHT, WIDTH, FRAMES = 160, 320, 6


def scene(seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.random((HEIGHT // 8, WIDTH // 8, 3)).repeat(8, 0).repeat(8, 1)
    return np.stack([np.roll(coarse, 3 * t, 1) for t in range(FRAMES)]) * 0.8 + 0.1


def words(picture, marks, text, top, left, colour=1.0):
    place = slice(top, top + text.shape[0]), slice(left, left + text.shape[1])
    picture[place][text] = colour
    marks[place] |= text


def found(pictures, marks):
    return behind(torch.from_numpy(pictures).float(), torch.from_numpy(marks).float()).numpy()


def test_a_black_box_behind_each_of_two_rows_goes():
    pictures, marks = scene(), np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    box = np.zeros((HEIGHT, WIDTH), bool)
    for top, left, count in ((90, 60, 16), (116, 90, 11)):
        text = letters(count, count)
        box[top - 4 : top + 18, left - 6 : left + text.shape[1] + 4] = True
    for t in range(FRAMES):
        pictures[t][box] = 0
        for top, left, count in ((90, 60, 16), (116, 90, 11)):
            words(pictures[t], marks[t], letters(count, count), top, left)
    result = found(pictures, marks)
    assert all((result[t] & box).sum() > 0.98 * box.sum() for t in range(FRAMES))
    near = ndimage.binary_dilation(box, np.ones((3, 3)), iterations=3)
    assert not (result & ~near).any(), "its rim, and no more"


def test_a_black_box_before_a_dark_jacket_goes():
    """Some of the jacket is nearly as black as the box, and the two are one area."""
    pictures, marks = scene(), np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    box = np.zeros((HEIGHT, WIDTH), bool)
    box[96:125, 40:270] = True
    pictures[:, 60:, 58:258] = 22 / 255
    pictures[:, 60:, 62:68] = 10 / 255
    for t in range(FRAMES):
        pictures[t][box] = 0
        words(pictures[t], marks[t], letters(1, 17), 102, 52)
    result = found(pictures, marks)
    assert all((result[t] & box).sum() > 0.98 * box.sum() for t in range(FRAMES))
    near = ndimage.binary_dilation(box, np.ones((3, 3)), iterations=4)
    assert not (result & ~near).any(), "its rim, and no more"
    once = replace(OPAQUE, touching=replace(OPAQUE.touching, alike=(28,)))
    assert not behind(torch.from_numpy(pictures).float(), torch.from_numpy(marks).float(), once).any()


@pytest.mark.parametrize("fades, gone", [(OPAQUE.fades, True), (0, False)])
def test_a_box_goes_to_the_end_of_its_fade(fades, gone):
    """What is left of it beside its letters would lend its darkness to all other frames."""
    count = 4 * FRAMES
    pictures, marks = np.tile(scene(), (4, 1, 1, 1)), np.zeros((count, HEIGHT, WIDTH), bool)
    box = np.zeros((HEIGHT, WIDTH), bool)
    box[96:125, 40:270] = True
    for t in range(4, count):
        with_box = pictures[t].copy()
        with_box[box] = 0
        words(with_box, marks[t], letters(1, 17), 102, 52)
        pictures[t] += min(1.0, (t - 3) / 4) * (with_box - pictures[t])
    options = replace(OPAQUE, fades=fades)
    result = behind(torch.from_numpy(pictures).float(), torch.from_numpy(marks).float(), options).numpy()
    assert [(result[t] & box).sum() > 0.98 * box.sum() for t in range(4, count)] == [gone] * 3 + [True] * (count - 7)
    assert not result[:4].any()


def test_boxes_of_rows_over_other_letters_of_their_colour_go_without_them():
    """Black letters on a white board, of which the upper box hides the lower half."""
    pictures, marks = scene(), np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    box = np.zeros((HEIGHT, WIDTH), bool)
    box[96:121, 40:270] = box[121:146, 80:230] = True
    for t in range(FRAMES):
        pictures[t, 60:130] = 1.0
        words(pictures[t], np.zeros_like(marks[t]), letters(7, 28, 1), 92, 70, 0.0)
        pictures[t][box] = 0
        words(pictures[t], marks[t], letters(1, 17), 102, 52)
        words(pictures[t], marks[t], letters(2, 11), 127, 88)
    result = found(pictures, marks)
    assert all((result[t] & box).sum() > 0.98 * box.sum() for t in range(FRAMES))
    assert not result[:, :88].any()


def test_a_coloured_box_that_moves_from_word_to_word_goes():
    pictures, marks = scene(), np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    text, starts = letters(1, 5), (40, 130, 220)
    boxes = []
    for t in range(FRAMES):
        left = starts[t // 3 + 1] if t < 6 else starts[2]
        box = np.zeros((HEIGHT, WIDTH), bool)
        box[106:128, left - 5 : left + 63] = True
        pictures[t][box] = (0.1, 0.8, 0.2)
        for n, start in enumerate(starts):
            words(pictures[t], marks[t], letters(n + 1, 5), 110, start)
        boxes.append(box)
    result = found(pictures, marks)
    for t, box in enumerate(boxes):
        assert (result[t] & box).sum() > 0.98 * box.sum()
        assert not result[t][:, : starts[0] + text.shape[1]].any(), "no other word has one"


def test_a_box_that_is_noisy_where_it_was_found_is_so_beside_it_and_no_longer_there_in_the_open():
    """In the scene's black, which it touches, a compressed box was found with a third of it off its colour."""
    shape = np.ones((26, 206), bool)
    box = PlainBox(Region(86, 54, *shape.shape), shape, shape, np.zeros(3), True, 8)
    pictures, marks = scene(), np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    noise = 0.08 * (np.random.default_rng(3).random(shape.shape) < 0.3)
    for t in range(FRAMES):
        if t < 4:
            box.region.of(pictures[t : t + 1])[0] = noise[..., None]
        words(pictures[t], marks[t], letters(16, 16), 92, 60)
    boxes = [[box], *([] for _ in range(FRAMES - 1))]
    carrier = _Boxes(torch.from_numpy(pictures).float(), torch.from_numpy(marks), OPAQUE)
    carrier._carry(boxes, range(1, FRAMES))
    assert [len(ones) for ones in boxes] == [1, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("plain", ["sky", "bar", "line half on a bar"])
def test_a_plain_part_of_the_scene_stays(plain):
    pictures, marks = scene(), np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    for t in range(FRAMES):
        area = slice(0, 100) if plain == "sky" else slice(110 if plain == "bar" else 133, HEIGHT)
        pictures[t, area] = (0.4, 0.6, 0.9) if plain == "sky" else 0
        words(pictures[t], marks[t], letters(1, 12), 50 if plain == "sky" else 126, 80)
    assert not found(pictures, marks).any()


def test_a_flash_of_a_frame_is_no_box_and_no_marks_have_none():
    pictures, marks = scene(), np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    assert not found(pictures, marks).any()
    pictures[3, 100:130, 60:260] = 0
    for t in range(FRAMES):
        words(pictures[t], marks[t], letters(1, 12), 108, 80)
    assert not found(pictures, marks).any()


def test_the_rectangle_around_each_row():
    marks = np.zeros((1, HEIGHT, WIDTH), bool)
    words(np.zeros((HEIGHT, WIDTH)), marks[0], letters(1, 12), 108, 80)
    box = around_rows(torch.from_numpy(marks).float())[0]
    assert box[104:126, 76:224].all() and box.sum() < 30 * 160
