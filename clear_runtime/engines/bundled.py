"""The engines that need no file beyond the pack's own, for use without ComfyUI."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec

import torch
from torch import Tensor

from ..errors import ClearError
from ..weights import FOLDER
from .denoiser import DiffSynthDenoiser
from .engine import Engine
from .nano import load
from .nano.engine import nano_engine
from .nano.limits import STEPS
from .options import EngineOptions
from .plain_fill import PlainFill

NANO, FILL = BUNDLED_ENGINES = ("nano", "fill")
PACKAGES = ("diffsynth", "peft")
"""What nano runs on outside ComfyUI: the extra `reference`."""


def missing_packages() -> list[str]:
    """Those of PACKAGES that are not installed."""
    return [name for name in PACKAGES if find_spec(name) is None]


def default_steps(name: str) -> int | None:
    """The sampler steps that an engine is best with, where that is not the paper's number."""
    return STEPS if name == NANO else None


def bundled_identity(name: str) -> str:
    """A word that changes when what the engine paints with does."""
    if name != NANO:
        return name
    digest = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.safetensors")):
        digest.update(path.read_bytes())
    return f"{name} {digest.hexdigest()}"


def bundled_engine(name: str, options: EngineOptions, device: str | torch.device = "cpu") -> Engine:
    """An engine of BUNDLED_ENGINES. Raises ClearError for another name, and where packages are missing."""
    if name == FILL:
        return PlainFill()
    if name != NANO:
        raise ClearError(f"There is no bundled engine {name}. There are {', '.join(BUNDLED_ENGINES)}.")
    if missing := missing_packages():
        raise ClearError(
            f"The nano engine needs {' and '.join(missing)}, which are not installed. Install them with `python -m pip "
            f'install "diffsynth>=2.1.12,<3" "peft>=0.21"`, or use the engine fill, which needs no network.'
        )
    return nano_engine(load.load_bundled_codec(device), bundled_denoiser(device), options)


def bundled_denoiser(device: str | torch.device = "cpu", lora: Mapping[str, Tensor] | None = None) -> DiffSynthDenoiser:
    """The bundled transformer with a normalised LoRA, or with its own, in float32."""
    adapter = load.lora_state() if lora is None else lora
    return DiffSynthDenoiser.from_state(
        {name: value.float() for name, value in load.transformer_state_dict().items()},
        load.prompt_embedding(),
        {name: value.float() for name, value in adapter.items()},
        device=device,
    )
