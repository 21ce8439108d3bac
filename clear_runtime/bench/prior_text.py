"""What a prior finds of overlaid text, by the width of a line, the height of its letters, its style, and what it
marks where there is none."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..data.synthetic.layouts import KINDS
from ..data.synthetic.looks import ACCENTS, DARKS, WHITES, YELLOWS, TextLook
from ..data.synthetic.pairs import Drawn, PairMaker
from ..find.look import Looker, Scales
from ..find.options import MarkOptions
from ..metrics import Overlap

SIZE = (352, 640)  # height and width of the frames
WIDTHS = (16, 24, 32, 48, 64, 96, 128, 256, 512)  # of a line's letters, pixels
HEIGHTS = (6, 8, 10, 12, 16, 24, 40, 60, 90, 120)  # of capitals, pixels
CAPITAL = 0.72  # of an em
THRESHOLD = MarkOptions.threshold


def _plain(look: TextLook, **changes) -> TextLook:
    """The look without its ornaments, and then with `changes`."""
    bare = dict(
        stroke=0.0,
        shadow=None,
        glow=None,
        box=None,
        second=None,
        opacity=1.0,
        spacing=0.0,
        turn=0.0,
        italic=False,
        softness=0.0,
        hot_fill=None,
        hot_box=None,
    )
    return replace(look, **{**bare, **changes})


STYLES: dict[str, Callable[[TextLook], TextLook]] = {
    "white, outline": lambda k: _plain(k, fill=(255, 255, 255), stroke=max(1.0, k.size * 0.07), stroke_fill=(0, 0, 0)),
    "white, no outline": lambda k: _plain(k, fill=(255, 255, 255)),
    "yellow": lambda k: _plain(k, fill=YELLOWS[0], stroke=max(1.0, k.size * 0.05), stroke_fill=(0, 0, 0)),
    "coloured": lambda k: _plain(
        k, fill=ACCENTS[int(k.size * 7) % len(ACCENTS)], stroke=max(1.0, k.size * 0.05), stroke_fill=WHITES[0]
    ),
    "dark, no outline": lambda k: _plain(k, fill=DARKS[0]),
    "thick outline": lambda k: _plain(k, fill=WHITES[0], stroke=min(6.0, k.size * 0.16), stroke_fill=DARKS[0]),
    "coloured outline": lambda k: _plain(
        k, fill=WHITES[0], stroke=max(1.5, k.size * 0.1), stroke_fill=ACCENTS[int(k.size * 5) % len(ACCENTS)]
    ),
    "shadow": lambda k: _plain(k, fill=WHITES[0], shadow=(k.size * 0.06, k.size * 0.06, k.size * 0.04, 0.8)),
    "glow": lambda k: _plain(k, fill=WHITES[0], glow=(0, 0, 0, k.size * 0.1)),
    "letterspaced": lambda k: _plain(k, fill=WHITES[0], spacing=0.4),
    "opaque box": lambda k: _plain(k, fill=WHITES[0], box="row", box_fill=(0, 0, 0, 1.0), pad=0.2),
    "coloured box": lambda k: _plain(
        k, fill=WHITES[0], box="row", box_fill=(*ACCENTS[int(k.size * 3) % 4], 1.0), pad=0.2
    ),
    "translucent box": lambda k: _plain(k, fill=WHITES[0], box="block", box_fill=(0, 0, 0, 0.5), pad=0.3),
    "gradient": lambda k: _plain(
        k, fill=YELLOWS[2], second=ACCENTS[0], stroke=max(1.0, k.size * 0.05), stroke_fill=DARKS[0]
    ),
    "half faded": lambda k: _plain(
        k, fill=WHITES[0], stroke=max(1.0, k.size * 0.06), stroke_fill=DARKS[0], opacity=0.5
    ),
    "italic": lambda k: _plain(k, fill=WHITES[0], stroke=max(1.0, k.size * 0.06), stroke_fill=DARKS[0], italic=True),
}
"""Looks that are measured one by one; further the kinds of layout, each with random looks."""


def _frames(maker: PairMaker, count: int, name: str, options: Callable[[random.Random], dict]) -> Iterator[Drawn]:
    """`count` whole frames with text; options: of the maker's frame, drawn for each."""
    found, seed = 0, 0
    while found < count and seed < 8 * count:
        drawn = maker.frame(
            f"{name} {seed}", *SIZE, empty=0.0, cut=False, corners=0.0, **options(random.Random(f"{name} of {seed}"))
        )
        seed += 1
        if drawn.mask.any():
            found += 1
            yield drawn


