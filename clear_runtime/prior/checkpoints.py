"""Files of Stage I: the state a training run continues from, and the prior it makes."""
from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoint import read_tensors, write_tensors
from ..errors import ClearError
from .light import LightPrior
from .predict import LONG_SIDE, Prior

log = logging.getLogger(__name__)

_MAY_CHANGE = ("checkpoint_every", "example_every", "workers")  # options that leave the weights as they are


class TrainingState:
    """What a run must bring back to go on as if it had never stopped: parts with a state_dict, torch's generators, the step.

    path: the file. saved: the step after which it was written last.
    """

    def __init__(self, folder: Path, parts: dict, options):
        self.path, self.parts, self.saved = Path(folder) / "training.pt", parts, 0
        self.options = {name: value for name, value in asdict(options).items() if name not in _MAY_CHANGE}

    def resume(self) -> int:
        """The number of steps that are done; 0 when there is nothing to continue. Raises ClearError when the options are others."""
        if not self.path.exists():
            return 0
        stored = read_tensors(self.path)
        if not isinstance(stored.get("options"), Mapping) or not all(name in stored for name in self.parts):
            raise ClearError(f"{self.path} is not a checkpoint of this trainer. Choose another folder for this run.")
        changed = [f"{name} was {stored['options'].get(name)!r} and is {value!r}" for name, value in self.options.items()
                   if stored["options"].get(name) != value]
        if changed:
            raise ClearError(f"{self.path.parent} holds a run with other options: {'; '.join(changed)}. Continue it with its own, or choose another folder.")
        for name, part in self.parts.items():
            part.load_state_dict(stored[name])
        torch.set_rng_state(stored["generator"])
        if stored["cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(stored["cuda"])
        self.saved = stored["step"]
        log.info("continues after step %d of %s", self.saved, self.path)
        return self.saved

    def save(self, step: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        torch.save({**{name: part.state_dict() for name, part in self.parts.items()}, "options": self.options, "step": step,
                    "generator": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []}, partial)
        os.replace(partial, self.path)
        self.saved = step


def save_prior(path: Path, kind: str, state: Mapping[str, Tensor], long_side: int) -> None:
    """Write a prior of a kind ("light" or "paper") in half precision, counters as they are."""
    tensors = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    write_tensors(path, tensors, {"clear_prior": kind, "long_side": str(long_side)})


def load_prior(path: str | Path) -> Prior:
    """A prior from any Stage I file: our own, the bundled one, or a checkpoint of CLEAR's published trainer. On the CPU.

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
        return Prior(load_released(checkpoint)[0], long_side=1280)  # it was trained at 1280x720
    own = model.state_dict()
    wrong = [name for name in own if name not in names or checkpoint[name].shape != own[name].shape]
    if wrong or names - set(own):
        raise ClearError(f"{path.name} is not a Stage I prior that this version knows: {len(wrong)} tensors are missing or of another shape"
                         f"{f' (first {wrong[0]})' if wrong else ''}, {len(names - set(own))} are unknown.")
    model.load_state_dict({name: value.to(own[name].dtype) for name, value in checkpoint.items()})
    return Prior(model, long_side=_long_side(path))


def _long_side(path: Path) -> int:
    from safetensors import safe_open
    if path.suffix != ".safetensors":
        return LONG_SIDE
    with safe_open(str(path), "pt") as file:
        return int((file.metadata() or {}).get("long_side", LONG_SIDE))
