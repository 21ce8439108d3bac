"""What can be known to fail before anything takes long: said before a clip is encoded or a weight is moved."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

import torch

from ...engines import lora as lora_files
from ...engines.base_model import describe_base
from ...errors import ClearError
from ...wan import SPATIAL
from .memory import Estimate, estimate, require_room
from .model import require_block, require_targets
from .options import LoraOptions

_PACKAGES = {"diffsynth": '"diffsynth>=2.1.12,<3"', "peft": '"peft>=0.21"', "accelerate": "accelerate"}


def require_packages(optimiser: str = "adamw") -> None:
    """Raise ClearError with the command that installs what training needs and is not there."""
    needed = _PACKAGES | ({"bitsandbytes": "bitsandbytes"} if optimiser == "adamw8bit" else {})
    missing = [requirement for package, requirement in needed.items() if find_spec(package) is None]
    if missing:
        raise ClearError(
            "Training needs packages that are not installed (the pack's extra `train`). With the same Python, in "
            f"ComfyUI the one that runs it: python -m pip install {' '.join(missing)}"
        )


def preflight(
    options: LoraOptions,
    shapes: Mapping[str, tuple[int, ...]],
    size: tuple[int, int, int],
    context: int,
    device: torch.device,
    available: int | None,
    spatial: int = SPATIAL,
) -> Estimate:
    """What the run needs. Raises ClearError for options that do not fit the base, a device that cannot compute it, or
    too little memory.

    shapes: of the base's weights. size: of an example, latent frames, height and width. context: tokens of the prompt's
    embedding. available: bytes of memory that may be used, None where nobody knows. spatial: pixels of a latent cell
    along one side.
    """
    require_fit(options, shapes, device)
    return (
        estimate(shapes, options, size, context)
        if available is None
        else require_room(shapes, options, size, context, device.type, available, spatial)
    )


def require_fit(options: LoraOptions, shapes: Mapping[str, tuple[int, ...]], device: torch.device) -> None:
    """Raise the ClearError of preflight() that needs no pairs: of options that do not fit the base, or a device that
    cannot compute it."""
    blocks = describe_base(shapes).blocks
    if options.start is not None:
        lora_files.require_fit(lora_files.read_lora(options.start), shapes)
    else:
        require_targets(
            options.targets,
            [
                name.removesuffix(".weight")
                for name, shape in shapes.items()
                if len(shape) == 2 and name.endswith(".weight")
            ],
        )
    require_block(options.middle, blocks)
    _require_float64(device)


def _require_float64(device: torch.device) -> None:
    try:
        torch.zeros(1, dtype=torch.float64, device=device)
    except (TypeError, RuntimeError) as error:  # Apple's MPS says the one, Intel's and DirectML the other
        raise ClearError(
            f"Training computes the positions of tokens in float64, which this device ({device}) has not ({error}). "
            "Train on the CPU (start ComfyUI with --cpu; in a terminal: --device cpu) or on a CUDA GPU."
        ) from error
