"""Areas of a picture as a line of text, which a person can draw or type: where a subtitle is, what may change and what
stays.

    subtitle 20%,75%,60%,20%; protect 2%,3% 14%,3% 14%,12%

Four numbers are a rectangle (left, top, width, height); three or more pairs are the corners of an outline. Per cent of
the picture, or pixels where there is no % sign.
"""

from __future__ import annotations

import re

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ..errors import ClearError

SUBTITLE, LIMIT, PROTECT = KINDS = ("subtitle", "limit", "protect")
_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)(%?)")


def masks_of(text: str, height: int, width: int) -> dict[str, Tensor]:
    """Each kind's mask [1, height, width], 1 inside of its areas. Where no `limit` is drawn, that is all of the
    picture. Raises ClearError for a text that names no areas."""
    sheets = {kind: Image.new("L", (width, height)) for kind in KINDS}
    drawn = set()
    for area in filter(None, (part.strip() for part in text.split(";"))):
        kind, corners = _corners(area, height, width)
        drawn.add(kind)
        ImageDraw.Draw(sheets[kind]).polygon(corners, fill=255)
    masks = {kind: torch.from_numpy(np.array(sheet, dtype=np.float32) / 255)[None] for kind, sheet in sheets.items()}
    return masks if LIMIT in drawn else {**masks, LIMIT: torch.ones(1, height, width)}


def _corners(area: str, height: int, width: int) -> tuple[str, list[tuple[float, float]]]:
    """The kind, and corners in pixels: those of the last pixels inside."""
    kind, *pairs = area.split()
    numbers = [[_pixels(one, area, (width, height)[n % 2]) for n, one in enumerate(pair.split(","))] for pair in pairs]
    if kind not in KINDS or not numbers:
        raise _unreadable(area)
    if len(numbers) == 1 and len(numbers[0]) == 4:
        left, top, wide, tall = (round(one) for one in numbers[0])
        right, bottom = left + wide - 1, top + tall - 1
        if right < left or bottom < top:
            raise _unreadable(area)
        return kind, [(left, top), (right, top), (right, bottom), (left, bottom)]
    if len(numbers) < 3 or any(len(pair) != 2 for pair in numbers):
        raise _unreadable(area)
    return kind, [(x, y) for x, y in numbers]


def _pixels(number: str, area: str, whole: int) -> float:
    found = _NUMBER.fullmatch(number)
    if found is None:
        raise _unreadable(area)
    return float(found[1]) * (whole / 100 if found[2] else 1)


def _unreadable(area: str) -> ClearError:
    return ClearError(
        f"The area {area!r} cannot be read. Draw it, or write a kind ({', '.join(KINDS)}) and left,top,width,height, "
        "as: subtitle 20%,75%,60%,20%. Areas are parted by semicolons."
    )
