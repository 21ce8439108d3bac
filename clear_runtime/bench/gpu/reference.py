"""DiffSynth's own way through the same model and VAE: what its pipeline's call does once its inputs are ready."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn

from ...engines.denoiser import control_condition
from ...engines.schedule import SHIFT
from ...wan import CLIP_VISION_SHAPE
from . import work
from .part import cost
from .shapes import STEPS, ClipSize

TILES = {"tiled": True, "tile_size": (30, 52), "tile_stride": (15, 26)}
"""The pipeline's defaults for its VAE."""


def their_removal(device: torch.device, model: nn.Module, vae: nn.Module, context: Tensor, clip: ClipSize) -> dict:
    """Encode in tiles, five steps with its scheduler and whichever attention it finds, decode in tiles."""
    from .fast import rows  # which imports this

    dtype = next(model.parameters()).dtype
    video = (rearrange(clip.pixels(), "t h w c -> 1 c t h w") * 2 - 1).to(dtype)
    steps = _Steps(model, context.to(device, dtype))
    steps(clip.random_latents().to(device, dtype), clip.random_latents().to(device, dtype), 1)
    encoded = cost(device, lambda: vae.encode(video, device=device, **TILES).to(device, dtype))
    noise = clip.random_latents().to(device, dtype)
    sampled = cost(device, lambda: steps(noise, encoded.made, STEPS))
    decoded = cost(device, lambda: vae.decode(sampled.made, device=device, **TILES))
    return rows(clip, encoded, sampled, decoded, work.step(model, clip) * STEPS, None)


class _Steps:
    """Its sampling loop, cfg 1."""

    def __init__(self, model: nn.Module, context: Tensor):
        self.model, self.context = model, context

    def __call__(self, noise: Tensor, control: Tensor, steps: int) -> Tensor:
        # an optional package
        from diffsynth.diffusion.flow_match import FlowMatchScheduler
        from diffsynth.pipelines.wan_video import model_fn_wan_video

        scheduler = FlowMatchScheduler("Wan")
        scheduler.set_timesteps(steps, shift=SHIFT)
        x, condition = noise, control_condition(control)
        clip = torch.zeros(CLIP_VISION_SHAPE, dtype=noise.dtype, device=noise.device)
        for timestep in scheduler.timesteps:
            now = timestep[None].to(noise.device, noise.dtype)
            velocity = model_fn_wan_video(
                self.model, latents=x, timestep=now, context=self.context, clip_feature=clip, y=condition
            )
            x = scheduler.step(velocity, timestep, x)
        return x
