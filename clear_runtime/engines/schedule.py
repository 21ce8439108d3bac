"""Flow-matching sigmas, and noise that belongs to a latent frame and not to a window."""

import numpy as np
import torch
from torch import Tensor

from ..errors import ClearError
from ..wan import CHANNELS

SHIFT = 5.0
"""Wan2.1's flow shift in DiffSynth, with which CLEAR was trained. ComfyUI's own default for Wan is 8."""


def sigmas(steps: int, shift: float = SHIFT) -> Tensor:
    """[steps + 1] noise levels from 1 down to 0: `steps` levels spaced evenly in 1..0, bent by shift s / (1 + (shift -
    1) s), then 0.

    Raises ClearError for fewer than one step or a shift that is not positive.
    """
    if steps < 1:
        raise ClearError(f"{steps} steps cannot clean anything. Use at least 1; CLEAR's default is 5.")
    return bent(torch.linspace(1, 0, steps + 1), shift)


def bent(even: Tensor, shift: float) -> Tensor:
    """Noise levels spaced evenly, bent towards noise by a shift. Raises ClearError for one that is not positive."""
    if not shift > 0:
        raise ClearError(f"A sigma shift of {shift:g} has no meaning. Use a positive one; CLEAR was trained with 5.")
    return shift * even / (1 + (shift - 1) * even)


def latent_noise(seed: int, first_latent: int, count: int, height: int, width: int, channels: int = CHANNELS) -> Tensor:
    """Normal noise [1, channels, count, height, width] float32 for latent frames first_latent, first_latent + 1, ...

    Each latent frame is drawn from (seed, its absolute index) alone, so windows that overlap start from the same noise
    and the result does not depend on where a video was cut. height and width are those of the whole frame's latent
    grid; a crop takes a slice of this noise. Raises ClearError for a seed outside 64 bits.
    """
    check_seed(seed)
    frames = [_normal(seed, index, (channels, height, width)) for index in range(first_latent, first_latent + count)]
    return torch.stack(frames, 1)[None]


def check_seed(seed: int) -> None:
    if not 0 <= seed < 2**64:
        raise ClearError(f"The seed is {seed}. Use a whole number from 0 to 2^64 - 1.")


def _normal(seed: int, index: int, shape: tuple[int, ...]) -> Tensor:
    # A counter-based generator keyed by both numbers. torch's CPU generator keeps 32 bits of a seed, which is too few
    # to hold a 64-bit seed and an index apart.
    generator = np.random.Generator(np.random.Philox(key=np.array([seed, index], np.uint64)))
    return torch.from_numpy(generator.standard_normal(shape, dtype=np.float32))
