"""Text by itself, without a scene under it: drawn once, and laid over many scenes by whoever has them."""

from __future__ import annotations

import random

import numpy as np
from PIL import Image

from .layouts import random_text
from .letters import marked
from .pairs import PairMaker


def layer(
    maker: PairMaker, seed, height: int, width: int, em: tuple[float, float] | None = None, boxes: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """One text as it may stand in a part of a frame -> RGBA [H, W, 4] uint8 and its mask [H, W] bool; a pure function
    of its seed. em: smallest and largest letters in pixels. boxes: whether a box behind them is in the mask too."""
    rng = random.Random(f"layer {seed}")
    canvas, label = Image.new("RGBA", (width, height)), Image.new("L", (width, height))
    for overlay in random_text(rng, maker.fonts, maker.scripts, width, height, em):
        own = Image.new("RGBA", (width, height))
        own.paste(overlay.picture, (overlay.left, overlay.top))
        canvas.alpha_composite(own)
        overlay.mark(label, boxes=boxes)
    return np.asarray(canvas), marked(label)
