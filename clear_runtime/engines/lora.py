"""CLEAR's LoRA files: read every style that occurs, keep one set of names, hand them on in ComfyUI's or PEFT's.

Normalised names are `MODULE.lora_A.weight` [rank, in] and `MODULE.lora_B.weight` [out, rank] with MODULE as in the
base's own state dict (`blocks.0.self_attn.q`). The scale alpha / rank is multiplied into lora_B, so that the weight's
change is strength * lora_B @ lora_A.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoint import read_tensors, write_tensors
from ..errors import ClearError

log = logging.getLogger(__name__)

WRAPPERS = ("model_state_dict", "dit_state_dict", "lora_state_dict", "state_dict")
"""Keys under which checkpoints keep their tensors; the released one uses the first."""
_PREFIXES = ("pipe.", "dit.", "module.", "diffusion_model.", "base_model.model.", "model.", "transformer.")
_PART = re.compile(r"\.(?:lora_(?P<letter>[AB])|lora[._](?P<way>down|up))(?:\.(?!weight$)[\w-]+)?\.weight$")
_FLAT = re.compile(r"^lora_unet_+blocks_(\d+)_(self_attn|cross_attn|ffn)_(q|k|v|o|k_img|v_img|0|2)(?=\.)")


def read_lora(path: str | Path) -> dict[str, Tensor]:
    """A LoRA file as normalised names to tensors on the CPU. Raises ClearError for anything else than a whole LoRA.

    The tensors are copies: those of a `.safetensors` are the mapped file itself, which Windows does not let anyone
    replace as long as they live, and training writes its LoRA anew with every checkpoint.
    """
    return {name: value.clone() for name, value in normalise(read_tensors(path), Path(path).name).items()}


def normalise(content: Mapping, source: str = "this checkpoint") -> dict[str, Tensor]:
    """A checkpoint in any of the known styles, already in memory, as normalised names to tensors."""
    for key in WRAPPERS:
        if isinstance(content.get(key), Mapping):
            content = content[key]
            break
    parts: dict[str, dict[str, Tensor]] = {}
    alphas: dict[str, float] = {}
    strange, others = [], 0
    for name, value in content.items():
        plain, tensor = _plain(str(name)), isinstance(value, Tensor)
        part = _PART.search(plain)
        if part and tensor:
            side = part["letter"] or ("A" if part["way"] == "down" else "B")
            parts.setdefault(plain[: part.start()], {})[side] = value
        elif plain.endswith(".alpha") and (not tensor or value.numel() == 1):
            alphas[plain[: -len(".alpha")]] = float(value)
        elif "lora" in plain.lower() or "dora" in plain.lower():
            strange.append(str(name))
        else:
            others += 1
    if strange:
        raise ClearError(
            f"{source}: {len(strange)} LoRA tensors have names that are not understood ({_some(strange)}). "
            "CLEAR takes plain LoRA pairs (lora_A/lora_B or lora_down/lora_up), not DoRA or LoKr."
        )
    if not parts:
        raise ClearError(
            f"{source} holds no LoRA tensors ({_some(map(str, content)) or 'it is empty'}). Choose a CLEAR LoRA, "
            "whose names end in lora_A.weight and lora_B.weight."
        )
    if others:
        log.info("%s: %d entries beside the LoRA are not used", source, others)
    return _checked(parts, alphas, source)


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
    """Raise ClearError unless every pair finds its layer in a base with these weight shapes (names without prefix).

    The message counts the layers that are not there and those of another size, with an example of each.
    """
    absent, unequal = [], []
    for module in modules(state):
        weight = shapes.get(f"{module}.weight")
        change = (state[f"{module}.lora_B.weight"].shape[0], state[f"{module}.lora_A.weight"].shape[1])
        if weight is None:
            absent.append(module)
        elif tuple(weight) != change:
            unequal.append(f"{module}: {change[0]}x{change[1]} in the LoRA, {'x'.join(map(str, weight))} in the model")
    if absent or unequal:
        reasons = ([f"{len(absent)} name a layer that is not there ({_some(absent)})"] if absent else []) + (
            [f"{len(unequal)} have another size ({_some(unequal)})"] if unequal else []
        )
        raise ClearError(
            f"This LoRA was not made for {base}: {len(absent) + len(unequal)} of its {len(modules(state))} layers do "
            f"not fit; "
            f"{'; '.join(reasons)}. Choose the base it was trained on (CLEAR: Wan2.1-Fun-V1.1-1.3B-Control), or "
            f"another LoRA."
        )


def _plain(name: str) -> str:
    """The name without what training wrappers put around it."""
    name = _FLAT.sub(lambda m: f"blocks.{m[1]}.{m[2]}.{m[3]}", name.replace("_orig_mod.", ""))
    stripped = True
    while stripped:
        stripped = False
        for prefix in _PREFIXES:
            if name.startswith(prefix):
                name, stripped = name[len(prefix) :], True
    return name


def _checked(parts: dict[str, dict[str, Tensor]], alphas: dict[str, float], source: str) -> dict[str, Tensor]:
    half = [module for module, pair in parts.items() if len(pair) != 2]
    if half:
        raise ClearError(
            f"{source} is incomplete: {len(half)} of {len(parts)} layers have only one half of their pair "
            f"({_some(half)}). Download it again."
        )
    orphans = [module for module in alphas if module not in parts]
    if orphans:
        raise ClearError(
            f"{source} is incomplete: {len(orphans)} layers have an alpha but no tensors ({_some(orphans)}). Download "
            f"it again."
        )
    state = {}
    for module, pair in parts.items():
        a, b = pair["A"], pair["B"]
        if a.ndim != 2 or b.ndim != 2 or a.shape[0] != b.shape[1]:
            raise ClearError(
                f"{source}: the pair of {module} has shapes {list(a.shape)} and {list(b.shape)}; "
                "[rank, in] and [out, rank] are needed. It is damaged, or not a LoRA of linear layers."
            )
        if not (a.isfinite().all() and b.isfinite().all()):
            raise ClearError(
                f"{source}: the tensors of {module} hold NaN or infinity. The file is damaged, or its training "
                f"diverged; use another checkpoint."
            )
        scale = alphas.get(module, a.shape[0]) / a.shape[0]
        state[f"{module}.lora_A.weight"] = a
        state[f"{module}.lora_B.weight"] = b if scale == 1 else (b.to(torch.float32) * scale)
    return state


def _some(names: Iterable[str], count: int = 2) -> str:
    names = list(names)
    return ", ".join(names[:count]) + (", …" if len(names) > count else "")
