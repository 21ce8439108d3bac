"""Pictures seen through a moving camera with lines of text burned in: cases whose every pixel is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from ..data.synthetic.specimens.scenes import GRAIN, picture
from .cases import BenchCase

LINES = ("We should have gone the other way", "and never have looked back", "It is too late for that")
EM, OUTLINE = 0.075, 0.006
"""Of the letters and around them, as shares of the frame's height."""
BASELINE = 0.86
"""Where the middle of the last line is, as a share of the height."""
COVERS = 0.05
"""Letters that cover less of a pixel are left out."""
BAR = 0.15
"""Height of a letterbox bar, as a share of the frame's."""


class Size(NamedTuple):
    """Of a clip: frames, and pixels."""

    frames: int = 49
    height: int = 240
    width: int = 426


Camera = Callable[[int, torch.Generator], tuple[float, float, float]]
"""Frame, source of chance -> how far right and down it looks, in frame heights, and its magnification."""


def _chance(draws: torch.Generator, spread: float) -> float:
    return spread * float(torch.randn((), generator=draws))


CAMERAS: dict[str, Camera] = {
    "still": lambda t, _: (0.0, 0.0, 1.0),
    "pan": lambda t, _: (0.008 * t, 0.001 * t, 1.0),
    "slow pan": lambda t, _: (0.0013 * t, 0.0004 * t, 1.0),
    "zoom": lambda t, _: (0.0, 0.0, math.exp(0.008 * t)),
    "shake": lambda t, draws: (_chance(draws, 0.012), _chance(draws, 0.008), 1.0),
}
KINDS = (*CAMERAS, "lines change", "parallax", "letterbox")
"""lines change: still, and other words after each third; parallax: what is near passes three times as fast; letterbox:
a slow pan above a black bar, with half of the line on the bar."""


def moving_case(kind: str, scene: Tensor, size: Size = Size(), seed: int = 0) -> BenchCase:
    """scene [3, H, W] in 0..1 as one of KINDS, with a camera's grain."""
    frames, height, width = size
    draws = torch.Generator().manual_seed(seed)
    if kind == "parallax":
        far, near = (_seen(scene, CAMERAS["pan"], size, draws, speed) for speed in (0.6, 1.8))
        edge = 0.72 + 0.05 * torch.sin(torch.linspace(0, 17, width) + 0.05 * torch.arange(frames)[:, None])
        below = torch.linspace(0, 1, height)[None, :, None] > edge[:, None]
        clean = torch.where(below[..., None], near, far)
    else:
        clean = _seen(scene, CAMERAS[{"lines change": "still", "letterbox": "slow pan"}.get(kind, kind)], size, draws)
    clean = clean + GRAIN / 255 * torch.randn(*clean.shape[:3], 1, generator=draws)
    middle = BASELINE
    if kind == "letterbox":
        clean[:, round((1 - BAR) * height) :] = 0
        middle = 1 - BAR
    clean = (clean.clamp(0, 1) * 255).round() / 255
    words = [LINES[3 * t // frames if kind == "lines change" else 0] for t in range(frames)]
    layers = {line: _written(line, height, width, middle) for line in set(words)}
    colour, alpha = (torch.stack([layers[line][i] for line in words]) for i in (0, 1))
    subtitled = torch.lerp(clean, colour, alpha)
    return BenchCase(Path(kind), (subtitled * 255).round() / 255, clean, alpha[..., 0] > 0)


def drawn_scene(seed: str = "park", height: int = 400, width: int = 900) -> Tensor:
    """A drawn landscape [3, height, width], for where there are no photographs."""
    return _planes(picture(seed, height, width))


def photograph(file: Path, height: int = 400) -> Tensor:
    """A picture scaled to a height and repeated mirrored to the right, so that a pan has room, [3, height, 2 w]."""
    with Image.open(file) as image:
        scaled = image.convert("RGB").resize(
            (round(image.width * height / image.height), height), Image.Resampling.LANCZOS
        )
    planes = _planes(scaled)
    return torch.cat([planes, planes.flip(2)], 2)


def _planes(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.asarray(image, np.float32) / 255).permute(2, 0, 1)


def _seen(scene: Tensor, camera: Camera, size: Size, draws: torch.Generator, speed: float = 1.0) -> Tensor:
    """The clip [T, h, w, 3] that a camera makes of a scene. It begins at the left."""
    _, rows, columns = scene.shape
    out = []
    for t in range(size.frames):
        x, y, zoom = camera(t, draws)
        right = (torch.arange(size.width) - size.width / 2) / zoom + 0.55 * size.width + speed * x * size.height
        down = (torch.arange(size.height) - size.height / 2) / zoom + rows / 2 + speed * y * size.height
        where = torch.stack(
            [
                (2 * (right + 0.5) / columns - 1).expand(size.height, -1),
                (2 * (down + 0.5) / rows - 1)[:, None].expand(-1, size.width),
            ],
            -1,
        )
        out.append(F.grid_sample(scene[None], where[None], "bicubic", "reflection", False)[0].permute(1, 2, 0))
    return torch.stack(out)


def _written(line: str, height: int, width: int, middle: float) -> tuple[Tensor, Tensor]:
    """White letters with a black outline: colours [h, w, 3] and how much they cover [h, w, 1]."""
    layer = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    font = ImageFont.load_default(EM * height)
    ImageDraw.Draw(layer).text(
        (width / 2, middle * height),
        line,
        fill="white",
        font=font,
        anchor="mm",
        stroke_width=max(1, round(OUTLINE * height)),
        stroke_fill="black",
    )
    values = torch.from_numpy(np.asarray(layer, np.float32) / 255)
    alpha = values[..., 3:]
    return values[..., :3], torch.where(alpha > COVERS, alpha, 0)
