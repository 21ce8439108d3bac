"""ComfyUI's MODEL, VAE and CONDITIONING as the runtime's Denoiser and Codec.

Everything goes through ComfyUI's own entry points, so that loaders, quantised weights, LoRA stacks, attention patches,
compiled models and the memory manager keep working. Nothing here changes a MODEL or VAE that others hold.
"""

from __future__ import annotations

from types import SimpleNamespace

import comfy.latent_formats
import comfy.ldm.wan.vae
import comfy.taesd.taehv
import torch
from torch import Tensor

from ...clear_runtime.engines.base_model import Base, describe_base
from ...clear_runtime.engines.denoiser import control_condition
from ...clear_runtime.engines.engine import Engine
from ...clear_runtime.engines.options import EngineOptions
from ...clear_runtime.engines.sampling import Known, OnStep
from ...clear_runtime.errors import ClearError
from ...clear_runtime.wan import CLIP_VISION_SHAPE, TEXT_WIDTH
from .kinds import is_minimax, is_nano
from .nano_vae import NanoVAE
from .sampling import ComfySampling


def model_shapes(model) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Weight names of a MODEL's transformer as its file has them -> (the name in the loaded model, shape)."""
    network = getattr(model.model, "diffusion_model", None)
    if network is None:
        return {}
    return {name.replace("_orig_mod.", ""): (name, tuple(weight.shape)) for name, weight in network.named_parameters()}


def model_base(model) -> Base:
    """The Wan2.1 Fun-Control base inside a MODEL from any loader. Raises ClearError that names what else it is."""
    if is_minimax(model):
        raise ClearError(
            "This MODEL is MiniMax-Remover, which takes no LoRA and cannot be trained here: connect it to model of "
            "Remove Subtitles as it is. A CLEAR LoRA goes onto Wan2.1-Fun-V1.1-1.3B-Control (Load CLEAR)."
        )
    return describe_base({name: shape for name, (_, shape) in model_shapes(model).items()})


def require_pair(model, vae, positive) -> bool:
    """Whether the connected MODEL and VAE are the nano ones. Raises ClearError when something is missing or they do not
    belong together."""
    missing = [name for name, value in (("MODEL", model), ("VAE", vae), ("CONDITIONING", positive)) if value is None]
    if missing:
        raise ClearError(
            f"{' and '.join(missing)} not connected. Load CLEAR Nano gives all three with no download; or set output "
            f"to preview, which needs none."
        )
    nano = is_nano(model)
    if nano and not isinstance(vae, NanoVAE):
        raise ClearError(
            "The MODEL is CLEAR Nano, but the VAE is another one. Connect the VAE output of the same Load CLEAR Nano."
        )
    if not nano and isinstance(vae, NanoVAE):
        raise ClearError(
            "The VAE is CLEAR Nano's, but the MODEL is another one. Connect wan_2.1_vae.safetensors (Load VAE), or "
            "take Load CLEAR Nano's MODEL too."
        )
    return nano


class ComfyDenoiser:
    """CLEAR's MODEL as Denoiser: Euler steps over the given sigmas, with zero CLIP-vision tokens.

    positive, negative: CONDITIONING. Raises ClearError for another base, another text encoder, or cfg != 1 without a
    negative.
    """

    def __init__(self, model, positive, cfg: float = 1.0, negative=None):
        model_base(model)
        if cfg != 1.0 and negative is None:
            raise ClearError(
                f"cfg {cfg:g} needs a negative CONDITIONING. Connect one (a CLIP Text Encode with what should not "
                f"appear), or set cfg to 1."
            )
        for conditioning in filter(None, (positive, negative)):
            require_text(conditioning)
        vision = SimpleNamespace(penultimate_hidden_states=torch.zeros(CLIP_VISION_SHAPE))
        self.sampling = ComfySampling(model, positive, cfg, negative, clip_vision_output=vision)

    def __call__(
        self, noise: Tensor, control: Tensor, sigmas: Tensor, on_step: OnStep | None = None, known: Known | None = None
    ) -> Tensor:
        return self.sampling.sample(noise, control_condition(control), sigmas, on_step=on_step, known=known)


class ComfyCodec:
    """A VAE as Codec. ComfyUI's own tiling takes over when memory runs out. Raises ClearError for a VAE that is not
    Wan2.1's."""

    def __init__(self, vae):
        require_wan_vae(vae)
        self.vae, self.spatial, self.temporal = vae, vae.spacial_compression_encode(), vae.temporal_compression_decode()
        self.latent_format = comfy.latent_formats.Wan21()

    def encode(self, frames: Tensor) -> Tensor:
        return self.latent_format.process_in(self.vae.encode(frames).float().cpu())

    def decode(self, latents: Tensor) -> Tensor:
        return self.vae.decode(self.latent_format.process_out(latents))[0].float().cpu().clamp(0, 1)


def require_wan_vae(vae) -> None:
    """Raise ClearError unless this is Wan2.1's VAE, its small TAEHV stand-in, or the bundled one."""
    if isinstance(vae, NanoVAE):
        return
    network = getattr(vae, "first_stage_model", None)
    wan = isinstance(network, comfy.ldm.wan.vae.WanVAE)
    small = isinstance(network, comfy.taesd.taehv.TAEHV) and network.latent_format is comfy.latent_formats.Wan21
    if not (wan or small) or vae.latent_channels != 16:
        raise ClearError(
            f"This VAE is of another family ({type(network).__name__}, {getattr(vae, 'latent_channels', '?')} latent "
            "channels). CLEAR needs Wan2.1's: load wan_2.1_vae.safetensors, or take the VAE of Load CLEAR Nano with "
            "its own MODEL."
        )


def require_text(conditioning) -> None:
    """Raise ClearError for a CONDITIONING of another text encoder."""
    for text, _ in conditioning:
        if text.shape[-1] != TEXT_WIDTH:
            raise ClearError(
                f"This CONDITIONING is {text.shape[-1]} wide; Wan2.1 takes umT5-XXL's {TEXT_WIDTH}. Use CLEAR Prompt, "
                "or a CLIP Text Encode whose CLIP is umt5_xxl loaded with type wan."
            )


def clear_engine(model, vae, positive, negative, cfg: float, options: EngineOptions) -> Engine:
    """The connected MODEL, VAE and CONDITIONING as an engine: CLEAR's, or the bundled one's where they are its parts.

    Raises ClearError when something is missing or does not belong together.
    """
    # what paints, which start-up does without
    from ...clear_runtime.engines.clear import ClearEngine
    from ...clear_runtime.engines.nano.engine import nano_engine

    nano = require_pair(model, vae, positive)
    make = nano_engine if nano else ClearEngine
    denoiser = ComfyDenoiser(model, positive, cfg, negative)
    return make(ComfyCodec(vae), denoiser, options)
