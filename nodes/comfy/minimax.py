"""MiniMax-Remover as ComfyUI's own Wan: its file made whole for ComfyUI's loader, and the MODEL as a Denoiser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import comfy.sd
import comfy.utils
import torch
from torch import Tensor, nn

from ...clear_runtime.engines.minimax import MiniMaxEngine
from ...clear_runtime.engines.minimax_names import require_remover, wan_names
from ...clear_runtime.engines.options import EngineOptions, MiniMaxOptions
from ...clear_runtime.engines.sampling import Known, OnStep
from ...clear_runtime.errors import ClearError
from ...clear_runtime.wan import TEXT_WIDTH
from .backend import ComfyCodec
from .kinds import MINIMAX_MARK
from .nano_vae import NanoVAE
from .sampling import ComfySampling


class NoCrossAttention(nn.Module):
    """In place of a block's cross-attention, to whose result the block's tokens are added: nothing."""

    def forward(self, x: Tensor, *args, **kwargs) -> Tensor:
        return x.new_zeros(())


def load_minimax(path: str, model_options: Mapping, own: MiniMaxOptions, **options):
    """The file as a MODEL, through ComfyUI's loader. Raises ClearError for another file."""
    file, metadata = comfy.utils.load_torch_file(path, return_metadata=True)  # these say how it is quantised
    state = wan_names(file)
    blocks = require_remover({name: tuple(value.shape) for name, value in state.items()})
    state |= _prompted_parts(blocks, state["patch_embedding.weight"])
    model = comfy.sd.load_diffusion_model_state_dict(
        state, model_options=dict(model_options), metadata=metadata, **options
    )
    for block in model.model.diffusion_model.blocks:
        block.cross_attn, block.norm3 = NoCrossAttention(), nn.Identity()
    model.size = 0  # ComfyUI counts it anew, without what was taken out
    model.set_attachments(MINIMAX_MARK, asdict(own))
    model.cached_patcher_init = (load_minimax, (path, model_options, own))  # as with CLEAR Nano
    return model


class MiniMaxDenoiser:
    """MiniMax-Remover's MODEL as Denoiser: no prompt, no guidance."""

    def __init__(self, model, own: MiniMaxOptions):
        self.sampling = ComfySampling(model, [[torch.zeros(1, 1, TEXT_WIDTH), {}]], shift=own.shift)
        self.sampler = own.sampler

    def __call__(
        self, noise: Tensor, control: Tensor, sigmas: Tensor, on_step: OnStep | None = None, known: Known | None = None
    ) -> Tensor:
        return self.sampling.sample(noise, control, sigmas, self.sampler, on_step, known)


def minimax_engine(model, vae, positive, negative, cfg: float, options: EngineOptions) -> MiniMaxEngine:
    """Its MODEL and a Wan2.1 VAE as an engine. Raises ClearError where something is missing, does not belong to it, or
    is what it has no use for."""
    if vae is None or isinstance(vae, NanoVAE):
        what = "No VAE is" if vae is None else "CLEAR Nano's VAE is"
        raise ClearError(f"{what} connected. MiniMax-Remover needs Wan2.1's: Load VAE with wan_2.1_vae.safetensors.")
    if positive is not None or negative is not None:
        raise ClearError(
            "MiniMax-Remover takes no prompt: it paints the holes that the mask has. Disconnect positive and negative."
        )
    if cfg != 1:
        raise ClearError(f"cfg is {cfg:g}, but MiniMax-Remover knows no guidance. Set cfg to 1.")
    if getattr(model, "patches", None):
        raise ClearError(
            "There is a LoRA on this MiniMax-Remover. None was made for it, and one for another Wan would only disturb "
            "it: connect the MODEL of Load MiniMax-Remover itself."
        )
    own = MiniMaxOptions(**model.get_attachment(MINIMAX_MARK))
    return MiniMaxEngine(ComfyCodec(vae), MiniMaxDenoiser(model, own), options, own)


def _prompted_parts(blocks: int, like: Tensor) -> dict[str, Tensor]:
    """What ComfyUI's Wan has beyond this model, zero: text embedding, cross-attention and the norm before it."""
    width = like.shape[0]
    shapes: dict[str, tuple[int, ...]] = {
        "text_embedding.0.weight": (width, TEXT_WIDTH),
        "text_embedding.0.bias": (width,),
        "text_embedding.2.weight": (width, width),
        "text_embedding.2.bias": (width,),
    }
    for i in range(blocks):
        block = f"blocks.{i}"
        shapes |= {f"{block}.cross_attn.{part}.weight": (width, width) for part in "qkvo"}
        shapes |= {f"{block}.cross_attn.{part}.bias": (width,) for part in "qkvo"}
        shapes |= {f"{block}.cross_attn.norm_{part}.weight": (width,) for part in "qk"}
        shapes |= {f"{block}.norm3.{part}": (width,) for part in ("weight", "bias")}
    zero = torch.zeros((), dtype=like.dtype)
    # views of one zero: the most of it is taken out again
    return {name: zero.expand(shape) for name, shape in shapes.items()}
