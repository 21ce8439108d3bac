"""The figures of a prior: overlap per script, marks on empty frames with and without text, and on signs over time."""

import numpy as np
import pytest
import torch
from PIL import Image

from clear_runtime.bench import prior as measure
from clear_runtime.bench import prior_text as measure_text
from clear_runtime.data.synthetic.burn import Style, render
from clear_runtime.data.synthetic.letters import Overlay
from clear_runtime.data.synthetic.pairs import Drawn

HEIGHT, WIDTH = 96, 208


class Maker:
    """Frames with a line of text of 200x10 pixels, or without; where they are busy, with something as bright that is
    none."""

    scripts = ()

    def __init__(self, folder, validation=False, scripts=()):
        assert validation, "a prior is measured on what it was not trained on"
        self.fonts = {"latin": ["a font"]}

    def frame(self, seed, height, width, empty=0.1, em=None, cut=True, busy=0.0, corners=0.0, **text):
        clean = np.zeros((height, width, 3), np.uint8)
        clean[100:110, 200:300] = 255 if busy else 0
        subtitled, mask = clean.copy(), np.zeros((height, width), bool)
        subtitled[300:310, 200:400] = 255 if not empty else 0
        mask[300:310, 200:400] = not empty
        letters = Image.new("L", (200, 10), 255)
        return Drawn(clean, subtitled, mask, [Overlay(letters, letters, 200, 300, ((200, 300, 400, 310),))])


def bright(frames):
    return (frames.amin(-1) > 0.5).float()


@pytest.fixture(autouse=True)
def maker(monkeypatch):
    for module in (measure, measure_text):
        monkeypatch.setattr(module, "PairMaker", Maker)


def test_scripts_are_scored_against_the_true_masks():
    lower_half = lambda frames: bright(frames) * (torch.arange(frames.shape[1]) >= 305).float()[:, None]
    scores = measure.by_script(lower_half, None, "latin", 3)
    assert scores["prior"].report() == {"iou": 0.5, "f1": 2 / 3, "recall": 0.5, "precision": 1.0}
    assert scores["pseudo-labels"].report()["iou"] == 1


def upper_half(frames):
    return bright(frames) * (torch.arange(frames.shape[1]) < 305).float()[:, None]


def test_recall_by_width_and_height_is_of_the_text_s_own_pixels():
    assert measure_text.by_width(upper_half, None, 2) == dict.fromkeys(measure_text.WIDTHS, 0.5)
    assert measure_text.by_height(bright, None, 2) == dict.fromkeys(measure_text.HEIGHTS, 1.0)


def test_every_style_and_layout_is_scored():
    scores = measure_text.by_style(upper_half, None, 1)
    assert set(measure_text.STYLES) | {f"layout: {kind}" for kind in measure_text.KINDS} == set(scores)
    assert all(overlap.report()["iou"] == 0.5 for overlap in scores.values())


def test_marks_where_there_is_no_text():
    height, width = measure.SIZE
    plain, busy, beside = measure_text.on_empty(bright, None, 2).values()
    assert plain == 0 and busy == pytest.approx(1000 / (height * width), rel=1e-5) and beside == 0


@pytest.mark.parametrize("pace,stays", [(0, False), (2, True)])
def test_moving_signs_are_left_and_still_ones_taken_for_lines(monkeypatch, pace, stays):
    def clip(maker, seed, speed, frames):
        layer = render(["OPEN TODAY"], Style(size=22), WIDTH, HEIGHT, (WIDTH / 2, HEIGHT / 2))
        picture = layer.over(np.full((HEIGHT, WIDTH, 3), 60, np.uint8))
        return np.stack([np.roll(picture, int(pace * t), 1) for t in range(frames)])

    monkeypatch.setattr(measure, "sign_clip", clip)
    monkeypatch.setattr(measure, "SPEEDS", (pace,))
    alone, used = measure.on_signs(bright, None, 1, frames=12)[pace]
    assert alone > 0.01 and (used == 0 if stays else used > 0.95 * alone)


def test_speed_is_of_all_that_finding_takes():
    calls = []
    assert measure.speed(lambda clip: calls.append(tuple(clip.shape[1:])) or bright(clip), None, 352, 640, 4) > 0
    assert calls and set(calls) == {(352, 640, 3)}
