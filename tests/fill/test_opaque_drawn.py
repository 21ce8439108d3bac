"""Boxes as programs draw them, with round corners and soft edges, under marks that are as wide as a prior's."""

import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy import ndimage

from clear_runtime.fill.boxes.opaque import behind
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove

HEIGHT, WIDTH, FRAMES = 240, 426, 7
FONT = ImageFont.load_default(24)
GREEN, BLACK, WHITE = (60, 230, 20), (0, 0, 0), (255, 255, 255)


def scene(t, seed=0):
    """A picture of soft blobs that wanders sideways."""
    coarse = np.random.default_rng(seed).integers(20, 235, (HEIGHT // 24, 2 * WIDTH // 24, 3), dtype=np.uint8)
    wide = Image.fromarray(coarse).resize((2 * WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    return wide.crop((4 * t, 0, 4 * t + WIDTH, HEIGHT))


def around(text, left, top, room=(8, 6)):
    """Left, top, right and bottom of a text's ink, with some room."""
    a, b, c, d = (int(side) for side in FONT.getbbox(text))
    return left + a - room[0], top + b - room[1], left + c + room[0], top + d + room[1]


class Shot:
    """A frame in the making. marks: its letters. boxes: what stands behind them, both [H, W] of 0 or 255."""

    def __init__(self, t):
        self.picture = scene(t)
        self.marks, self.boxes = Image.new("L", (WIDTH, HEIGHT)), Image.new("L", (WIDTH, HEIGHT))

    def box(self, place, colour, radius=0, soft=0.0):
        cover = Image.new("L", (WIDTH, HEIGHT))
        ImageDraw.Draw(cover).rounded_rectangle(place, radius, fill=255)
        ImageDraw.Draw(self.boxes).rounded_rectangle(place, radius, fill=255)
        self.picture.paste(colour, mask=cover.filter(ImageFilter.GaussianBlur(soft)) if soft else cover)

    def area(self, place, colour):
        """Something of the scene's own."""
        ImageDraw.Draw(self.picture).rectangle(place, fill=colour)

    def text(self, text, left, top, colour=WHITE):
        ImageDraw.Draw(self.picture).text((left, top), text, colour, FONT)
        ImageDraw.Draw(self.marks).text((left, top), text, 255, FONT)


def found(draw, grow=4, quality=85, frames=FRAMES):
    """(what `behind` finds, the boxes that were drawn, the marks): each [T, H, W] bool, of frames that were encoded."""
    pictures, marks, boxes = [], [], []
    for t in range(frames):
        shot = Shot(t)
        draw(shot, t)
        held = io.BytesIO()
        shot.picture.save(held, "jpeg", quality=quality)
        pictures.append(np.asarray(Image.open(held)))
        marks.append(ndimage.binary_dilation(np.asarray(shot.marks) > 100, np.ones((3, 3)), iterations=grow or 1))
        boxes.append(np.asarray(shot.boxes) > 0)
    pictures, marks, boxes = np.stack(pictures), np.stack(marks), np.stack(boxes)
    return behind(torch.from_numpy(pictures / 255).float(), torch.from_numpy(marks).float()).numpy(), boxes, marks


def assert_same(result, boxes, rim=5):
    square = np.ones((3, 3))
    for one, box in zip(result, boxes):
        assert (box & ~one).sum() <= 0.002 * box.sum(), "a box goes"
        assert not (one & ~ndimage.binary_dilation(box, square, rim)).any(), "and its rim, but no more"


@pytest.mark.parametrize("grow", [1, 3, 6])
@pytest.mark.parametrize("radius, soft", [(0, 0.0), (8, 0.0), (16, 0.8), (0, 1.5)])
def test_a_box_goes_whatever_its_corners_its_edges_and_the_marks(grow, radius, soft):
    def draw(shot, t):
        shot.box(around("Where have you been", 80, 170, (12, 8)), GREEN, radius, soft)
        shot.text("Where have you been", 80, 170, BLACK)

    result, boxes, _ = found(draw, grow)
    assert_same(result, boxes, rim=5 + round(3 * soft))


@pytest.mark.parametrize("gap", [8, 0])
def test_a_black_box_behind_each_of_two_rows_goes(gap):
    def draw(shot, t):
        upper = around("The quick brown fox", 90, 130)
        lower = around("is here", 160, upper[3] + gap + 4)
        for place in (upper, lower):
            shot.box(place, BLACK, 6)
        shot.text("The quick brown fox", 90, 130)
        shot.text("is here", 160, upper[3] + gap + 4)

    result, boxes, _ = found(draw)
    assert_same(result, boxes)


def test_one_box_behind_two_rows_goes():
    def draw(shot, t):
        shot.box((80, 120, 350, 196), (250, 250, 250), 10)
        shot.text("The quick brown fox", 90, 128, BLACK)
        shot.text("is here", 160, 160, BLACK)

    result, boxes, _ = found(draw)
    assert_same(result, boxes)


def karaoke(shot, place, words=("You", "need", "to", "see"), lefts=(60, 130, 220, 270)):
    """A row of words, and a round box somewhere on it."""
    shot.box(place, GREEN, 8)
    for word, left in zip(words, lefts):
        shot.text(word, left, 170)


def test_a_box_that_jumps_from_word_to_word_goes_with_each():
    places = [around("You", 60, 170)] * 3 + [around("need", 130, 170)] * 4 + [around("to", 220, 170)] * 4
    result, boxes, marks = found(lambda shot, t: karaoke(shot, places[t]), frames=len(places))
    assert_same(result, boxes)


def test_a_box_that_slides_to_the_next_word_goes_on_its_way_too():
    first, second = np.array(around("You", 60, 170)), np.array(around("need", 130, 170))
    places = [first] * 4 + [first + (second - first) * n // 4 for n in (1, 2, 3)] + [second] * 4
    result, boxes, _ = found(lambda shot, t: karaoke(shot, tuple(map(int, places[t]))), frames=len(places))
    assert_same(result, boxes, rim=7)


def test_a_box_is_still_there_where_the_scene_beside_it_has_its_colour():
    def draw(shot, t):
        if t in (3, 4):
            shot.area((0, 100, 120, HEIGHT), BLACK)
        shot.box(around("Where have you been", 80, 170), BLACK)
        shot.text("Where have you been", 80, 170)

    result, boxes, _ = found(draw, frames=9)
    assert_same(result, boxes)


def plain_things():
    sky, row = (110, 160, 230), "Where have you been"
    yield "a sky", lambda shot, t: shot.area((0, 0, WIDTH, 200), sky), row, 150
    yield "a white page", lambda shot, t: shot.area((60, 20, 360, 239), WHITE), row, 150
    yield "a letterbox bar", lambda shot, t: shot.area((0, 190, WIDTH, HEIGHT), BLACK), row, 200
    yield "half on a bar", lambda shot, t: shot.area((0, 190, WIDTH, HEIGHT), BLACK), row, 174
    yield "half on a board", lambda shot, t: shot.area((70, 180, 340, 206), WHITE), row, 168
    yield "a post behind some letters", lambda shot, t: shot.area((150, 60, 215, HEIGHT), BLACK), row, 170
    yield "a board that is much larger", lambda shot, t: shot.area((40, 60, 390, 236), (40, 60, 40)), row, 150
    jacket = lambda shot, t: shot.area((40, 60, 200, HEIGHT), (100, 125, 155))
    yield "a jacket behind letters that end in a line", jacket, "HEHEHEHEHEHEH", 170
    yield "nothing", lambda shot, t: None, row, 170


@pytest.mark.parametrize("thing, row, top", [p[1:] for p in plain_things()], ids=[p[0] for p in plain_things()])
@pytest.mark.parametrize("grow", [1, 4])
def test_a_plain_part_of_the_scene_is_no_box(thing, row, top, grow):
    def draw(shot, t):
        thing(shot, t)
        shot.text(row, 80, top, (240, 200, 30))

    result, _, _ = found(draw, grow)
    assert not result.any()


@pytest.mark.parametrize("boxes, gone", [("auto", True), ("keep", False), ("remove", True)])
def test_the_option_says_what_becomes_of_boxes(boxes, gone):
    place, frames, marks = around("Where have you been", 80, 170), [], []
    for t in range(12):
        shot = Shot(t)
        shot.box(place, GREEN, 8)
        shot.text("Where have you been", 80, 170, BLACK)
        frames.append(torch.from_numpy(np.asarray(shot.picture) / 255).float())
        marks.append(torch.from_numpy(np.asarray(shot.marks) > 100).float())
    options = RemoveOptions.of(output="preview", boxes=boxes, subtitles_only=False)
    prior = lambda batch: torch.stack(marks[: len(batch)])  # the letters stay where they are
    out = torch.stack([frame for frame, _ in remove(iter(frames), None, prior, options)])
    left, top, right, bottom = place
    inside = out[:, top + 6 : bottom - 6, left + 6 : right - 6]
    green = ((inside - torch.tensor(GREEN) / 255).abs().amax(-1) < 0.1).float().mean()
    assert green < 0.05 if gone else green > 0.5
