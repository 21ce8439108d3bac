"""A run of Train CLEAR LoRA: the inputs as the runtime's options, and the MODEL and VAE as what is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import comfy.model_management
import torch
from torch import Tensor

from ...clear_runtime.checkpoint import fingerprint
from ...clear_runtime.engines import lora
from ...clear_runtime.presets import training_control, training_precision
from ...clear_runtime.train.lora.options import DTYPES, LoraOptions
from ...clear_runtime.train.lora.session import BaseHeader, Encoders, LoraSession
from ...clear_runtime.train.processes import Processes
from ..choices import NO_LORA
from ..comfy.backend import ComfyCodec, model_base, model_shapes
from ..comfy.files import CLEAR_FOLDER, full_path
from ..comfy.live import Teller
from ..comfy.managed import ComfyPrior, passing
from ..comfy.shared_weights import bare_weights, base_weights, plain, room_to_train

_WHOLE = 1_000_000  # frames or pixels: more than any clip has


def run_options(
    model,
    nano: bool,
    *,
    targets: str,
    frames: int,
    height: int,
    width: int,
    control: str,
    precision: str,
    start: str,
    preview_every: int,
    **same,
):
    """The runtime's options. same: inputs that are called alike there, and mean the same. Raises ClearError for a LoRA
    to start from that is of another model; rank and targets are its own."""
    options = LoraOptions(
        targets=tuple(filter(None, (part.strip() for part in targets.split(",")))),
        crop=(frames or _WHOLE, height or _WHOLE, width or _WHOLE),
        control=training_control(control, nano),
        precision=training_precision(precision, _computes_in_bfloat16()),
        start=None if start == NO_LORA else full_path(start, "loras", CLEAR_FOLDER),
        example_every=preview_every,
        **same,
    )
    if options.start is None:
        return options
    state = lora.read_lora(options.start)
    lora.require_fit(state, _shapes(model), str(model_base(model)))
    return replace(options, rank=lora.rank(state), targets=lora.targets(state))


def _computes_in_bfloat16() -> bool:
    return comfy.model_management.should_use_bf16(comfy.model_management.get_torch_device())


def _shapes(model) -> dict[str, tuple[int, ...]]:
    return {name: shape for name, (_, shape) in model_shapes(model).items()}


def trained(folder: Path, options, model, vae, context: Tensor, pairs, prior, nano: bool, tell: Teller):
    """The session of a run that is at its end; Cancel leaves through it, with everything kept. The MODEL's weights are
    handed over when the encoders are off the card."""
    dtype, codec, management = DTYPES[options.precision], ComfyCodec(vae), comfy.model_management
    base = BaseHeader(_shapes(model), codec.spatial, codec.temporal, context.shape[1])
    alone = Processes(management.get_torch_device(), alone=True)
    session = LoraSession(options, folder, base, alone, room_to_train(model, dtype), tell.event)
    made_by = f"{fingerprint(vae.first_stage_model.state_dict())} {fingerprint(prior.model.state_dict())}"
    encoders = Encoders(_Cancellable(codec), ComfyPrior(prior), made_by)
    session.encode(pairs, encoders, bare_weights(model), context)
    session.train(
        base_weights(model, dtype),
        context,
        plain(vae.codec.net.gain()) if nano else None,  # how much each of the bundled codec's channels counts
        stopping=management.processing_interrupted,
        decode=decoding(codec, model),
    )
    management.throw_exception_if_processing_interrupted()  # the trainer has saved and ended by itself
    return session


class _Cancellable:
    """A codec that looks at Cancel before each piece of work."""

    def __init__(self, codec):
        self.codec, self.spatial, self.temporal = codec, codec.spatial, codec.temporal

    def encode(self, frames: Tensor) -> Tensor:
        comfy.model_management.throw_exception_if_processing_interrupted()
        return self.codec.encode(frames)


def decoding(codec, model):
    """What shows an example: latents -> frames. The VAE is on the card for that long only, and the MODEL, whose weights
    are being trained on, stays."""

    def decode(latents: Sequence[Tensor]) -> list[Tensor]:
        with torch.inference_mode(), passing(codec.vae.patcher, model):
            return [codec.decode(z) for z in latents]

    return decode
