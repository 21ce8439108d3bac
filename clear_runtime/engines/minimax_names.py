"""MiniMax-Remover's weights: Wan's names for them, whichever of its two files they are from, and what else a file is.

The community's file (`Wan2_1-MiniMaxRemover_1_3B_fp16.safetensors`) has Wan's own names; the original
(`zibojia/minimax-remover`, transformer/) has diffusers'. Both are a Wan2.1 of 1.3B without text and without
cross-attention, whose first layer takes 48 channels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from ..errors import ClearError
from ..wan import CHANNELS
from .base_model import is_wan, kind_of_wan, other_model, whole_blocks
from .lora_names import AROUND, INSIDE, layer_of

Value = TypeVar("Value")

NEEDED = (
    "MiniMax-Remover is the community's Wan2_1-MiniMaxRemover_1_3B_fp16.safetensors, or the transformer's "
    "diffusion_pytorch_model.safetensors of zibojia/minimax-remover; put one into models/diffusion_models"
)
_PREFIXES = ("model.diffusion_model.", "diffusion_model.", "model.")
_AROUND = (
    "patch_embedding.weight",
    "time_embedding.0.weight",
    "time_embedding.2.weight",
    "time_projection.1.weight",
    "head.head.weight",
    "head.modulation",
)
_END = re.compile(r"\.(weight|bias)$")


def wan_names(state: Mapping[str, Value]) -> dict[str, Value]:
    """The same tensors, or shapes, under Wan's own names. What is no layer of it keeps its name."""
    return {_wan_name(name): value for name, value in state.items()}


def original_names(state: Mapping[str, Value]) -> dict[str, Value]:
    """Weights in Wan's names under those of the original file."""
    return {_original_name(name): value for name, value in state.items()}


def require_remover(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """The number of blocks of a MiniMax-Remover with these shapes, in Wan's names. Raises ClearError that names what
    else they are, or what is missing."""
    if not is_wan(shapes):
        raise ClearError(f"This is {other_model(shapes)}. {NEEDED}.")
    width, channels = shapes["patch_embedding.weight"][:2]
    what = kind_of_wan(shapes)
    prompted = any(name.startswith("text_embedding.") or ".cross_attn." in name for name in shapes)
    if what is None and prompted:
        control = channels == 3 * CHANNELS and any(name.startswith("img_emb.") for name in shapes)
        what = "Wan2.1 Fun-Control, which Load CLEAR takes" if control else "a Wan model that takes a prompt"
    elif what is None and channels != 3 * CHANNELS:  # noise, the frames with holes, and the holes
        what = f"a Wan model of another kind ({channels} input channels)"
    if what is not None:
        raise ClearError(f"This is {what}. {NEEDED}.")
    return whole_blocks(shapes, _AROUND, "MiniMax-Remover")


def _wan_name(name: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    layer = _END.sub("", name)
    return layer_of(layer) + name[len(layer) :]


def _original_name(name: str) -> str:
    layer = _END.sub("", name)
    if block := re.fullmatch(r"blocks\.(\d+)\.(.+)", layer):
        theirs = f"blocks.{block[1]}.{INSIDE[block[2]]}"
    else:
        theirs = AROUND[layer]
    return theirs + name[len(layer) :]
