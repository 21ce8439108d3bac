"""A MODEL's frozen weights, and a prompt's embedding, as tensors that autograd takes."""

from __future__ import annotations

from collections import Counter

import comfy.model_management
import torch
from torch import Tensor

from ...clear_runtime.errors import ClearError
from .backend import model_base, model_shapes, require_text

_PLAIN = (torch.float32, torch.bfloat16, torch.float16)
_REMEDY = (
    "Load the base with Load CLEAR, weight_dtype bf16 and lora none, from the file that is not quantised "
    "(Wan2.1-Fun-V1.1-1.3B-Control)"
)


def require_trainable(model) -> None:
    """Raise ClearError unless this is a Fun-Control base with plain weights and no LoRA on them."""
    model_base(model)
    if model.patches:
        raise ClearError(
            f"This MODEL carries patches on {len(model.patches)} of its weights, a LoRA most likely. A LoRA is "
            "trained on the bare base: set Load CLEAR's lora to none, or Load CLEAR Nano's strength to 0. To train "
            "on from a LoRA, choose its file in start."
        )
    kinds = Counter(_kind(weight) for weight in model.model.diffusion_model.parameters())
    strange = [f"{count} of {kind}" for kind, count in kinds.items() if kind not in map(str, _PLAIN)]
    if strange:
        raise ClearError(
            f"This MODEL's weights are quantised ({', '.join(strange)}), and what was rounded away is missing when a "
            f"LoRA learns against it. {_REMEDY}."
        )


def room_to_train(model, dtype: torch.dtype) -> int:
    """Bytes that a training in `dtype` may take of the device, its frozen weights among them. Everything else is taken
    off it first."""
    comfy.model_management.unload_all_models()
    device = comfy.model_management.get_torch_device()
    there = sum(
        weight.numel() * weight.element_size()
        for weight in model.model.diffusion_model.parameters()
        if weight.device == device and weight.dtype == dtype
    )
    return comfy.model_management.get_free_memory(device) + there


def bare_weights(model) -> dict[str, Tensor]:
    """The MODEL's own parameters by their names in the file, wherever they are now."""
    network = dict(model.model.diffusion_model.named_parameters())
    return {name: network[actual] for name, (actual, _) in model_shapes(model).items()}


def base_weights(model, dtype: torch.dtype) -> dict[str, Tensor]:
    """The MODEL's weights by their names in the file, without a copy, as tensors that autograd takes.

    ComfyUI makes a MODEL's weights under inference mode, and autograd refuses such tensors; each one here is a new
    tensor over the same memory. Where the training computes in their own number format `dtype`, the MODEL is brought to
    its device first, so that they are shared there; otherwise, and under ComfyUI's dynamic loading, which has no such
    place, they stay in RAM, from where the trainer makes its own copy. Either way, what other clones of the MODEL had
    patched onto the weights is taken off before they are read.
    """
    comfy.model_management.unload_all_models()
    if not _dynamic(model) and _mostly(model.model.diffusion_model, dtype):
        comfy.model_management.load_models_gpu([model], force_full_load=True)
    own = bare_weights(model)
    absent = [name for name, weight in own.items() if weight.is_meta]
    if absent:
        raise ClearError(f"{len(absent)} weights of this MODEL are not in memory (first {absent[0]}). {_REMEDY}.")
    with torch.inference_mode(False):
        return {name: _view(weight) for name, weight in own.items()}


def embedding(positive) -> Tensor:
    """The prompt's embedding [1, n, 4096] of a CONDITIONING of one entry. Raises ClearError for another one."""
    if len(positive) != 1 or positive[0][0].ndim != 3 or len(positive[0][0]) != 1:
        raise ClearError(
            "This CONDITIONING holds several prompts; CLEAR is trained with one. Connect CLEAR Prompt, or Load CLEAR "
            "Nano's for its MODEL."
        )
    require_text(positive)
    return plain(positive[0][0])


def plain(tensor: Tensor) -> Tensor:
    """A copy on the CPU, made outside inference mode."""
    with torch.inference_mode(False):
        return tensor.float().cpu().clone()


def _dynamic(model) -> bool:
    """Whether ComfyUI pages this MODEL's weights in while it computes (since 0.16)."""
    return hasattr(model, "is_dynamic") and model.is_dynamic()


def _mostly(network: torch.nn.Module, dtype: torch.dtype) -> bool:
    sizes = [(weight.numel(), weight.dtype == dtype) for weight in network.parameters()]
    return 2 * sum(size for size, same in sizes if same) > sum(size for size, _ in sizes)


def _kind(weight: Tensor) -> str:
    """The number format, or the class of a weight that is none of torch's own (GGUF's, ComfyUI's quantised tensors)."""
    data = type(weight.data)
    return str(weight.dtype) if data in (Tensor, torch.nn.Parameter) else data.__name__


def _view(weight: Tensor) -> Tensor:
    new = torch.empty(0, dtype=weight.dtype, device=weight.device)
    return new.set_(weight.untyped_storage(), weight.storage_offset(), weight.size(), weight.stride())
