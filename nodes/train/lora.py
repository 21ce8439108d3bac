"""Train CLEAR LoRA: Stage II on the connected MODEL, with curves, an example and the head's mask on the node while it
learns."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import comfy.model_management
import folder_paths
import torch
from comfy_api.latest import io
from torch import Tensor

from ...clear_runtime.catalogue import AUTO
from ...clear_runtime.engines import lora
from ..choices import NO_LORA
from ..comfy.apply_lora import with_lora
from ..comfy.backend import ComfyCodec, model_base, model_shapes, require_pair
from ..comfy.files import CLEAR_FOLDER, full_path, stamp
from ..comfy.live import Teller
from ..comfy.managed import ComfyPrior, passing
from ..comfy.shared_weights import bare_weights, base_weights, embedding, plain, require_trainable, room_to_train
from ..prior import chosen_prior
from . import lora_schema

log = logging.getLogger(__name__)

_WHOLE = 1_000_000  # frames or pixels: more than any clip has


class TrainLoRA(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_TrainLoRA",
            display_name="Train CLEAR LoRA",
            category="CLEAR",
            is_output_node=True,
            hidden=[io.Hidden.unique_id],
            description="Trains a CLEAR LoRA (Stage II of the paper) on your own pairs. Cancel keeps what was learned: "
            "running the node again with the same settings "
            "goes on from there and ends with the same weights. The MODEL that comes out carries the new LoRA.",
            inputs=lora_schema.inputs(),
            outputs=lora_schema.outputs(),
        )

    @classmethod
    def fingerprint_inputs(cls, prior, start, **other):
        return (
            f"{stamp(prior, CLEAR_FOLDER)} {stamp(start, 'loras', CLEAR_FOLDER)} "
            f"{sorted(other.items())}{_gone(**other)}"
        )

    @classmethod
    def execute(cls, model, vae, positive, pairs, prior, name, optimiser, **settings):
        # what trains is imported here and below: ComfyUI's start need not wait for it
        from ...clear_runtime.media.pictures import to_frames
        from ...clear_runtime.train.lora.model import HEAD, LORA, PUBLISHED
        from ...clear_runtime.train.lora.preflight import require_packages
        from ...clear_runtime.train.results import Results

        nano = require_pair(model, vae, positive)
        require_packages(optimiser)
        require_trainable(model)
        context = embedding(positive)
        options = _options(model, nano, optimiser=optimiser, **settings)
        results = Results(_runs(), folder_paths.get_folder_paths("loras"), name, PUBLISHED)
        results.claim()
        with Teller(cls, "Getting ready", keeps=True) as tell:
            session = _trained(results.folder, options, model, vae, context, pairs, chosen_prior(prior), nano, tell)
            curves, example = session.pictures()
            files = results.publish({"base": str(model_base(model)), "control": options.control})
            file = files[LORA]
            tell.say(f"Done: {file.name}")
        log.info("the LoRA is %s", file)
        return io.NodeOutput(
            with_lora(model, lora.read_lora(file), 1.0),
            file.name,
            to_frames(curves),
            to_frames(example),
            f"{pairs}\n{session.latents.changed}\n{session.report()}\nLoRA: {file}\nOcclusion head: {files[HEAD]}\n"
            f"Checkpoints: {results.folder}",
        )


def _runs() -> Path:
    return Path(folder_paths.get_output_directory()) / "CLEAR"


def _gone(name="", steps=0, **_) -> str:
    """Says so when this run is at its end and its LoRA has been deleted since: ComfyUI would hand on what it remembers,
    and no file be there. Empty otherwise, before the first start and after the last, and while a run that was cancelled
    waits to go on."""
    # imported here, as in execute
    from ...clear_runtime.checkpoint import read_metadata
    from ...clear_runtime.train.lora.model import LORA, PUBLISHED
    from ...clear_runtime.train.results import claimed

    folder = _runs() / (name or "")
    if not claimed(folder) or not (folder / LORA).is_file():
        return ""
    at_end = read_metadata(folder / LORA).get("steps") == str(steps)
    return " gone" if at_end and not stamp(PUBLISHED[LORA].format(name), "loras") else ""


def _options(
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
    # imported here, as in execute
    from ...clear_runtime.train.lora.options import TrainOptions

    options = TrainOptions(
        targets=tuple(filter(None, (part.strip() for part in targets.split(",")))),
        crop=(frames or _WHOLE, height or _WHOLE, width or _WHOLE),
        control=("both" if nano else "as is") if control == AUTO else control,
        precision=_precision() if precision == AUTO else precision,
        start=None if start == NO_LORA else full_path(start, "loras", CLEAR_FOLDER),
        example_every=preview_every,
        **same,
    )
    if options.start is None:
        return options
    state = lora.read_lora(options.start)
    lora.require_fit(state, _shapes(model), str(model_base(model)))
    return replace(options, rank=lora.rank(state), targets=lora.targets(state))


def _precision() -> str:
    return (
        "bfloat16" if comfy.model_management.should_use_bf16(comfy.model_management.get_torch_device()) else "float32"
    )


def _shapes(model) -> dict[str, tuple[int, ...]]:
    return {name: shape for name, (_, shape) in model_shapes(model).items()}


def _trained(folder: Path, options, model, vae, context: Tensor, pairs, prior, nano: bool, tell: Teller):
    """The session of a run that is at its end; Cancel leaves through it, with everything kept. The MODEL's weights are
    handed over when the encoders are off the card."""
    # imported here, as in execute
    from ...clear_runtime.checkpoint import fingerprint
    from ...clear_runtime.train.lora.options import DTYPES
    from ...clear_runtime.train.lora.session import BaseHeader, Encoders, LoraSession
    from ...clear_runtime.train.processes import Processes

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
