"""Pictures of Stage II: a run's curves with its figures, and what the LoRA makes of one clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional as F

from ...media.pictures import GROUND, INK, LEFT, axes, draw_line, font, loss_curves, numbers, overlay, row, stacked

LOSSES = {
    "total": (235, 235, 235),
    "gen": (255, 140, 60),
    "distill": (110, 190, 255),
    "sparse": (150, 220, 120),
    "temporal": (250, 130, 190),
}
STRIPS = {
    "alpha": ((225, 130, 235), "{:.1f}"),
    "rate": ((240, 210, 90), "{:.1e}"),
    "seconds": ((120, 220, 210), "{:.2f}"),
}
"""What has a small plot of its own below the losses -> its colour, and how its values are written."""
_TITLES = {"alpha": "alpha", "rate": "learning rate", "seconds": "s a step"}
_STRIP, _WORDS = 84, 24  # heights in pixels
_CONTEXT = 2  # latent frames before the one that is shown, for the VAE to start from


@dataclass(frozen=True)
class Figures:
    """Where a run stands: step of steps, seconds to the end, bytes of memory at its peak, steps that were skipped, the
    LoRA's share 0..1."""

    step: int
    steps: int
    left: float
    memory: int
    skipped: int
    share: float

    def __str__(self) -> str:
        parts = [
            f"step {self.step} of {self.steps}",
            f"{time_left(self.left)} left",
            f"{self.memory / 2**30:.1f} GiB",
            f"{100 * self.share:.2f} % of the weights train",
        ]
        return "   ".join(parts + ([f"{self.skipped} skipped"] if self.skipped else []))


def time_left(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def curves(history: Mapping[str, Sequence[float | None]], figures: Figures, width: int = 640) -> Image.Image:
    """A run so far: the losses on a logarithmic scale, below them alpha, learning rate and seconds of each step, and
    the figures in words.

    history: "total", "gen", "distill", "sparse", "alpha", "rate" and "seconds" -> a value for each step, None or NaN
    for one that has none.
    """
    words = Image.new("RGB", (width, _WORDS), GROUND)
    ImageDraw.Draw(words).text((4, 6), str(figures), fill=INK, font=font())
    losses = {name: history[name] for name in LOSSES if name in history}
    return stacked(
        [
            words,
            loss_curves(losses, LOSSES, (width, 250)),
            *(_strip(name, history.get(name, ()), width) for name in STRIPS),
        ]
    )


def _strip(name: str, values: Sequence[float | None], width: int) -> Image.Image:
    colour, mark = STRIPS[name]
    found = numbers(values)
    known = found[np.isfinite(found)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    if high - low < 1e-3 * abs(high):  # a constant lies in the middle
        low, high = 0.9 * low, 1.1 * high
    picture, draw, place = axes((width, _STRIP), len(found), low, high, _TITLES[name], "", mark, lines=2)
    if len(known):
        draw_line(draw, place, found, colour, width)
        draw.text((LEFT + 50, 4), mark.format(known[-1]), fill=colour, font=font())
    return picture


def most_subtitle(m_prior: Tensor) -> tuple[int, slice]:
    """Of an example's masks [t, h, w]: the latent frame to show, and the latent frames to decode for it, of which it is
    the last."""
    t = int(m_prior.flatten(1).sum(1).argmax())
    return t, slice(max(0, t - _CONTEXT), t + 1)


def example_panel(before: Tensor, after: Tensor, m_pred: Tensor, width: int = 640) -> Image.Image:
    """A frame as it was shown to the model, as the model paints it [H, W, 3], and M_pred [h, w] as heat over the first;
    `width` pixels in all."""
    mask = F.interpolate(m_pred[None, None].float(), before.shape[:2], mode="nearest")[0, 0]
    return row([before, after, overlay(before[None], mask[None])[0]], width)
