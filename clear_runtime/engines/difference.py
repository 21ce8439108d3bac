"""A subtitle mask without a prior: where the network changed the latents."""

import torch
from torch import Tensor

DEVIATIONS = 6.0
"""Robust standard deviations above the median from which a change is no longer the network's noise."""
TO_STANDARD = 1.4826
"""Median absolute deviations to the standard deviation, of normal noise."""
SMALLEST = 1.0
"""Smallest change that counts: a quarter of a latent vector's usual length, sqrt(16) in model space, where every
channel has unit variance. A network that repeats its control almost exactly would otherwise have its rounding errors
marked."""


def changed_cells(before: Tensor, after: Tensor) -> Tensor:
    """Latents [1, 16, t, h, w] before and after -> [t, h, w] bool: the cells whose 16 values moved unusually far.

    The distances of a window's cells are the network's noise, with the subtitle's few as outliers. Median and median
    absolute deviation describe the noise whether there are outliers or not. (Otsu's threshold, which cuts any histogram
    in two, would find a subtitle in every window.)
    """
    return unusual((after - before)[0].norm(dim=0), SMALLEST)


def unusual(distance: Tensor, smallest: float) -> Tensor:
    """Where distances of any shape lie DEVIATIONS above their median, and above `smallest`."""
    median = distance.median()
    deviation = TO_STANDARD * (distance - median).abs().median()
    return distance > torch.clamp(median + DEVIATIONS * deviation, min=smallest)
