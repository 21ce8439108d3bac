"""Files of Stage I: the priors that a run makes, in all the formats that occur."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoint import read_metadata, read_tensors, write_tensors
from ..errors import ClearError
from .light import LightPrior
from .predict import LONG_SIDE, Prior

BUNDLED = Path(__file__).parent.parent / "weights" / "nano_prior.safetensors"
"""The light prior that ships with the pack."""
PRIOR = "prior.safetensors"
"""The file that a run writes."""
PUBLISHED = {PRIOR: "{}.safetensors"}
"""What it is called where it is used; {} stands for the run's name."""


def save_prior(path: Path, kind: str, state: Mapping[str, Tensor], long_side: int) -> None:
    """Write a prior of a kind ("light" or "paper") in half precision, counters as they are."""
    tensors = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    write_tensors(path, tensors, {"clear_prior": kind, "long_side": str(long_side)})


def load_prior(path: str | Path = BUNDLED, device: str | torch.device = "cpu") -> Prior:
    """A prior from any Stage I file: our own, the bundled one, or a checkpoint of CLEAR's published trainer.

    Raises ClearError when it is another architecture.
    """
    path, checkpoint = Path(path), read_tensors(path)
    names = set(checkpoint)
    if "enter.1.0.weight" in names:
        model = LightPrior()
    elif "encoder.trunk.conv1.weight" in names:
        from .paper import PaperPrior
        model = PaperPrior()
    else:
        from .released import load_released
        return Prior(load_released(checkpoint)[0], device, long_side=1280)  # it was trained at 1280x720
    own = model.state_dict()
    wrong = [name for name in own if name not in names or checkpoint[name].shape != own[name].shape]
    if wrong or names - set(own):
        raise ClearError(f"{path.name} is not a Stage I prior that this version knows: {len(wrong)} tensors are missing or of another shape"
                         f"{f' (first {wrong[0]})' if wrong else ''}, {len(names - set(own))} are unknown.")
    model.load_state_dict({name: value.to(own[name].dtype) for name, value in checkpoint.items()})
    return Prior(model, device, int(read_metadata(path).get("long_side", LONG_SIDE)))
