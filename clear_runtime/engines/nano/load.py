"""Read the bundled weights."""

import json
from pathlib import Path

import torch
from torch import Tensor

from ...checkpoint import read_metadata, read_tensors
from ...wan import TEXT_WIDTH
from ...weights import FOLDER
from ..lora import read_lora
from .codec import NanoCodec, NanoCodecNet


def read(path: Path) -> dict[str, Tensor]:
    """Tensors of a file as the bundled ones are. Constant tensors are stored as their shape and value alone
    (store.save_fp16)."""
    tensors, constants = dict(read_tensors(path)), json.loads(read_metadata(path).get("constants", "{}"))
    for key, (shape, value) in constants.items():
        tensors[key] = torch.full(shape, value, dtype=torch.float16)
    return tensors


def transformer_state_dict() -> dict[str, Tensor]:
    """The base model, float16, in DiffSynth's names: a Wan2.1 Fun-Control transformer of width 256, without the
    LoRA."""
    return read(FOLDER / "nano_transformer.safetensors")


def lora_state() -> dict[str, Tensor]:
    """The CLEAR LoRA of the base model, float16, normalised (clear_runtime.engines.lora)."""
    return read_lora(FOLDER / "nano_lora.safetensors")


def prompt_embedding() -> Tensor:
    """What the base model takes as the prompt's embedding, [1, 1, 4096]: it holds its one prompt itself
    (transformer.py)."""
    return torch.zeros(1, 1, TEXT_WIDTH)


def load_bundled_codec(device: str | torch.device = "cpu") -> NanoCodec:
    net = NanoCodecNet()
    net.load_state_dict({k: v.float() for k, v in read(FOLDER / "nano_codec.safetensors").items()})
    return NanoCodec(net, device)
