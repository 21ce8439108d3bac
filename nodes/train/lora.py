"""Train CLEAR LoRA: Stage II on the connected MODEL, with curves, an example and the head's mask on the node while it
learns."""

from __future__ import annotations

import logging
import math
import os
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import comfy.model_management
import comfy.utils
import folder_paths
import torch
from comfy_api.latest import io
from torch import Tensor

from ...clear_runtime.engines import lora
from ...clear_runtime.errors import ClearError
from ..choices import AUTO, BUNDLED, NO_LORA
from ..comfy.apply_lora import with_lora
from ..comfy.backend import ComfyCodec, model_base, model_shapes, require_pair, require_text
from ..comfy.files import CLEAR_FOLDER, full_path, lora_files, prior_files, stamp
from ..comfy.managed import ComfyPrior, passing
from ..comfy.shared_weights import bare_weights, base_weights, require_trainable, room_to_train
from ..prior import chosen_prior
from .pairs import PairsType

log = logging.getLogger(__name__)

_WHOLE = 1_000_000  # frames or pixels: more than any clip has
_PICTURE_EVERY = 1.0  # seconds between two pictures on the node


class TrainLoRA(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        size = {"min": 0, "max": 4096, "step": 16}
        return io.Schema(
            node_id="CLEAR_TrainLoRA",
            display_name="Train CLEAR LoRA",
            category="CLEAR",
            is_output_node=True,
            description="Trains a CLEAR LoRA (Stage II of the paper) on your own pairs. Cancel keeps what was learned: "
            "running the node again with the same settings "
            "goes on from there and ends with the same weights. The MODEL that comes out carries the new LoRA.",
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip="The bare base: Load CLEAR with lora none and weight_dtype bf16, or Load CLEAR Nano with "
                    "strength 0. Not quantised.",
                ),
                io.Vae.Input("vae", tooltip="wan_2.1_vae.safetensors for Wan2.1; Load CLEAR Nano's own for its MODEL."),
                io.Conditioning.Input(
                    "positive", tooltip="From CLEAR Prompt for Wan2.1; from Load CLEAR Nano for its MODEL."
                ),
                PairsType.Input("pairs", tooltip="From Load Training Pairs."),
                io.Combo.Input(
                    "prior",
                    options=[BUNDLED, *prior_files()],
                    default=BUNDLED,
                    tooltip="What says where the subtitles are (M_prior): the prior that comes with the pack, or a "
                    "Stage I file in models/clear.",
                ),
                io.String.Input(
                    "name",
                    default="my_clear",
                    tooltip="The LoRA becomes models/loras/NAME.safetensors; checkpoints go to output/CLEAR/NAME. "
                    "A file that is there already is never overwritten, unless it is this run's own.",
                ),
                io.Int.Input(
                    "steps",
                    default=1000,
                    min=1,
                    max=1_000_000,
                    tooltip="Training steps in all, over every start. More steps under the same name go on from the "
                    "last.",
                ),
                io.Int.Input(
                    "rank",
                    default=64,
                    min=1,
                    max=512,
                    tooltip="Rank of the LoRA; its size grows with it. CLEAR has 64.",
                ),
                io.String.Input(
                    "targets",
                    default="q,k,v,o,ffn.0,ffn.2",
                    tooltip="Layers that the LoRA changes, in every block, with commas between. These are CLEAR's.",
                ),
                io.Float.Input(
                    "rate",
                    default=1e-4,
                    min=1e-7,
                    max=0.1,
                    step=1e-6,
                    round=False,
                    tooltip="Learning rate, no unit. CLEAR has 0.0001.",
                ),
                io.Int.Input(
                    "batch",
                    default=1,
                    min=1,
                    max=64,
                    tooltip="Examples that are computed together. Memory grows with it.",
                ),
                io.Int.Input(
                    "accumulate",
                    default=1,
                    min=1,
                    max=1024,
                    tooltip="Batches before the weights move: as good as a larger batch, without its memory.",
                ),
                io.Int.Input(
                    "frames",
                    default=81,
                    min=0,
                    max=1001,
                    tooltip="Frames of an example, rounded down to 4k + 1. 0, or more than a clip has: the whole clip. "
                    "Memory grows with it.",
                ),
                io.Int.Input(
                    "height",
                    default=480,
                    **size,
                    tooltip="Height of an example in pixels, cut from the clip around the subtitle. 0, or more than a "
                    "clip has: its whole height.",
                ),
                io.Int.Input(
                    "width",
                    default=832,
                    **size,
                    tooltip="Width of an example in pixels. 0, or more than a clip has: its whole width.",
                ),
                io.Combo.Input(
                    "control",
                    options=[AUTO, "as is", "prefilled", "both"],
                    default=AUTO,
                    tooltip="What the model is shown while it learns: the subtitled frames as is (the paper's way), "
                    "with the subtitle filled in beforehand, or each half "
                    "of the time. auto: as is for Wan2.1, both for nano.",
                ),
                io.Combo.Input(
                    "precision",
                    options=[AUTO, "bfloat16", "float32"],
                    default=AUTO,
                    tooltip="Of the frozen weights and the arithmetic; the LoRA itself is float32. auto: bfloat16 "
                    "where the GPU computes in it, float32 elsewhere.",
                ),
                io.Boolean.Input(
                    "checkpointing",
                    default=True,
                    tooltip="Compute each block twice instead of keeping what its gradient needs: a fraction of the "
                    "memory, a third more time.",
                ),
                io.Combo.Input(
                    "optimiser",
                    options=["adamw", "adamw8bit"],
                    default="adamw",
                    tooltip="adamw8bit saves memory and needs the package bitsandbytes.",
                ),
                io.Combo.Input(
                    "start",
                    options=[NO_LORA, *lora_files()],
                    default=NO_LORA,
                    tooltip="A LoRA to train on from, from models/loras or models/clear. Rank and targets are then its "
                    "own.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=2**31 - 1,
                    control_after_generate=False,
                    tooltip="First weights, and order, places and noise of the examples.",
                ),
                io.Int.Input(
                    "preview_every",
                    default=50,
                    min=1,
                    max=100_000,
                    tooltip="Steps between two looks at the example on the node; each costs five sampler steps.",
                ),
            ],
            outputs=[
                io.Model.Output(display_name="MODEL", tooltip="The MODEL with the new LoRA at strength 1."),
                io.String.Output(display_name="lora", tooltip="Name of the LoRA's file in models/loras."),
                io.Image.Output(
                    display_name="curves",
                    tooltip="The loss and its terms, alpha, learning rate and seconds a step, over all starts of this "
                    "run.",
                ),
                io.Image.Output(
                    display_name="example",
                    tooltip="A frame as the model was shown it, as it paints it now, and where it sees the subtitle "
                    "(M_pred).",
                ),
                io.String.Output(
                    display_name="report", tooltip="The clips, what was left out and why, what trained, and the files."
                ),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, prior, start, **other):
        return (
            f"{stamp(prior, CLEAR_FOLDER)} {stamp(start, 'loras', CLEAR_FOLDER)} "
            f"{sorted(other.items())}{_gone(**other)}"
        )

    @classmethod
    def execute(
        cls,
        model,
        vae,
        positive,
        pairs,
        prior,
        name,
        steps,
        rank,
        targets,
        rate,
        batch,
        accumulate,
        frames,
        height,
        width,
        control,
        precision,
        checkpointing,
        optimiser,
        start,
        seed,
        preview_every,
    ):
        nano = require_pair(model, vae, positive)
        from ...clear_runtime.train.lora.preflight import require_packages

        require_packages(optimiser)
        require_trainable(model)
        context = _embedding(positive)
        from ...clear_runtime.train.lora.model import HEAD, LORA, PUBLISHED
        from ...clear_runtime.train.lora.options import TrainOptions
        from ...clear_runtime.train.results import Results

        start = None if start == NO_LORA else full_path(start, "loras", CLEAR_FOLDER)
        options = TrainOptions(
            steps=steps,
            rate=rate,
            rank=rank,
            targets=tuple(filter(None, (part.strip() for part in targets.split(",")))),
            batch=batch,
            accumulate=accumulate,
            crop=(frames or _WHOLE, height or _WHOLE, width or _WHOLE),
            checkpointing=checkpointing,
            optimiser=optimiser,
            control=("both" if nano else "as is") if control == AUTO else control,
            precision=_precision() if precision == AUTO else precision,
            start=start,
            seed=seed,
            example_every=preview_every,
        )
        if start is not None:
            options = _as_started(options, model)
        results = Results(
            Path(folder_paths.get_output_directory()) / "CLEAR", folder_paths.get_folder_paths("loras"), name, PUBLISHED
        )
        results.claim()
        codec = ComfyCodec(vae)
        needed = _preflight(options, model, codec, pairs, context, results.folder)
        gain = _normal(vae.codec.net.gain()) if nano else None  # how much each of the bundled codec's channels counts
        latents = _encode(results.folder, pairs, codec, chosen_prior(prior), vae, options, bare_weights(model), context)
        session = _Session(results, codec, options)
        report = session.train(model, latents, context, gain, needed)
        files = results.publish({"base": str(model_base(model)), "control": options.control})
        file = files[LORA]
        log.info("the LoRA is %s", file)
        return io.NodeOutput(
            with_lora(model, lora.read_lora(file), 1.0),
            file.name,
            session.curves(),
            session.example(),
            f"{pairs}\n{latents.changed}\n{report}\nLoRA: {file}\nOcclusion head: {files[HEAD]}\nCheckpoints: "
            f"{results.folder}",
        )


