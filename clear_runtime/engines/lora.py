"""CLEAR's LoRA files: read every style that occurs, keep one set of names, hand them on in ComfyUI's or PEFT's.

Normalised names are `LAYER.lora_A.weight` [rank, in] and `LAYER.lora_B.weight` [out, rank] with LAYER as in the base's
own state dict (`blocks.0.self_attn.q`). The scale alpha / rank is multiplied into lora_B, so that the weight's change
is strength * lora_B @ lora_A. What else a file may hold keeps its word behind the layer (lora_names.py), for ComfyUI to
apply: `LAYER.diff`, `LAYER.diff_b`, `LAYER.hada_w1_a` ..., with `LAYER.alpha` where that is no pair's.
"""

import logging
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoint import read_tensors, write_tensors
from ..errors import ClearError
from .base_model import WIDTHS
from .lora_names import part_of
from .lora_shapes import changes_of, fits

log = logging.getLogger(__name__)

WRAPPERS = ("model_state_dict", "dit_state_dict", "lora_state_dict", "state_dict")
"""Keys under which checkpoints keep their tensors; the released one uses the first."""
PAIR = ("lora_A", "lora_B")
_PLAIN = (torch.float32, torch.float16, torch.bfloat16)
_SCALES = ("scale_weight", "weight_scale", "input_scale", "scaled_fp8")
_STRANGE = ("lora", "dora", "magnitude", "oft_", "glora", "loha", "lokr", "hada_", *_SCALES)
"""Words in the names of tensors that belong to a change of a layer, though it is not known how."""
_OF_TEXT = ("lora_te", "text_encoder", "te.", "te1.", "te2.", "conditioner.", "cond_stage_model.")
"""How layers of a text encoder are called in LoRA files."""


def read_lora(path: str | Path, pairs_only: bool = True) -> dict[str, Tensor]:
    """A LoRA file as normalised names to tensors on the CPU. Raises ClearError for anything else than a whole LoRA, and
    where it holds more than pairs, unless that may be (ComfyUI's own loader applies it).

    The tensors are copies: those of a `.safetensors` are the mapped file itself, which Windows does not let anyone
    replace as long as they live, and training writes its LoRA anew with every checkpoint.
    """
    return {name: value.clone() for name, value in normalise(read_tensors(path), Path(path).name, pairs_only).items()}


def normalise(content: Mapping, source: str = "this checkpoint", pairs_only: bool = True) -> dict[str, Tensor]:
    """A checkpoint in any of the known styles, already in memory, as normalised names to tensors."""
    for key in WRAPPERS:
        if isinstance(content.get(key), Mapping):
            content = content[key]
            break
    state = _checked(_by_layer(content, source), source)
    further = [name for name in state if not name.endswith((".lora_A.weight", ".lora_B.weight"))]
    if pairs_only and further:
        raise ClearError(
            f"{source} holds {len(further)} tensors beside LoRA pairs ({_some(further)}). Load CLEAR and Apply CLEAR "
            "LoRA apply them through ComfyUI; here, where a LoRA is trained on from or runs without ComfyUI, only "
            "pairs can be used."
        )
    return state


