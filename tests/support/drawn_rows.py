"""Rows of made-up letters, and videos in which they stand, for tests of what finds them."""

import numpy as np
import torch

from clear_runtime.find.rows import Row, rows_of

HEIGHT, WIDTH = 180, 320


def letters(seed: int, count: int, scale: int = 2) -> np.ndarray:
    """A row of `count` letters as bool [7 * scale, count * 6 * scale]: other letters for another seed, of 5 by 7
    dots each, whose strokes touch."""
    rng = np.random.default_rng(seed)
    glyphs = []
    for _ in range(count):
        glyph = np.zeros((7, 6), bool)
        glyph[:, rng.integers(0, 5)] = True
        for _ in range(2):
            glyph[rng.integers(0, 7), :5] = True
        glyph[rng.integers(0, 7) :, rng.integers(0, 5)] = True
        glyphs.append(glyph)
    return np.concatenate(glyphs, 1).repeat(scale, 0).repeat(scale, 1)


def at(row: np.ndarray, top: int, left: int, size=(HEIGHT, WIDTH)) -> np.ndarray:
    """The row's pixels in a frame, bool [H, W]; what of it lies outside is cut off."""
    out = np.zeros(size, bool)
    part = row[: size[0] - top, : size[1] - left]
    out[top : top + part.shape[0], left : left + part.shape[1]] = part
    return out


def scene(frames: int, pan: float = 0.0, size=(HEIGHT, WIDTH), seed: int = 0) -> np.ndarray:
    """A textured picture, float [T, H, W] in 0..0.6, that moves `pan` pixels to the left a frame."""
    rng = np.random.default_rng(seed)
    wide = size[1] + int(frames * abs(pan)) + 2
    coarse = rng.random((size[0] // 8 + 2, wide // 8 + 2)).repeat(8, 0).repeat(8, 1)[: size[0], :wide]
    return np.stack([coarse[:, int(t * pan) : int(t * pan) + size[1]] for t in range(frames)]) * 0.6


def video(grey: np.ndarray, *shown: tuple[np.ndarray, slice]) -> torch.Tensor:
    """Frames [T, H, W, 3] of a scene with rows in white: (mask [H, W], the frames in which it is there)."""
    out = grey.copy()
    for mask, when in shown:
        out[when] = np.where(mask, 1.0, out[when])
    return torch.from_numpy(out).float()[..., None].repeat(1, 1, 1, 3)


def white(frames: torch.Tensor) -> torch.Tensor:
    """A prior that takes for text what is brighter than any scene."""
    return ((frames.mean(-1) - 0.7) / 0.25).clamp(0, 1)


def partly(line: np.ndarray, seen: np.ndarray) -> Row:
    """The rectangle of a row's pixels [H, W] bool, of which the prior sees a part."""
    (row,) = rows_of(line.astype(np.uint8) * 255, 0.5)
    row.soft = np.where(row.region.of(torch.from_numpy(seen)[None])[0].numpy(), row.soft, 0)
    return row
