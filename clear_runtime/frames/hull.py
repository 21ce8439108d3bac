"""A shape with what lies between its own pixels."""

import numpy as np


def hull(shape: np.ndarray) -> np.ndarray:
    """[h, w] bool -> with what lies between two of its pixels in a row or a column: holes, and bays."""
    out = np.zeros_like(shape)
    for axis in (0, 1):
        forth = np.logical_or.accumulate(shape, axis)
        back = np.flip(np.logical_or.accumulate(np.flip(shape, axis), axis), axis)
        out |= forth & back
    return out