def marks_in(prior, picture: np.ndarray) -> torch.Tensor:
    """What the finder's looks mark in a picture [H, W, 3] uint8 by itself: [H, W] bool at the picture's size."""
    frame = torch.from_numpy(picture).float() / 255
    height, width, _ = picture.shape
    looker = Looker(prior, Scales.of(height, width, getattr(prior, "long_side", None)))
    soft = torch.from_numpy(looker([frame])[0])[None, None].float() / 255
    return torch.nn.functional.interpolate(soft, (height, width), mode="bilinear", antialias=True)[0, 0] > THRESHOLD


def _marks(prior, drawn: Drawn) -> torch.Tensor:
    return marks_in(prior, drawn.subtitled)


def _inside(drawn: Drawn) -> tuple[slice, slice]:
    """The box of the first text, with what belongs to its letters."""
    text = drawn.overlays[0]
    return (
        slice(max(0, text.top), max(0, text.top + text.letters.height)),
        slice(max(0, text.left), max(0, text.left + text.letters.width)),
    )


def by_width(prior, folder: Path, count: int) -> dict[int, float]:
    """Pixels of a single line's letters -> share of its labelled pixels that are found."""
    maker, shares = PairMaker(folder, validation=True), {}
    for width in WIDTHS:
        overlap = Overlap()
        for drawn in _frames(maker, count, f"width {width}", partial(of_width, width)):
            part = _inside(drawn)
            overlap.add(_marks(prior, drawn)[part], torch.from_numpy(drawn.mask[part]))
        shares[width] = overlap.report()["recall"]
    return shares


def by_height(prior, folder: Path, count: int) -> dict[int, float]:
    """Pixels of a capital -> share of the labelled pixels of short and long lines that are found."""
    maker, shares = PairMaker(folder, validation=True), {}
    for height in HEIGHTS:
        overlap = Overlap()
        for drawn in _frames(maker, count, f"height {height}", partial(of_height, height)):
            part = _inside(drawn)
            overlap.add(_marks(prior, drawn)[part], torch.from_numpy(drawn.mask[part]))
        shares[height] = overlap.report()["recall"]
    return shares


def of_width(width: int, rng: random.Random) -> dict:
    """Options of random_text for a line of so many pixels."""
    return {"kind": "line", "room": width, "size": rng.uniform(10, max(10.5, min(34, width * 0.7)))}


def of_height(height: int, rng: random.Random) -> dict:
    """The same for letters of which the capitals have so many."""
    return {"kind": rng.choice(("line", "short")), "size": height / CAPITAL}


def of_kind(kind: str, rng: random.Random) -> dict:
    """The same for a layout, one of KINDS."""
    return {"kind": kind}


def styled(look: Callable[[TextLook], TextLook], rng: random.Random) -> dict:
    """The same for a style, one of STYLES."""
    return {"kind": rng.choice(("line", "short", "rows")), "size": rng.uniform(14, 40), "look": look}


def by_style(prior, folder: Path, count: int) -> dict[str, Overlap]:
    """Overlap with the true masks for each of STYLES and for each kind of layout."""
    maker, scores = PairMaker(folder, validation=True), {}
    asked: dict[str, Callable] = {name: partial(styled, look) for name, look in STYLES.items()}
    asked |= {f"layout: {kind}": partial(of_kind, kind) for kind in KINDS}
    for name, options in asked.items():
        scores[name] = overlap = Overlap()
        for drawn in _frames(maker, count, name, options):
            overlap.add(_marks(prior, drawn), torch.from_numpy(drawn.mask))
    return scores


def on_empty(prior, folder: Path, count: int) -> dict[str, float]:
    """Share of pixels marked where there is no text: on plain scenes, on what looks like text and is none, and beside
    text in a corner."""
    maker, shares = PairMaker(folder, validation=True), {}
    scenes: dict[str, dict[str, Any]] = {
        "plain scenes": dict(empty=1.0, busy=0.0),
        "railings, grids, bricks, branches": dict(empty=1.0, busy=1.0),
    }
    for name, options in scenes.items():
        found = [
            _marks(prior, maker.frame(f"{name} {seed}", *SIZE, **options)).float().mean().item()
            for seed in range(count)
        ]
        shares[name] = sum(found) / count
    beside = []
    for seed in range(count):
        drawn = maker.frame(f"corner {seed}", *SIZE, empty=0.0, cut=False, busy=0.0, corners=1.0, kind="tiny")
        beside.append((_marks(prior, drawn) & ~grown(torch.from_numpy(drawn.mask))).float().mean().item())
    shares["two pixels and more beside text"] = sum(beside) / count
    return shares


def grown(mask: torch.Tensor, by: int = 2) -> torch.Tensor:
    """A mask [H, W] bool with every pixel that is at most `by` away from it."""
    return torch.nn.functional.max_pool2d(mask[None, None].float(), 2 * by + 1, 1, by)[0, 0] > 0
