"""How far colours are apart."""

from __future__ import annotations

import numpy as np


def distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """By how much the channel that differs most does, [...], of two pictures [..., 3] of a type that takes negative
    values."""
    red, green, blue = np.moveaxis(np.abs(one - other), -1, 0)
    return np.maximum(np.maximum(red, green), blue)  # ten times as fast as max over so short an axis
