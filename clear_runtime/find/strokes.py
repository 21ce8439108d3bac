"""Strokes that a prior left out of a letter, told by the picture: they have the letter's colour and not the scene's.

A hole of a few pixels in a white stroke is a white spot in the result, and the fill spreads it.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..frames.hull import hull
from .colours import distance

LIKE = 24.0
"""Levels of 255 by which a pixel differs from the letter's pixel next to it, at most."""
UNLIKE = 60.0
"""Levels by which it differs from the scene around, at least."""
WHOLE = 0.8
"""Share of a shape with its bays from which it is a picture (an emoji), and no letter or word."""
WIDEST = 1.5
"""Heights that a picture is wide at most: words whose letters run into one another are wider."""
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
    pictures = _pictures(letters)
    between = ndimage.minimum_filter(ndimage.maximum_filter(letters, wide), wide) | pictures
    between &= ~letters & ~others
    scene = ~ndimage.maximum_filter(letters | pictures, 2 * wide) & ~others
    if not between.any() or not scene.any():
        return soft
    picture = crop.astype(np.float32)
    unlike = distance(picture, _spread(picture, scene, 8 * reach + 1)) >= UNLIKE
    missing = between & unlike & _like_the_nearest(picture, letters)
    bays = missing & pictures
    if bays.any():  # what bulges out beyond both sides of a bay
        mine = unlike & ~others & _like_the_nearest(picture, bays)
        missing |= ndimage.binary_dilation(bays, iterations=3 * reach, mask=mine)
    return np.where(missing, np.uint8(255), soft)


def _like_the_nearest(picture: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Which pixels [h, w] have nearly the colour of the nearest one of a shape [h, w] bool."""
    ys, xs = ndimage.distance_transform_edt(~shape, return_distances=False, return_indices=True)
    return distance(picture, picture[ys, xs]) <= LIKE


def _pictures(letters: np.ndarray) -> np.ndarray:
    """The connected shapes that are nearly whole and not much wider than high, with their bays: a picture among letters
    has larger ones than strokes have holes, and what lies within a letter is the scene."""
    shapes, _ = ndimage.label(letters)
    out = np.zeros_like(letters)
    for n, place in enumerate(ndimage.find_objects(shapes), 1):
        shape = shapes[place] == n
        whole = hull(shape)
        if shape.sum() >= WHOLE * whole.sum() and shape.shape[1] <= WIDEST * shape.shape[0]:
            out[place] |= whole
    return out


def _spread(picture: np.ndarray, known: np.ndarray, size: int) -> np.ndarray:
    """The mean around each pixel of what is known [h, w] bool of a picture [h, w, 3]; of all of it where none is."""
    weight = ndimage.uniform_filter(known.astype(np.float32), size)[..., None]
    total = ndimage.uniform_filter(picture * known[..., None], (size, size, 0))
    return np.where(weight > 1e-3, total / np.maximum(weight, 1e-3), picture[known].mean(0))
