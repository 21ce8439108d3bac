"""What the pipeline asks of a denoiser, and DiffSynth's Wan with PEFT's LoRA as one, for use without ComfyUI."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

from ..errors import ClearError
from ..wan import CLIP_VISION_SHAPE, HEAD_WIDTH, NORM_EPS, TIMESTEPS
from . import lora as lora_files
from .base_model import describe_base
from .options import EULER
from .sampling import Known, OnStep, sample


class Denoiser(Protocol):
    """Noise to clean latents for one window."""

    def __call__(
        self, noise: Tensor, control: Tensor, sigmas: Tensor, on_step: OnStep | None = None, known: Known | None = None
    ) -> Tensor:
        """noise [1, 16, t, h, w] and control [1, c, t, h, w], with as many channels as this network is shown, in model
        space, float32 on the CPU; sigmas 1-D, descending to 0; known: as sampling.sample has it. Returns latents of the
        noise's shape."""
        ...


def control_condition(control: Tensor) -> Tensor:
    """Control latents [1, 16, t, h, w] -> Fun-Control's 32 further channels: the control, then 16 that are zero in
    model space."""
    return torch.cat([control, torch.zeros_like(control)], 1)


class DiffSynthDenoiser:
    """A DiffSynth WanModel as Denoiser: Euler steps over the given sigmas, classifier-free guidance where cfg is not 1.

    Takes noise and control on any device. context and negative: text embeddings [1, tokens, 4096]. Raises ClearError
    for cfg != 1 without a negative.
    """

    def __init__(
        self,
        model: nn.Module,
        context: Tensor,
        cfg: float = 1.0,
        negative: Tensor | None = None,
        device: str | torch.device = "cpu",
    ):
        if cfg != 1.0 and negative is None:
            raise ClearError(f"cfg {cfg:g} needs a negative prompt's embedding. Give one, or set cfg to 1.")
        self.model, self.cfg, self.device = model.eval().to(device), cfg, torch.device(device)
        self.dtype = next(model.parameters()).dtype
        self.context, self.negative = self._ready(context), None if cfg == 1.0 else self._ready(negative)

    @classmethod
    def from_state(
        cls,
        state: Mapping[str, Tensor],
        context: Tensor,
        lora: Mapping[str, Tensor] | None = None,
        strength: float = 1.0,
        dtype: torch.dtype = torch.float32,
        **options,
    ) -> DiffSynthDenoiser:
        """From a Fun-Control state dict in DiffSynth's names, with a normalised LoRA (see lora.py) at a strength."""
        model = wan_model(state).to(dtype)
        if lora is not None:
            inject_lora(model, lora, strength)
        return cls(model, context, **options)

    @torch.inference_mode()
    def __call__(
        self, noise: Tensor, control: Tensor, sigmas: Tensor, on_step: OnStep | None = None, known: Known | None = None
    ) -> Tensor:
        condition = self._ready(control_condition(control))
        velocity = lambda x, sigma: self._velocity(x, sigma, condition)
        return sample(velocity, noise.float().cpu(), sigmas, EULER, known, on_step)

    def _velocity(self, x: Tensor, sigma: float, condition: Tensor) -> Tensor:
        positive = self._predict(x, sigma, condition, self.context)
        if self.negative is None:
            return positive
        negative = self._predict(x, sigma, condition, self.negative)
        return negative + self.cfg * (positive - negative)

    def _predict(self, x: Tensor, sigma: float, condition: Tensor, context: Tensor) -> Tensor:
        # takes seconds to import, and ComfyUI goes without it
        from diffsynth.pipelines.wan_video import model_fn_wan_video

        timestep = torch.tensor([TIMESTEPS * sigma], dtype=self.dtype, device=self.device)
        clip = torch.zeros(CLIP_VISION_SHAPE, dtype=self.dtype, device=self.device)
        with own_attention():
            return (
                model_fn_wan_video(
                    self.model,
                    latents=self._ready(x),
                    timestep=timestep,
                    context=context,
                    clip_feature=clip,
                    y=condition,
                )
                .float()
                .cpu()
            )

    def _ready(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, self.dtype)


def wan_model(state: Mapping[str, Tensor]) -> nn.Module:
    """DiffSynth's WanModel around these very tensors, not copies; its dimensions are read from their shapes. Raises
    ClearError for another base."""
    # takes seconds to import, and ComfyUI goes without it
    from diffsynth.models.wan_video_dit import WanModel, precompute_freqs_cis_3d

    shapes = {name: tuple(value.shape) for name, value in state.items()}
    base = describe_base(shapes)
    patch, head = shapes["patch_embedding.weight"], shapes["head.head.weight"]
    with torch.device("meta"):
        model = WanModel(
            dim=base.width,
            in_dim=patch[1],
            out_dim=head[0] // (patch[2] * patch[3] * patch[4]),
            patch_size=patch[2:],
            ffn_dim=shapes["blocks.0.ffn.0.weight"][0],
            text_dim=shapes["text_embedding.0.weight"][1],
            freq_dim=shapes["time_embedding.0.weight"][1],
            num_heads=base.width // HEAD_WIDTH,
            num_layers=base.blocks,
            eps=NORM_EPS,
            has_image_input=True,
            has_ref_conv=base.ref_conv,
        )
    model.load_state_dict(dict(state), assign=True)
    model.freqs = precompute_freqs_cis_3d(HEAD_WIDTH)  # not a buffer, so that it was left on "meta"
    return model


@contextmanager
def own_attention() -> Iterator[None]:
    """Inside, DiffSynth's Wan computes attention with torch's own kernels, on the way back too.

    By itself it takes FlashAttention or SageAttention where one is installed: neither has float32 or runs on a CPU, and
    the second has no gradient, so that most of a LoRA would learn nothing, in silence.
    """
    # takes seconds to import, and ComfyUI goes without it
    from diffsynth.models import wan_video_dit

    theirs = wan_video_dit.flash_attention
    wan_video_dit.flash_attention = partial(theirs, compatibility_mode=True)
    try:
        yield
    finally:
        wan_video_dit.flash_attention = theirs


def inject_lora(model: nn.Module, state: Mapping[str, Tensor], strength: float = 1.0) -> None:
    """Put a normalised LoRA into the model through PEFT, in place. Raises ClearError unless every pair finds its
    layer."""
    # takes seconds to import, and ComfyUI goes without it
    from peft import LoraConfig, inject_adapter_in_model

    lora_files.require_fit(state, {name: tuple(value.shape) for name, value in model.named_parameters()})
    targets = lora_files.modules(state)
    ranks = {re.escape(module): state[f"{module}.lora_A.weight"].shape[0] for module in targets}
    # alpha equals the rank everywhere, because normalised tensors carry their scale already
    inject_adapter_in_model(
        LoraConfig(
            r=lora_files.rank(state),
            lora_alpha=lora_files.rank(state),
            target_modules=targets,
            rank_pattern=ranks,
            alpha_pattern=ranks,
        ),
        model,
    )
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in lora_files.to_peft(state).items():
            parameters[name].copy_(value * strength if ".lora_B." in name else value)
