"""The inputs and outputs of Train CLEAR LoRA."""

from __future__ import annotations

from comfy_api.latest import io

from ..choices import AUTO, BUNDLED, NO_LORA
from ..comfy.files import lora_files, prior_files
from .pairs import PairsType


def inputs() -> list:
    return [*_sources(), *_lora(), *_examples(), *_arithmetic()]


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


def _lora() -> list:
    """The LoRA and its steps."""
    return [
        io.Int.Input(
            "steps",
            default=1000,
            min=1,
            max=1_000_000,
            tooltip="Training steps in all, over every start. More steps under the same name go on from the last.",
        ),
        io.Int.Input(
            "rank", default=64, min=1, max=512, tooltip="Rank of the LoRA; its size grows with it. CLEAR has 64."
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
            "batch", default=1, min=1, max=64, tooltip="Examples that are computed together. Memory grows with it."
        ),
        io.Int.Input(
            "accumulate",
            default=1,
            min=1,
            max=1024,
            tooltip="Batches before the weights move: as good as a larger batch, without its memory.",
        ),
    ]


def _examples() -> list:
    """What an example is."""
    size = {"min": 0, "max": 4096, "step": 16}
    return [
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
    ]


def _arithmetic() -> list:
    """How it is computed, where it starts, and what is shown."""
    return [
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
            tooltip="A LoRA to train on from, from models/loras or models/clear. Rank and targets are then its own.",
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
    ]