def write_lora(path: str | Path, state: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write normalised tensors as a `.safetensors` in ComfyUI's names, which read_lora and ComfyUI's LoRA loader
    read."""
    write_tensors(path, to_comfy(state), metadata)


def modules(state: Mapping[str, Tensor]) -> list[str]:
    """The modules that a normalised LoRA changes, in the file's order."""
    return [name[: -len(".lora_A.weight")] for name in state if name.endswith(".lora_A.weight")]


def targets(state: Mapping[str, Tensor]) -> tuple[str, ...]:
    """The layers of a block that a normalised LoRA changes, in the file's order: modules without `blocks.N.`, each
    once."""
    return tuple(dict.fromkeys(module.split(".", 2)[-1] for module in modules(state)))


def rank(state: Mapping[str, Tensor]) -> int:
    """The largest rank among the pairs."""
    return max(state[f"{module}.lora_A.weight"].shape[0] for module in modules(state))


def to_comfy(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Normalised names -> ComfyUI's `diffusion_model.MODULE.lora_A.weight`."""
    return {f"diffusion_model.{name}": value for name, value in state.items()}


def to_peft(state: Mapping[str, Tensor], adapter: str = "default") -> dict[str, Tensor]:
    """Normalised names -> PEFT's parameter names in an injected model, `MODULE.lora_A.ADAPTER.weight`."""
    return {f"{name.removesuffix('.weight')}.{adapter}.weight": value for name, value in state.items()}


def require_fit(state: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]], base: str = "this model") -> None:
    """Raise ClearError unless every change finds its weight or bias in a base with these shapes (names without prefix).

    The message counts the layers that are not there and those of another size, with an example of each.
    """
    absent, unequal = [], []
    changes = changes_of(state)
    for change in changes:
        weight = shapes.get(change.target)
        if weight is None:
            absent.append(change.layer)
        elif not fits(change, weight):
            sizes = ("x".join(map(str, size)) for size in (change.shape, weight))
            unequal.append(f"{change.layer}: {' in the LoRA, '.join(sizes)} in the model")
    if absent or unequal:
        of_text = [layer for layer in absent if layer.startswith(_OF_TEXT)]
        reasons = [f"{len(absent)} name a layer that is not there ({_some(absent)})"] if absent else []
        reasons += [f"{len(of_text)} of these are a text encoder's, which is not changed here"] if of_text else []
        reasons += [f"{len(unequal)} have another size ({_some(unequal)})"] if unequal else []
        width = next((change.shape[0] for change in changes if change.layer.endswith("self_attn.q")), 0)
        if unequal and width in WIDTHS:
            reasons.append(f"it is {width} wide, as one for {WIDTHS[width]} is")
        raise ClearError(
            f"This LoRA was not made for {base}: {len(absent) + len(unequal)} of its {len(changes)} layers do not "
            f"fit; {'; '.join(reasons)}. Choose the base it was trained on (CLEAR: Wan2.1-Fun-V1.1-1.3B-Control), or "
            "another LoRA."
        )


def _by_layer(content: Mapping, source: str) -> dict[str, dict[str, object]]:
    """The parts of each layer's change, by their kinds. Raises ClearError where there are none, where some are of an
    unknown kind, and where two are of one place."""
    layers: dict[str, dict[str, object]] = {}
    strange, others, twice = [], [], []
    for name, value in content.items():
        part = part_of(str(name))
        if part is not None and (isinstance(value, Tensor) or part.kind == "alpha"):
            parts = layers.setdefault(part.layer, {})
            if part.kind in parts:
                twice.append(str(name))
            parts[part.kind] = value
        elif isinstance(value, Tensor) and any(word in str(name).lower() for word in _STRANGE):
            strange.append(str(name))
        else:
            others.append(str(name))
    if strange:
        raise ClearError(
            f"{source}: {len(strange)} LoRA tensors have names that are not understood ({_some(strange)}). "
            "CLEAR takes LoRA pairs (lora_A/lora_B or lora_down/lora_up); ComfyUI's nodes take diff, LoHa and LoKr "
            "tensors too. Not OFT, GLoRA, convolutions with a middle part, fp8 with scales of its own; nor DoRA, whose "
            "norm ComfyUI takes of the weight as it was, and its trainers of the changed one."
        )
    if twice:
        raise ClearError(
            f"{source} has {len(twice)} tensors of which each changes what another of them does ({_some(twice)}): "
            "there are two LoRAs in it. Give a file that holds one."
        )
    if not layers and any(name.endswith(".weight") for name in others):
        raise ClearError(
            f"{source} holds no LoRA tensors but weights themselves ({_some(others)}), as a whole model, a VAE or a "
            "text encoder does. Choose a CLEAR LoRA, whose names end in lora_A.weight and lora_B.weight."
        )
    if not layers:
        raise ClearError(
            f"{source} holds no LoRA tensors ({_some(map(str, content)) or 'it is empty'}). Choose a CLEAR LoRA, "
            "whose names end in lora_A.weight and lora_B.weight."
        )
    if others:
        log.info("%s: %d entries beside the LoRA are not used", source, len(others))
    return layers