def _gone(name="", steps=0, **_) -> str:
    """Says so when this run is at its end and its LoRA has been deleted since: ComfyUI would hand on what it remembers,
    and no file be there. Empty otherwise, before the first start and after the last, and while a run that was cancelled
    waits to go on."""
    from ...clear_runtime.checkpoint import read_metadata
    from ...clear_runtime.train.lora.model import LORA, PUBLISHED

    folder = Path(folder_paths.get_output_directory()) / "CLEAR" / (name or "")
    if not (folder / "run.json").is_file() or not (folder / LORA).is_file():
        return ""
    at_end = read_metadata(folder / LORA).get("steps") == str(steps)
    there = any(
        (Path(loras) / PUBLISHED[LORA].format(name)).is_file() for loras in folder_paths.get_folder_paths("loras")
    )
    return " gone" if at_end and not there else ""


def _embedding(positive) -> Tensor:
    """The prompt's embedding [1, n, 4096] of a CONDITIONING of one entry."""
    if len(positive) != 1 or positive[0][0].ndim != 3 or len(positive[0][0]) != 1:
        raise ClearError(
            "This CONDITIONING holds several prompts; CLEAR is trained with one. Connect CLEAR Prompt, or Load CLEAR "
            "Nano's for its MODEL."
        )
    require_text(positive)
    return _normal(positive[0][0])


