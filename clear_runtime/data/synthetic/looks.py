"""What overlaid text looks like: colours, outlines, shadows, glows, boxes, fills, spacing, as people really burn them
in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WHITES = [(255, 255, 255)] * 5 + [(245, 245, 245), (230, 230, 230), (255, 250, 235)]
YELLOWS = [(255, 240, 80), (255, 225, 77), (255, 255, 0), (250, 205, 60), (240, 220, 130)]
DARKS = [(0, 0, 0)] * 4 + [(20, 20, 20), (40, 40, 40), (25, 25, 80), (90, 20, 20), (70, 40, 10), (20, 60, 30)]
ACCENTS = [
    (254, 44, 85),
    (37, 244, 238),
    (0, 200, 90),
    (255, 200, 0),
    (255, 120, 0),
    (140, 80, 255),
    (30, 120, 255),
    (255, 105, 180),
    (200, 255, 60),
]


@dataclass(frozen=True)
class TextLook:
    """Sizes and offsets in pixels of the frame, colours as (red, green, blue) 0..255, opacities 0..1."""

    font: str | None  # a file; None is Pillow's own
    index: int
    size: float  # of an em
    fill: tuple = (255, 255, 255)
    second: tuple | None = None  # the lower end of a gradient, or of a fill in two halves
    halves: bool = False  # two colours with an edge between them instead of a gradient
    stroke: float = 0.0
    stroke_fill: tuple = (0, 0, 0)
    shadow: tuple | None = None  # (dx, dy, blur radius, opacity)
    shadow_fill: tuple = (0, 0, 0)
    glow: tuple | None = None  # (red, green, blue, blur radius)
    box: str | None = None  # None, "row" (one behind each row) or "block" (one behind all)
    box_fill: tuple = (0, 0, 0, 1.0)  # with its opacity
    rounded: float = 0.0  # radius of a box's corners, in em
    pad: float = 0.25  # of a box around the letters, in em
    hot_fill: tuple | None = None  # of the one word that is sung or said just now
    hot_box: tuple | None = None  # a box behind that word alone
    spacing: float = 0.0  # between letters, in em
    leading: float = 1.2  # from row to row, in em
    align: float = 0.5  # 0 left, 0.5 centre, 1 right
    opacity: float = 1.0
    italic: bool = False
    turn: float = 0.0  # degrees
    softness: float = 0.0  # blur radius of the finished text

    @property
    def tags(self) -> frozenset[str]:
        """Which of the styles that are measured one by one this look has."""
        dark = sum(self.fill) < 300
        edged = self.stroke >= 0.5 or self.shadow or self.glow or self.box
        has = {
            "plain": not edged,
            "outline": self.stroke >= 0.5,
            "thick outline": self.stroke >= 3,
            "shadow": self.shadow,
            "glow": self.glow,
            "dark": dark,
            "coloured": max(self.fill) - min(self.fill) > 60,
            "gradient": self.second,
            "opaque box": self.box and self.box_fill[3] >= 0.95,
            "translucent box": self.box and self.box_fill[3] < 0.95,
            "highlight": self.hot_fill or self.hot_box,
            "letterspaced": self.spacing > 0.05,
            "translucent": self.opacity < 0.85,
            "italic": self.italic,
            "turned": self.turn,
        }
        return frozenset(name for name, there in has.items() if there)


def random_look(rng: random.Random, fonts: Sequence[tuple[str, int]], size: float) -> TextLook:
    """A look at `size` pixels per em. Widths and distances grow with the letters, as they do in editors."""
    path, index = rng.choice(fonts)
    fill, edge = _colours(rng)
    kind = rng.choices(("outline", "plain", "shadow", "glow", "box"), (46, 15, 13, 8, 18))[0]
    look: dict[str, Any] = dict(
        font=path,
        index=index,
        size=size,
        fill=fill,
        stroke_fill=edge,
        softness=rng.choice((0, 0, 0, 0, 0.3, 0.5, 0.8, size * rng.uniform(0.0, 0.04))),
        leading=rng.uniform(1.05, 1.55),
        align=rng.choices((0.5, 0.0, 1.0), (80, 15, 5))[0],
        opacity=rng.choices((1.0, rng.uniform(0.3, 0.95)), (82, 18))[0],
        italic=rng.random() < 0.07,
    )
    if kind == "outline":
        look["stroke"] = min(6.0, rng.choice((0.03, 0.05, 0.06, 0.08, 0.1, 0.14)) * size + rng.choice((0, 0, 0.5, 1.0)))
    if kind == "shadow" or (kind == "outline" and rng.random() < 0.25):
        far = max(0.6, size * rng.uniform(0.03, 0.1))
        look["shadow"] = (
            far * rng.choice((1, 1, 1, 0, -1)),
            far,
            rng.choice((0, 0, size * 0.03, size * 0.08)),
            rng.uniform(0.5, 1.0),
        )
        look["shadow_fill"] = edge if rng.random() < 0.8 else rng.choice(ACCENTS)
    if kind == "glow":
        look["glow"] = (
            *(edge if rng.random() < 0.6 else rng.choice(ACCENTS + WHITES)),
            max(1.0, size * rng.uniform(0.06, 0.16)),
        )
    if kind == "box":
        look |= _box(rng, fill, edge)
    if rng.random() < 0.07:
        look |= {"second": rng.choice(ACCENTS + YELLOWS), "halves": rng.random() < 0.3}
    if rng.random() < 0.08:
        look["spacing"] = rng.uniform(0.1, 0.6)
    if rng.random() < 0.04:
        look["turn"] = rng.uniform(-9, 9)
    return TextLook(**look)


def _colours(rng: random.Random) -> tuple[tuple, tuple]:
    """Of the letters and of what sets them off: mostly light on dark, one in eight dark on light."""
    fill = rng.choices(
        (rng.choice(WHITES), rng.choice(YELLOWS), rng.choice(ACCENTS), tuple(rng.randrange(256) for _ in range(3))),
        (62, 15, 14, 9),
    )[0]
    edge = rng.choice(DARKS) if rng.random() < 0.85 else rng.choice(ACCENTS)
    if rng.random() < 0.15:
        fill, edge = rng.choice(DARKS), rng.choice(WHITES + YELLOWS)
    return fill, edge


def _box(rng: random.Random, fill: tuple, edge: tuple) -> dict:
    """A box in a colour that the letters can be read on."""
    ground = edge if abs(sum(edge) - sum(fill)) > 200 else ((0, 0, 0) if sum(fill) > 380 else (255, 255, 255))
    if rng.random() < 0.25:
        ground = rng.choice(ACCENTS)
        fill = (255, 255, 255) if sum(ground) < 420 else (0, 0, 0)
    return dict(
        fill=fill,
        box=rng.choice(("row", "row", "block")),
        box_fill=(*ground, rng.choice((1.0, 1.0, 0.9, 0.75, 0.6, 0.5, 0.35))),
        rounded=rng.choice((0, 0, 0, 0.15, 0.3)),
        pad=rng.uniform(0.08, 0.4),
        stroke=rng.choice((0, 0, 0, 0.05)) * 20,
    )
