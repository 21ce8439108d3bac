"""From noise to clean latents, along the flow that a network predicts: the loop that all samplers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from ..frames.windows import kept
from ..wan import latent_frames
from .codec import Codec
from .engine import Piece
from .options import EULER, UNIPC
from .schedule import latent_noise
from .unipc import UniPC

OnStep = Callable[[int, int], None]
"""(steps done, from 1; their count): comes after each step; what it raises ends the run."""
Velocity = Callable[[Tensor, float], Tensor]
"""(latents, their noise level sigma) -> what the network predicts there: noise minus clean latents."""


@dataclass(frozen=True)
class Known:
    """What is known of a window before it is sampled. latents: [1, c, k, h, w], clean, of its first k latent frames.
    kept: how many of these come back as they are. The others come back as the network makes them at its last step,
    where they are already a part of what follows."""

    latents: Tensor
    kept: int

    def of(self, first: int, stop: int) -> Known | None:
        """What is known of latent frames first <= t < stop alone."""
        latents = self.latents[:, :, first:stop]
        return Known(latents, max(0, self.kept - first)) if latents.shape[2] else None

    def to(self, like: Tensor) -> Known:
        return Known(self.latents.to(like), self.kept)

    def at(self, sigma: float, noise: Tensor) -> Tensor:
        """Where the flow from their noise [1, c, t, h, w] to them is at a noise level."""
        return (1 - sigma) * self.latents + sigma * noise[:, :, : self.latents.shape[2]]


class Step(Protocol):
    """One sampler, for one window."""

    def __call__(self, x: Tensor, velocity: Tensor, sigma: float, following: float) -> Tensor:
        """Latents x at noise level `sigma` -> those at `following`."""
        ...


class Euler:
    """A straight line along the flow."""

    def __call__(self, x: Tensor, velocity: Tensor, sigma: float, following: float) -> Tensor:
        return x + (following - sigma) * velocity


SAMPLERS: dict[str, Callable[[], Step]] = {UNIPC: UniPC, EULER: Euler}
"""By the name that users see."""


def sample(
    velocity: Velocity,
    noise: Tensor,
    sigmas: Tensor,
    sampler: str = EULER,
    known: Known | None = None,
    on_step: OnStep | None = None,
) -> Tensor:
    """Clean latents [1, c, t, h, w] from noise of that shape. sigmas: 1-D, descending to 0.

    What is known stands before every step where the flow from its noise leads to it, (1 - sigma) known + sigma noise,
    so that the network sees it and makes the rest to match.
    """
    step, x, count = SAMPLERS[sampler](), noise, len(sigmas) - 1
    for i, (sigma, following) in enumerate(pairwise(sigmas.tolist())):
        if known is not None:
            x = _begun(x, known.at(sigma, noise))
        x = step(x, velocity(x, sigma), sigma, following)
        if on_step is not None:
            on_step(i + 1, count)
    return x if known is None else _begun(x, known.latents[:, :, : known.kept])


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


def known_of(piece: Piece, codec: Codec) -> Known | None:
    """What of a piece the window before has painted, where the engine shall go on from it."""
    if piece.painted is None:
        return None
    latents = codec.encode(piece.painted)
    return Known(latents, latent_frames(kept(len(piece.painted), codec.temporal), codec.temporal))
