"""Wan2.1's VAE as DiffSynth has it, for use without ComfyUI."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from einops import rearrange
from torch import Tensor, nn

from ..errors import ClearError
from ..wan import CHANNELS, GROUP, SPATIAL


class DiffSynthCodec:
    """A DiffSynth WanVideoVAE as Codec, whole frames at once (no tiles, so that every pixel is coded once)."""

    spatial, temporal = SPATIAL, GROUP

    def __init__(self, vae: nn.Module, device: str | torch.device = "cpu"):
        self.vae, self.device = vae.eval().to(device), torch.device(device)
        self.dtype = next(vae.parameters()).dtype

    @classmethod
    def from_state(
        cls, state: Mapping[str, Tensor], dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> DiffSynthCodec:
        """From the released VAE's state dict, with or without DiffSynth's `model.` prefix. Raises ClearError for
        another VAE."""
        # takes seconds to import, and ComfyUI goes without it
        from diffsynth.models.wan_video_vae import VideoVAE_, WanVideoVAE

        plain = {name.removeprefix("model."): value for name, value in state.items()}
        gamma, latent = plain.get("decoder.head.0.gamma"), plain.get("conv2.weight")
        if gamma is None or latent is None or latent.shape[0] != CHANNELS:
            raise ClearError("This is not Wan2.1's VAE (16 latent channels). Give wan_2.1_vae.safetensors.")
        vae = WanVideoVAE()
        vae.model = VideoVAE_(dim=gamma.shape[0], z_dim=CHANNELS)
        vae.model.load_state_dict(plain)
        return cls(vae.to(dtype), device)

    @torch.inference_mode()
    def encode(self, frames: Tensor) -> Tensor:
        video = rearrange(frames, "t h w c -> 1 c t h w").to(self.device, self.dtype).mul(2).sub_(1)
        return self.vae.model.encode(video, self.vae.scale).float().cpu()

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        video = self.vae.model.decode(latents.to(self.device, self.dtype), self.vae.scale)
        # in place: on a CPU each step would hold another copy of the window
        return rearrange(video.float().add_(1).div_(2).clamp_(0, 1), "1 c t h w -> t h w c").cpu()
