"""What the pipeline asks of a video codec: the user's VAE, or the bundled small one."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Codec(Protocol):
    """Frames to latents and back.

    Latent frame 0 stands for frame 0 alone; every later one stands for `temporal` frames (Wan2.1's causal layout).
    """

    spatial: int
    """Source pixels per latent cell along one side: 8 for Wan2.1's VAE. Nothing may assume 8."""
    temporal: int
    """Frames per latent frame after the first: 4."""

    def encode(self, frames: Tensor) -> Tensor:
        """[T, H, W, 3] in 0..1, T % temporal == 1, H and W multiples of 2 * spatial ->
        [1, 16, (T - 1) // temporal + 1, H / spatial, W / spatial] in model space, float32 on the CPU."""
        ...

    def decode(self, latents: Tensor) -> Tensor:
        """The inverse: frames [T, H, W, 3] clamped to 0..1, float32 on the CPU."""
        ...
