"""Whether two masks show the same letters, and how far one has moved against the other."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import fft

from ..frames.region import Region

MARGIN = 2
"""Pixels around what two rows share in which they are compared too: a solid block has its shape from what it is not."""
SAME = 0.55
"""How alike two rows are over which they are the same letters. On real clips the same ones come to 0.65 and more from
one look to the next, others to 0.45 at most."""

SAME_GROWN = 0.7
"""The same of letters that are enlarged to one size."""
GROWN = 1.1
"""How many times as large as in the look before a row that grows is at most."""
UNEVEN = 0.15
"""How much more one side may have grown than the other, and by how much of its height the middle may have moved."""


def alike(a: np.ndarray, at: Region, b: np.ndarray, there: Region) -> float:
    """The correlation, -1 to 1, of the letters of two masks at their places in the frame, over what both of them cover;
    0 where that is less than 0.6 of the smaller one. Other letters at the same place come to 0.45 at most, a row that
    has grown to 1."""
    common = overlap(at, there)
    if common is None or common.height * common.width < 0.6 * min(at.height * at.width, there.height * there.width):
        return 0.0
    wide = Region.between(common.top - MARGIN, common.left - MARGIN, common.bottom + MARGIN, common.right + MARGIN)
    return correlation(_letters_alone(part(a, at, wide)), _letters_alone(part(b, there, wide)))


def alike_grown(a: np.ndarray, at: Region, b: np.ndarray, there: Region, most: float = GROWN) -> float:
    """The same of letters that have grown or shrunk about their middle, both sides alike and at most so many times; 0
    for rectangles that say otherwise."""
    tall, wide = there.height / at.height, there.width / at.width
    down, right = at.top + at.bottom - there.top - there.bottom, at.left + at.right - there.left - there.right
    aside = max(abs(down), abs(right)) / 2
    if not 1 / most <= wide <= most or abs(wide / tall - 1) > UNEVEN or aside > UNEVEN * at.height:
        return 0.0
    scaled = Image.fromarray(b).resize((at.width, at.height), Image.Resampling.BILINEAR)
    return correlation(_letters_alone(a), _letters_alone(np.asarray(scaled)))


def _letters_alone(mask: np.ndarray) -> np.ndarray:
    """A row's mask without what all rows have in common: that they are a bar."""
    along = int(mask.shape[1] >= mask.shape[0])
    return mask - mask.mean(along, keepdims=True, dtype=np.float32)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Of two pictures of one shape: 1 for the same up to brightness and contrast, 0 where one of them is flat."""
    x, y = a.astype(np.float32) - a.mean(), b.astype(np.float32) - b.mean()
    norm = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / norm if norm > 1e-6 else 0.0


def overlap(a: Region, b: Region) -> Region | None:
    """What two rectangles share."""
    top, left = max(a.top, b.top), max(a.left, b.left)
    bottom, right = min(a.bottom, b.bottom), min(a.right, b.right)
    return Region.between(top, left, bottom, right) if bottom > top and right > left else None


def part(mask: np.ndarray, at: Region, box: Region) -> np.ndarray:
    """What a rectangle shows of a mask that lies at `at`; nothing beyond it."""
    out = np.zeros((box.height, box.width), dtype=mask.dtype)
    common = overlap(at, box)
    if common is not None:
        inside, there = common.within(at), common.within(box)
        out[there.rows, there.columns] = mask[inside.rows, inside.columns]
    return out


def moved(a: np.ndarray, at: Region, b: np.ndarray, there: Region, reach: int) -> tuple[float, float, float]:
    """(down, right, how alike): by how many pixels the letters of b stand lower and further right than those of a, to a
    fraction of a pixel, and how alike they are there. reach: pixels that they move at most."""
    around = at.joined(there)
    one, two = (part(_letters_alone(mask), where, around) for mask, where in ((a, at), (b, there)))
    down, right = shift(one, two, reach)
    back = Region(there.top - round(down), there.left - round(right), there.height, there.width)
    return down, right, alike(a, at, b, back)


def shift(a: np.ndarray, b: np.ndarray, reach: int) -> tuple[float, float]:
    """(down, right): by how many pixels what a shows stands lower and further right in b, of one shape, to a fraction
    of a pixel; `reach` at most."""
    # room against wrapping around, of sides that are quickly transformed
    shape = tuple(fft.next_fast_len(side + reach, real=True) for side in a.shape)
    spectra = [fft.rfft2(one, shape) for one in (a, b)]
    return _peak(fft.irfft2(spectra[1] * spectra[0].conj(), shape), reach)[:2]


def camera(a: np.ndarray, b: np.ndarray, reach: int) -> tuple[float, float, float]:
    """(down, right, how sure): how the whole picture moved from grey frame a to b, by phase correlation: pixels, to a
    fraction of one. Sure is the peak over the surface's spread; under about 6 nothing is known."""
    window = np.outer(np.hanning(a.shape[0]), np.hanning(a.shape[1])).astype(np.float32)
    one, two = (fft.rfft2((x - x.mean()) * window) for x in (a, b))
    cross = two * one.conj()
    surface = fft.irfft2(cross / (np.abs(cross) + 1e-3), a.shape)
    down, right, peak = _peak(surface, reach)
    return down, right, float(peak / (surface.std() + 1e-9))


def _peak(surface: np.ndarray, reach: int) -> tuple[float, float, float]:
    """Where a correlation surface is highest within `reach` of no movement, to a fraction of a pixel; and how high."""
    down, right = (min(reach, (side - 1) // 2) for side in surface.shape)
    near = np.roll(surface, (down, right), (0, 1))[: 2 * down + 1, : 2 * right + 1]
    y, x = (int(i) for i in np.unravel_index(near.argmax(), near.shape))
    return _between(near[:, x], y) - down, _between(near[y], x) - right, float(near[y, x])


def _between(line: np.ndarray, at: int) -> float:
    """The top of a parabola through the highest of a line and its neighbours."""
    if not 0 < at < len(line) - 1:
        return float(at)
    before, here, after = line[at - 1 : at + 2]
    bend = before - 2 * here + after
    return at + (0.5 * float((before - after) / bend) if bend < 0 else 0.0)
