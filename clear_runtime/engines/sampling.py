"""From noise to clean latents, along the flow that a network predicts: the loop that all samplers share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from .codec import Codec
from .engine import Piece
from .schedule import latent_noise
from .unipc import UniPC

OnStep = Callable[[int, int], None]
"""(steps done, from 1; their count): comes after each step; what it raises ends the run."""
Velocity = Callable[[Tensor, float], Tensor]
"""(latents, their noise level sigma) -> what the network predicts there: noise minus clean latents."""


class Step(Protocol):
    """One sampler, for one window."""

    def __call__(self, x: Tensor, velocity: Tensor, sigma: float, following: float) -> Tensor:
        """Latents x at noise level `sigma` -> those at `following`."""
        ...


class Euler:
    """A straight line along the flow."""

    def __call__(self, x: Tensor, velocity: Tensor, sigma: float, following: float) -> Tensor:
        return x + (following - sigma) * velocity


EULER, UNIPC = "euler", "unipc"
SAMPLERS: dict[str, Callable[[], Step]] = {UNIPC: UniPC, EULER: Euler}
"""By the name that users see."""


def sample(
    velocity: Velocity,
    noise: Tensor,
    sigmas: Tensor,
    sampler: str = EULER,
    known: Tensor | None = None,
    on_step: OnStep | None = None,
) -> Tensor:
    """Clean latents [1, c, t, h, w] from noise of that shape. sigmas: 1-D, descending to 0.

    known: [1, c, k, h, w], the clean latents of the first k latent frames. Before every step they stand where the flow
    from their noise leads to them, (1 - sigma) known + sigma noise, so that the network sees them and makes the others
    to match; they come back as they are.
    """
    step, x, count = SAMPLERS[sampler](), noise, len(sigmas) - 1
    for i, (sigma, following) in enumerate(pairwise(sigmas.tolist())):
        if known is not None:
            x = _begun(x, (1 - sigma) * known + sigma * noise[:, :, : known.shape[2]])
        x = step(x, velocity(x, sigma), sigma, following)
        if on_step is not None:
            on_step(i + 1, count)
    return x if known is None else _begun(x, known)


def _begun(x: Tensor, first: Tensor) -> Tensor:
    """x with other first latent frames."""
    return torch.cat([first, x[:, :, first.shape[2] :]], 2)


def piece_noise(piece: Piece, codec: Codec, like: Tensor, seed: int) -> Tensor:
    """The whole canvas's noise for a piece's latent frames, cut to its region, of the shape of `like`."""
    cell = codec.spatial
    height, width = (side // cell for side in piece.canvas)
    first = piece.window.start // codec.temporal
    noise = latent_noise(seed, first, like.shape[2], height, width)
    top, left = piece.region.top // cell, piece.region.left // cell
    return noise[..., top : top + like.shape[3], left : left + like.shape[4]].contiguous()
