"""Strokes that a prior left out of a letter, told by the picture: they have the letter's colour and not the scene's.

A hole of a few pixels in a white stroke is a white spot in the result, and the fill spreads it.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

LIKE = 24.0
"""Levels of 255 by which a pixel differs from the letter's pixel next to it, at most."""
UNLIKE = 60.0
"""Levels by which it differs from the scene around, at least."""
REACH = 4
"""Pixels, on a frame of 1280, from the letters on either side, at most."""


def with_strokes(soft: np.ndarray, crop: np.ndarray, scale: float, others: np.ndarray) -> np.ndarray:
    """A row's soft mask [h, w] uint8 with what is missing of its letters. crop: [h, w, 3] uint8, what the frame shows
    there and around. scale: the masks' longer side over 1280. others: [h, w] bool, what is marked besides."""
    letters = soft > 127
    if not letters.any():
        return soft
    reach = max(1, round(REACH * scale))
    wide = 2 * reach + 1
    between = ndimage.minimum_filter(ndimage.maximum_filter(letters, wide), wide) & ~letters & ~others
    scene = ~ndimage.maximum_filter(letters, 2 * wide) & ~others
    if not between.any() or not scene.any():
        return soft
    ys, xs = ndimage.distance_transform_edt(~letters, return_distances=False, return_indices=True)
    picture = crop.astype(np.float32)
    like = np.abs(picture - picture[ys, xs]).max(2) <= LIKE
    behind = _spread(picture, scene, 8 * reach + 1)
    unlike = np.abs(picture - behind).max(2) >= UNLIKE
    return np.where(between & like & unlike, np.uint8(255), soft)


def _spread(picture: np.ndarray, known: np.ndarray, size: int) -> np.ndarray:
    """The mean around each pixel of what is known [h, w] bool of a picture [h, w, 3]; of all of it where none is."""
    weight = ndimage.uniform_filter(known.astype(np.float32), size)[..., None]
    total = ndimage.uniform_filter(picture * known[..., None], (size, size, 0))
    return np.where(weight > 1e-3, total / np.maximum(weight, 1e-3), picture[known].mean(0))
