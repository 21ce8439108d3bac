"""The inputs and outputs of Train CLEAR LoRA."""

from __future__ import annotations

from comfy_api.latest import io

from ...clear_runtime.catalogue import TRAIN_LORA
from ..choices import BUNDLED, NO_LORA
from ..comfy.files import lora_files, prior_files
from ..comfy.inputs import OptionInputs
from .pairs import PairsType


def inputs() -> list:
    options = OptionInputs(TRAIN_LORA)
    return [
        *_sources(),
        *options.take("steps", "rank", "targets", "rate", "batch", "accumulate", "frames", "height", "width"),
        *options.take("control", "precision", "checkpointing", "optimiser"),
        io.Combo.Input(
            "start",
            options=[NO_LORA, *lora_files()],
            default=NO_LORA,
            tooltip="A LoRA to train on from, from models/loras or models/clear. Rank and targets are then its own.",
        ),
        *options.take("seed", "preview_every"),
        *options.rest(),
    ]


def outputs() -> list:
    return [
        io.Model.Output(display_name="MODEL", tooltip="The MODEL with the new LoRA at strength 1."),
        io.String.Output(display_name="lora", tooltip="Name of the LoRA's file in models/loras."),
        io.Image.Output(
            display_name="curves",
            tooltip="The loss and its terms, alpha, learning rate and seconds a step, over all starts of this run.",
        ),
        io.Image.Output(
            display_name="example",
            tooltip="A frame as the model was shown it, as it paints it now, and where it sees the subtitle (M_pred).",
        ),
        io.String.Output(
            display_name="report", tooltip="The clips, what was left out and why, what trained, and the files."
        ),
    ]


def _sources() -> list:
    """What is trained on, and where it goes."""
    return [
        io.Model.Input(
            "model",
            tooltip="The bare base: Load CLEAR with lora none and weight_dtype bf16, or Load CLEAR Nano with "
            "strength 0. Not quantised.",
        ),
        io.Vae.Input("vae", tooltip="wan_2.1_vae.safetensors for Wan2.1; Load CLEAR Nano's own for its MODEL."),
        io.Conditioning.Input("positive", tooltip="From CLEAR Prompt for Wan2.1; from Load CLEAR Nano for its MODEL."),
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
    ]
