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
PLANTED = BurnStyle(size=13.0, colour="#ffe14d", outline=10.0, outline_colour="#101060", margin=8.0, position="bottom")
SEEDS = 3, 5


@cache
def _scene() -> torch.Tensor:
    return torch.from_numpy(0.15 + drawn_rows.scene(1, size=(HEIGHT, WIDTH + FRAMES), seed=4)[0]).float()


def frame(t: int) -> torch.Tensor:
    """The picture behind the lines [H, W, 3], which moves a pixel a frame."""
    return _scene()[:, t : t + WIDTH][..., None] * torch.tensor([0.9, 1.0, 0.8])


def write_film(path: Path, text=TEXT, frames: int = FRAMES) -> Path:
    """text: first and stop of the frames of its lines."""
    with VideoWriter(path, WIDTH, HEIGHT, 24, crf=6) as writer:
        for t in range(frames):
            line = next((n for n, (first, stop) in enumerate(text) if first <= t < stop), None)
            one = frame(t)
            # the first random line begins with a video: each stands from its first frame on
            writer.write(one if line is None else burn_clip(one[None], PLANTED, 24, 0, SEEDS[line])[0][0])
    return path