def _checked(layers: Mapping[str, Mapping[str, object]], source: str) -> dict[str, Tensor]:
    pairs = {layer: parts for layer, parts in layers.items() if any(kind in parts for kind in PAIR)}
    half = [layer for layer, parts in pairs.items() if not all(kind in parts for kind in PAIR)]
    if half:
        raise ClearError(
            f"{source} is incomplete: {len(half)} of {len(pairs)} layers have only one half of their pair "
            f"({_some(half)}). Download it again."
        )
    orphans = [layer for layer, parts in layers.items() if set(parts) <= {"alpha"}]
    if orphans:
        raise ClearError(
            f"{source} is incomplete: {len(orphans)} layers have an alpha but no tensors ({_some(orphans)}). Download "
            f"it again."
        )
    state: dict[str, Tensor] = {}
    for layer, parts in layers.items():
        alpha = _number(parts["alpha"], layer, source) if "alpha" in parts else None
        tensors = {kind: _numbers(value, layer, source) for kind, value in parts.items() if kind != "alpha"}
        if layer in pairs:
            state |= _pair(layer, tensors.pop("lora_A"), tensors.pop("lora_B"), alpha, source)
        elif alpha is not None:
            state[f"{layer}.alpha"] = torch.tensor(alpha)
        state |= {f"{layer}.{kind}": value for kind, value in tensors.items()}
    changes_of(state, source)  # that they are whole
    return state


def _pair(layer: str, a: Tensor, b: Tensor, alpha: float | None, source: str) -> dict[str, Tensor]:
    if a.ndim != 2 or b.ndim != 2 or a.shape[0] != b.shape[1]:
        raise ClearError(
            f"{source}: the pair of {layer} has shapes {list(a.shape)} and {list(b.shape)}; "
            "[rank, in] and [out, rank] are needed. It is damaged, or not a LoRA of linear layers."
        )
    if not a.shape[0]:
        raise ClearError(
            f"{source}: the pair of {layer} has rank 0, so it holds no numbers. Whatever wrote it failed; use another "
            "checkpoint."
        )
    scale = 1.0 if alpha is None else alpha / a.shape[0]
    return {f"{layer}.lora_A.weight": a, f"{layer}.lora_B.weight": b if scale == 1 else b.float() * scale}


def _number(alpha: object, layer: str, source: str) -> float:
    """An alpha, which files keep as a tensor of one element or a number."""
    try:
        value = float(alpha.float() if isinstance(alpha, Tensor) else alpha)  # type: ignore[arg-type]  # or it raises
    except (TypeError, ValueError, RuntimeError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        said = f"a tensor of shape {list(alpha.shape)}" if isinstance(alpha, Tensor) and alpha.numel() != 1 else alpha
        raise ClearError(
            f"{source}: the alpha of {layer} is {said}, where one number is needed. The file is damaged; use another "
            "checkpoint."
        )
    return value


def _numbers(value: object, layer: str, source: str) -> Tensor:
    """A tensor in a number format that everything computes in; fp8 and doubles become float32."""
    assert isinstance(value, Tensor)
    if not value.is_floating_point():
        raise ClearError(
            f"{source}: the tensors of {layer} are {str(value.dtype).removeprefix('torch.')}, so the file is "
            "quantised. Use one whose LoRA is in bf16, fp16, fp32 or fp8."
        )
    if value.layout != torch.strided or value.is_meta:
        raise ClearError(
            f"{source}: the tensors of {layer} are sparse or on no device ({value.layout}, {value.device}), "
            "and no plain numbers. Use a checkpoint that was saved whole."
        )
    plain = value if value.dtype in _PLAIN else value.float()
    if not plain.isfinite().all():
        raise ClearError(
            f"{source}: the tensors of {layer} hold NaN or infinity. The file is damaged, or its training "
            f"diverged; use another checkpoint."
        )
    return plain


def _some(names: Iterable[str], count: int = 2) -> str:
    names = list(names)
    return ", ".join(names[:count]) + (", …" if len(names) > count else "")
