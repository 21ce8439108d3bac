"""The shapes that are measured: Wan2.1-Fun-V1.1-1.3B-Control's, and for a rehearsal small ones, with random weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...engines.denoiser import wan_model
from ...train.lora.memory import wan_shapes
from ...wan import CHANNELS, HEAD_WIDTH, PATCH, SPATIAL, TEXT_TOKENS, TEXT_WIDTH, latent_frames

STEPS = 5
"""Of the sampler, as CLEAR has them."""
PAPER = 0.04
"""Seconds a frame that the paper's authors state for their model, one figure for all sizes."""


@dataclass(frozen=True)
class ClipSize:
    """frames, and their height and width in pixels."""

    frames: int
    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.frames} frames of {self.width}x{self.height}"

    @property
    def latents(self) -> tuple[int, int, int]:
        return latent_frames(self.frames), self.height // SPATIAL, self.width // SPATIAL

    @property
    def tokens(self) -> int:
        t, h, w = self.latents
        return t * (h // PATCH[1]) * (w // PATCH[2])

    def band(self) -> ClipSize:
        """A fifth of its height, on the grid of patches."""
        cell = SPATIAL * PATCH[1]
        return ClipSize(self.frames, max(cell, round(self.height / 5 / cell) * cell), self.width)

    def pixels(self) -> Tensor:
        """Random frames [T, H, W, 3] in 0..1 on the CPU."""
        return torch.rand(self.frames, self.height, self.width, 3)

    def random_latents(self) -> Tensor:
        return torch.randn(1, CHANNELS, *self.latents)


def clips(tiny: bool) -> list[ClipSize]:
    return [ClipSize(5, 32, 48), ClipSize(5, 48, 64)] if tiny else [ClipSize(81, 480, 832), ClipSize(81, 720, 1280)]


def base_shapes(tiny: bool) -> dict[str, tuple[int, ...]]:
    """Weights of the transformer by name."""
    return wan_shapes(width=HEAD_WIDTH, feed_forward=128, layers=2) if tiny else wan_shapes()


def random_base(shapes: dict[str, tuple[int, ...]], dtype: torch.dtype, device: torch.device) -> dict[str, Tensor]:
    """Drawn on the device: 1.6 billion numbers take a CPU half a minute."""
    made = {}
    for name, shape in shapes.items():
        scale = 0.02 if len(shape) > 1 else 0.1
        made[name] = (scale * torch.randn(shape, device=device)).to(dtype)
        if "norm" in name and name.endswith("weight"):
            made[name] += 1  # so that activations stay of the size that real weights give them
    return made


def random_model(tiny: bool, dtype: torch.dtype, device: torch.device) -> nn.Module:
    return wan_model(random_base(base_shapes(tiny), dtype, device)).eval().requires_grad_(False)


def random_vae(tiny: bool, dtype: torch.dtype, device: torch.device) -> nn.Module:
    """DiffSynth's WanVideoVAE: the real one's shape, or a narrow one."""
    from diffsynth.models.wan_video_vae import VideoVAE_, WanVideoVAE  # an optional package

    vae = WanVideoVAE()
    if tiny:
        vae.model = VideoVAE_(dim=8, z_dim=CHANNELS).eval().requires_grad_(False)
    return vae.to(device, dtype)


def prompt() -> Tensor:
    return torch.randn(1, TEXT_TOKENS, TEXT_WIDTH)
