"""The bundled codec as a VAE that ComfyUI's own VAE Encode and VAE Decode nodes take."""

from __future__ import annotations

import comfy.latent_formats
import comfy.model_management
import torch
from torch import Tensor

from ...clear_runtime.errors import ClearError
from .managed import managed, to_device

_BYTES_PER_CELL = 6 * 96 * 4
"""Memory while the codec runs, for one latent cell: about six float32 tensors of its widest layer's 96 channels."""


class NanoVAE:
    """A codec of the runtime with what ComfyUI's nodes ask of a VAE. Latents are those of Wan2.1's raw space, so that
    ComfyUI's samplers and nodes may handle them; sides shrink by the codec's own factor."""

    latent_channels, latent_dim, output_channels = 16, 3, 3
    not_video, handles_tiling, extra_1d_channel, size = False, False, None, None
    vae_dtype = torch.float32
    working_dtypes = [torch.float32]

    def __init__(self, codec):
        """codec: one whose network is `net` and whose device may be set (the bundled one)."""
        self.codec, self.spatial, self.temporal = codec, codec.spatial, codec.temporal
        self.first_stage_model, self.patcher = codec.net, managed(codec.net)
        self.device, self.output_device = self.patcher.load_device, comfy.model_management.intermediate_device()
        self.latent_format = comfy.latent_formats.Wan21()
        self.upscale_ratio = (lambda t: max(0, (t - 1) * self.temporal + 1), self.spatial, self.spatial)
        self.downscale_ratio = (lambda t: max(0, (t + self.temporal - 1) // self.temporal), self.spatial, self.spatial)
        self.upscale_index_formula = self.downscale_index_formula = (self.temporal, self.spatial, self.spatial)

    def encode(self, pixel_samples: Tensor) -> Tensor:
        """[T, H, W, 3 or more] in 0..1 -> [1, 16, (T - 1) // 4 + 1, H / 4, W / 4]. Like Wan's VAE it takes the middle
        of sides that are no multiple, and leaves out frames at the end that fill no group of four."""
        if pixel_samples.ndim != 4 or not len(pixel_samples):
            raise ClearError(
                f"The VAE of Load CLEAR Nano encodes frames [T, H, W, 3]; this has the shape "
                f"{list(pixel_samples.shape)}."
            )
        frames = self._fitting(pixel_samples[..., :3].float())
        self._load(frames.shape[0] * frames.shape[1] * frames.shape[2])
        return self.latent_format.process_out(self.codec.encode(frames)).to(self.output_device)

    def decode(self, samples: Tensor, vae_options=None) -> Tensor:
        """[N, 16, t, h, w] -> [N, T, H, W, 3] in 0..1; an image latent [N, 16, h, w] is one frame."""
        if samples.ndim == 4:
            samples = samples.unsqueeze(2)
        if samples.ndim != 5 or samples.shape[1] != self.latent_channels:
            raise ClearError(
                f"The VAE of Load CLEAR Nano decodes latents [N, 16, t, h, w]; this has the shape "
                f"{list(samples.shape)}."
            )
        self._load(self.temporal * self.spatial**2 * samples[0, 0].numel())
        raw = self.latent_format.process_in(samples.float().cpu())
        return torch.stack([self.codec.decode(one[None]) for one in raw]).to(self.output_device)

    def encode_tiled(self, pixel_samples: Tensor, **tiles) -> Tensor:
        """The same as encode: the codec is small enough to take frames whole."""
        return self.encode(pixel_samples)

    def decode_tiled(self, samples: Tensor, **tiles) -> Tensor:
        """The same as decode: the codec is small enough to take frames whole."""
        return self.decode(samples)

    def spacial_compression_encode(self) -> int:  # ComfyUI's spelling
        return self.spatial

    def spacial_compression_decode(self) -> int:
        return self.spatial

    def temporal_compression_decode(self) -> int:
        return self.temporal

    def get_sd(self) -> dict[str, Tensor]:
        return self.first_stage_model.state_dict()

    def is_dynamic(self) -> bool:
        return False

    def throw_exception_if_invalid(self) -> None:
        """Nothing to check: the weights were complete when they were loaded."""

    def _load(self, pixels: int) -> None:
        self.codec.device = to_device(self.patcher, pixels // (self.temporal * self.spatial**2) * _BYTES_PER_CELL)

    def _fitting(self, frames: Tensor) -> Tensor:
        count, height, width = frames.shape[:3]
        count = (count - 1) // self.temporal * self.temporal + 1
        top, left = height % self.spatial // 2, width % self.spatial // 2
        height, width = height // self.spatial * self.spatial, width // self.spatial * self.spatial
        if not height or not width:
            raise ClearError(
                f"Frames of {frames.shape[2]}x{frames.shape[1]} pixels are smaller than one latent cell "
                f"({self.spatial} pixels)."
            )
        return frames[:count, top : top + height, left : left + width]
