"""The figures of a prior: overlap per script, marks on empty frames with and without text, and on signs over time."""

import numpy as np
import pytest
import torch

from clear_runtime.bench import prior as measure
from clear_runtime.data.synthetic.burn import Style, render

HEIGHT, WIDTH = 96, 208


class Maker:
    """Pairs with a line of text for a subtitle, or, without one, for a sign; black pictures around them."""

    def __init__(self, folder, validation=False, scripts=()):
        assert validation, "a prior is measured on what it was not trained on"
        self.fonts = {"latin": ["a font"]}

    def make(self, seed, frames, height, width, empty, em=None, frame_height=None):
        clean = np.zeros((frames, height, width, 3), np.uint8)
        subtitled, mask = clean.copy(), np.zeros((frames, height, width), bool)
        subtitled[:, 300:310, 200:400] = 255 if not empty else 0
        mask[:, 300:310, 200:400] = not empty
        if empty and self.fonts and frame_height is None:
            subtitled[:, 100:110, 200:300] = 255
            subtitled[:, 5:9, 5:9] = 255
        return clean, subtitled, mask


def bright(frames):
    return (frames.amin(-1) > 0.5).float()


@pytest.fixture(autouse=True)
def maker(monkeypatch):
    monkeypatch.setattr(measure, "PairMaker", Maker)


def test_scripts_are_scored_against_the_true_masks():
    lower_half = lambda frames: bright(frames) * (torch.arange(frames.shape[1]) >= 305).float()[:, None]
    scores = measure.by_script(lower_half, None, "latin", 3)
    assert scores["prior"].report() == {"iou": 0.5, "f1": 2 / 3, "recall": 0.5, "precision": 1.0}
    assert scores["pseudo-labels"].report()["iou"] == 1


def test_marks_on_empty_frames_with_and_without_text():
    height, width = measure.SIZE
    assert measure.on_empty(bright, None, 2, text=False) == (0, 0)
    found, in_lines = measure.on_empty(bright, None, 2, text=True)
    assert found == pytest.approx((1000 + 16) / (height * width), rel=1e-5) and in_lines == pytest.approx(
        1000 / (height * width), rel=1e-5
    )


@pytest.mark.parametrize("pace,goes", [(0, False), (2, True)])
def test_moving_signs_are_marked_less_over_time_and_still_ones_as_much(monkeypatch, pace, goes):
    def clip(maker, seed, speed, frames):
        layer = render(["OPEN TODAY"], Style(size=22), WIDTH, HEIGHT, (WIDTH / 2, HEIGHT / 2))
        picture = layer.over(np.full((HEIGHT, WIDTH, 3), 60, np.uint8))
        return np.stack([np.roll(picture, int(pace * t), 1) for t in range(frames)])

    monkeypatch.setattr(measure, "sign_clip", clip)
    monkeypatch.setattr(measure, "SPEEDS", (pace,))
    alone, evidence, used = measure.on_signs(bright, None, 1, frames=12)[pace]
    assert alone > 0.01 and used <= evidence + 1e-6
    assert (evidence < 0.5 * alone) if goes else (evidence > 0.95 * alone)


def test_speed_is_in_frames_per_second():
    calls = []
    assert measure.speed(lambda clip: calls.append(tuple(clip.shape)), 36, 64, 4) > 0
    assert calls == [(4, 36, 64, 3)] * 4
