"""Files of Stage I: the priors that a run makes, in all the formats that occur."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ..checkpoint import read_metadata, read_shapes, read_tensors, write_tensors
from ..errors import ClearError
from .light import LightPrior
from .predict import LONG_SIDE, Prior

BUNDLED = Path(__file__).parent.parent / "weights" / "nano_prior.safetensors"
"""The light prior that ships with the pack."""
RELEASED_LONG_SIDE = 1280
"""Pixels of the longer side of the frames that CLEAR's published trainer learns from: 1280x720."""
PRIOR = "prior.safetensors"
"""The file that a run writes."""
PUBLISHED = {PRIOR: "{}.safetensors"}
"""What it is called where it is used; {} stands for the run's name."""


def save_prior(path: Path, kind: str, state: Mapping[str, Tensor], long_side: int) -> None:
    """Write a prior of a kind ("light" or "paper") in half precision, counters as they are."""
    tensors = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    write_tensors(path, tensors, {"clear_prior": kind, "long_side": str(long_side)})


def load_prior(path: str | Path = BUNDLED, device: str | torch.device = "cpu") -> Prior:
    """A prior from any Stage I file: our own, the bundled one, or a checkpoint of CLEAR's published trainer. Its `report` says
    which of them it is and, of a published one, which keys it lacked or had beyond the model.

    Raises ClearError when it is another architecture.
    """
    path, checkpoint = Path(path), read_tensors(path)
    kind = _kind(checkpoint)
    with torch.random.fork_rng(devices=[]):  # a network draws its first weights, and nobody else's random numbers are disturbed
        if kind is None:
            from .released import load_released
            model, keys = load_released(checkpoint)
        else:
            model = _empty(kind, _shapes(checkpoint), path)
    if kind is None:
        return Prior(model, device, RELEASED_LONG_SIDE, f"{path.name}: a prior of CLEAR's published trainer. Keys of the checkpoint: {keys}.")
    own, tensors = model.state_dict(), {str(name): value for name, value in checkpoint.items() if isinstance(value, Tensor)}
    _require_whole(path, _shapes(checkpoint), own)
    model.load_state_dict({name: value.to(own[name].dtype) for name, value in tensors.items()})
    return Prior(model, device, int(read_metadata(path).get("long_side", LONG_SIDE)), f"{path.name}: a {kind} prior. Keys of the checkpoint: every key matches.")


def require_prior(path: str | Path, kind: str) -> None:
    """Raise ClearError where load_prior would not give a prior of a kind ("light" or "paper"). Looks at names and shapes; builds nothing."""
    path, shapes = Path(path), read_shapes(path)
    if _kind(shapes) != kind:
        raise ClearError(f"{'The bundled prior' if path == BUNDLED else path.name} is not a prior of the kind {kind}. Choose the other model, another start, or start from scratch.")
    with torch.device("meta"):
        own = _empty(kind, shapes, path).state_dict()
    _require_whole(path, shapes, own)


def _kind(names) -> str | None:
    """Of our own files; None for any other."""
    return "light" if "enter.1.0.weight" in names else "paper" if "encoder.trunk.conv1.weight" in names else None


def _shapes(checkpoint: Mapping) -> dict[str, tuple[int, ...]]:
    return {str(name): tuple(value.shape) for name, value in checkpoint.items() if isinstance(value, Tensor)}


def _empty(kind: str, shapes: Mapping[str, tuple[int, ...]], path: Path) -> nn.Module:
    """An untrained network for tensors of these shapes. Raises ClearError for a light prior that is none."""
    if kind == "light":
        try:
            return LightPrior.of_shapes(shapes)
        except ValueError as none:
            raise ClearError(f"{path.name} is not a Stage I prior that this version knows. Choose another file.") from none
    from .paper import PaperPrior
    return PaperPrior()


def _require_whole(path: Path, shapes: Mapping[str, tuple[int, ...]], own: Mapping[str, Tensor]) -> None:
    wrong = [name for name in own if name not in shapes or tuple(shapes[name]) != tuple(own[name].shape)]
    unknown = set(shapes) - set(own)
    if wrong or unknown:
        raise ClearError(f"{path.name} is not a Stage I prior that this version knows: {len(wrong)} tensors are missing or of another shape"
                         f"{f' (first {wrong[0]})' if wrong else ''}, {len(unknown)} are unknown. Choose another file.")