def _normal(tensor: Tensor) -> Tensor:
    """A copy on the CPU, made outside inference mode."""
    with torch.inference_mode(False):
        return tensor.float().cpu().clone()


def _precision() -> str:
    return (
        "bfloat16" if comfy.model_management.should_use_bf16(comfy.model_management.get_torch_device()) else "float32"
    )


def _as_started(options, model):
    """The options with rank and targets of the LoRA that is trained on. Raises ClearError when it is of another
    model."""
    state = lora.read_lora(options.start)
    lora.require_fit(state, _shapes(model), str(model_base(model)))
    return replace(options, rank=lora.rank(state), targets=lora.targets(state))


def _shapes(model) -> dict[str, tuple[int, ...]]:
    return {name: shape for name, (_, shape) in model_shapes(model).items()}


def _preflight(options, model, codec, pairs, context: Tensor, folder: Path):
    """What the run needs of memory. Raises ClearError for whatever can be known to fail before the pairs are
    encoded."""
    from ...clear_runtime.train.lora.cache import largest_example
    from ...clear_runtime.train.lora.options import DTYPES
    from ...clear_runtime.train.lora.preflight import preflight

    room = room_to_train(model, DTYPES[options.precision])
    size = largest_example(options.crop, pairs.sizes, codec.spatial, codec.temporal)
    return preflight(
        options, _shapes(model), size, context.shape[1], comfy.model_management.get_torch_device(), room, codec.spatial
    )


class _Cancellable:
    """A codec that looks at Cancel before each piece of work."""

    def __init__(self, codec):
        self.codec, self.spatial, self.temporal = codec, codec.spatial, codec.temporal

    def encode(self, frames: Tensor) -> Tensor:
        comfy.model_management.throw_exception_if_processing_interrupted()
        return self.codec.encode(frames)


def _encode(folder: Path, pairs, codec, prior, vae, options, base, context: Tensor):
    """The pairs as latents on disk, encoding what is not there yet; Cancel keeps what is encoded. Raises ClearError
    first, for a folder with another run or in use."""
    from ...clear_runtime.checkpoint import fingerprint
    from ...clear_runtime.train.folder_lock import locked_folder
    from ...clear_runtime.train.lora.cache import LatentClips, clip_files, encode_clips
    from ...clear_runtime.train.lora.run import require_same_run

    bar = comfy.utils.ProgressBar(len(pairs.identities))
    made_by = f"{fingerprint(vae.first_stage_model.state_dict())} {fingerprint(prior.model.state_dict())}"
    require_same_run(options, base, context, folder, clip_files(folder / "latents", pairs, made_by))
    with locked_folder(folder):
        paths = encode_clips(
            folder / "latents", pairs, _Cancellable(codec), ComfyPrior(prior), made_by, bar.update_absolute
        )
    return LatentClips(
        paths,
        codec.spatial,
        options.crop,
        options.control,
        options.seed,
        options.sampler_steps,
        options.at_steps,
        codec.temporal,
        options.batch,
        pairs.held_back,
    )


