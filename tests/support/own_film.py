"""A small film with two lines of a planted look, and stretches without text or none."""

from functools import cache
from pathlib import Path

import drawn_rows
import torch

from clear_runtime.data.synthetic.burn_style import BurnStyle
from clear_runtime.data.synthetic.burner import burn_clip
from clear_runtime.media.writer import VideoWriter

HEIGHT, WIDTH, FRAMES = 180, 320, 112
TEXT = ((0, 24), (64, 88))
ALWAYS = ((0, 24), (24, 48))
BRIEF = ((0, 16),), 16
"""Lines and frames of a film that is just long enough for areas that stay free of text."""
PLANTED = BurnStyle(size=13.0, colour="#ffe14d", outline=10.0, outline_colour="#101060", margin=8.0, position="bottom")
SEEDS = 3, 5


@cache
def _scene() -> torch.Tensor:
    return torch.from_numpy(0.15 + drawn_rows.scene(1, size=(HEIGHT, WIDTH + FRAMES), seed=4)[0]).float()


def frame(t: int) -> torch.Tensor:
    """The picture behind the lines [H, W, 3], which moves a pixel a frame."""
    return _scene()[:, t : t + WIDTH][..., None] * torch.tensor([0.9, 1.0, 0.8])


@cache
def _line(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A line of the planted look: what of the picture is left behind it, and what is put over that [H, W, 3]."""
    dark, light = (
        # the first random line begins with a video: it stands from the first frame on
        burn_clip(torch.full((1, HEIGHT, WIDTH, 3), level), PLANTED, 24, 0, seed)[0][0]
        for level in (0.0, 1.0)
    )
    return light - dark, dark


def measure_once(monkeypatch, own_look) -> None:
    """The module film/own_look.py compares a film's lines with burned ones once. How close it comes is tested in
    tests/film/test_own_pairs.py; others are about what is done with it. With fewer than its three lines, letters come
    out twice as large, and no area holds two rows of them."""
    monkeypatch.setattr(own_look, "ROUNDS", 1)


def write_film(path: Path, text=TEXT, frames: int = FRAMES) -> Path:
    """text: first and stop of the frames of its lines."""
    with VideoWriter(path, WIDTH, HEIGHT, 24, crf=6) as writer:
        for t in range(frames):
            one = frame(t)
            for seed, (first, stop) in zip(SEEDS, text):
                if first <= t < stop:
                    left, over = _line(seed)
                    one = one * left + over
            writer.write(one)
    return path