class _Session:
    """One start of a run: trains, and keeps what the node shows."""

    def __init__(self, results, codec, options):
        from PIL import Image

        from ...clear_runtime.train.history import History

        self.folder, self.codec, self.options, self.sent = results.folder, codec, options, 0.0
        self.history, self.figures = History(results.folder), None
        self.shown = results.folder / "example.png"  # of an earlier start, until there is a newer one
        self.panel = Image.open(self.shown).convert("RGB") if self.shown.exists() else None

    def train(self, model, latents, context: Tensor, gain: Tensor | None, needed) -> str:
        """To the end, or to Cancel. needed: the estimate. Returns what there is to say about it."""
        from ...clear_runtime.train.lora.options import DTYPES
        from ...clear_runtime.train.lora.train import train
        from ...clear_runtime.train.processes import Processes
        from ...clear_runtime.train.results import made_elsewhere

        device = comfy.model_management.get_torch_device()
        weights = base_weights(model, DTYPES[self.options.precision])
        self._count(self.history.rows[-1]["step"] if self.history.rows else 0, needed.share)
        bar = comfy.utils.ProgressBar(self.options.steps)
        # nodes run under inference mode, whose tensors autograd refuses: what is trained must not be made in it
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            closing(
                train(
                    self.options,
                    weights,
                    latents,
                    context,
                    self.folder,
                    Processes(device, alone=True),
                    gain=gain,
                    stopping=comfy.model_management.processing_interrupted,
                )
            ) as steps,
        ):
            for progress in steps:
                self.history.add(progress)
                self._count(progress.step, needed.share, progress)
                if progress.example is not None:
                    self._look(progress.example, model)
                bar.update_absolute(progress.step, progress.steps, self._picture(progress))
        comfy.model_management.throw_exception_if_processing_interrupted()  # the trainer has saved and ended by itself
        if self.panel is None or not self.history.rows:
            raise made_elsewhere(self.folder, "Ask for more steps, or choose another name.")
        return (
            f"Examples of {latents.sizes_in_words()}, control {self.options.control}, "
            f"{self.options.precision}\n{needed}\n\n"
            f"{len(self.history.rows)} steps: {self._ends()}"
        )

    def _ends(self) -> str:
        """The loss at both ends of the run, of the steps that had one."""
        losses = [loss for loss in self.history.columns()["total"] if math.isfinite(loss)]
        return (
            f"loss {losses[0]:.4f} at the first, {losses[-1]:.4f} at the last"
            if losses
            else "the loss was no finite number at any of them"
        )

    def curves(self) -> Tensor:
        from ...clear_runtime.media.pictures import to_frames
        from ...clear_runtime.train.lora import pictures

        return to_frames(pictures.curves(self.history.columns(), self.figures))

    def example(self) -> Tensor:
        from ...clear_runtime.media.pictures import to_frames

        return to_frames(self.panel)

    def _count(self, step: int, share: float, progress=None) -> None:
        from ...clear_runtime.train.lora.memory import memory_used
        from ...clear_runtime.train.lora.pictures import Figures

        memory = progress.memory if progress else memory_used(comfy.model_management.get_torch_device())
        self.figures = Figures(
            step,
            self.options.steps,
            progress.left if progress else 0.0,
            memory,
            progress.skipped if progress else 0,
            share,
        )

    def _look(self, example, model) -> None:
        """Decode the latent frame with the most subtitle, and keep the panel on disk. The VAE is on the card for that
        long only, and the MODEL, whose weights are being trained on, stays."""
        from ...clear_runtime.train.lora.pictures import example_panel, most_subtitle

        t, part = most_subtitle(example.m_prior)
        with torch.inference_mode(), passing(self.codec.vae.patcher, model):
            before, after = (self.codec.decode(z[:, :, part])[-1] for z in (example.subtitled, example.result))
        self.panel = example_panel(before, after, example.m_pred[t])
        partial = self.shown.with_suffix(".partial")
        self.panel.save(partial, "PNG")
        os.replace(partial, self.shown)

    def _picture(self, progress):
        from ...clear_runtime.media.pictures import stacked
        from ...clear_runtime.train.lora import pictures

        now = time.monotonic()
        if self.panel is None or (progress.example is None and now - self.sent < _PICTURE_EVERY):
            return None
        self.sent = now
        return "JPEG", stacked([pictures.curves(self.history.columns(), self.figures), self.panel]), None
