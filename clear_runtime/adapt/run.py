"""What a Stage II run is made of: the network and its optimiser, and what a checkpoint brings back of them."""
from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..checkpoint import fingerprint
from ..errors import ClearError
from ..lora import read_lora
from ..training.moving_average import MovingAverage
from ..training.state import TrainingState
from .cache import LatentClips
from .model import LORA, Adapted, save
from .options import DTYPES, TrainOptions

_MAY_CHANGE = ("checkpoint_every", "example_every", "checkpointing")  # options that leave the weights as they are


@dataclass(frozen=True)
class Run:
    """learned: the model's parameters that train, by name. state: brings back all of it but the frozen weights."""
    options: TrainOptions
    model: Adapted
    learned: dict[str, nn.Parameter]
    optimiser: torch.optim.Optimizer
    average: MovingAverage
    skips: Skips
    state: TrainingState

    def save(self, step: int) -> None:
        """Write the checkpoint after a step, and what was learned. Raises ClearError when the disk does not take them."""
        self.state.save(step)
        self.write(step)

    def write(self, step: int) -> None:
        """Write the LoRA and the head beside the checkpoint."""
        save(self.state.path.parent, self.model, self.average.values, {"clear_recipe": self.options.recipe, "steps": str(step)})


def begin(options: TrainOptions, base: Mapping[str, Tensor], clips: LatentClips, folder: Path, device: torch.device) -> Run:
    """A run before its first step. The first weights come from the seed alone, and nobody else's random numbers are disturbed."""
    start = None if options.start is None else {name: value.float() for name, value in read_lora(options.start).items()}
    with torch.random.fork_rng():
        torch.manual_seed(options.seed)
        model = Adapted(base, options.rank, options.targets, start, options.middle, options.checkpointing, DTYPES[options.precision], device)
    learned, skips = model.learned(), Skips()
    optimiser = _optimiser(options, list(learned.values()))
    average = MovingAverage(learned, options.average)
    state = TrainingState(folder, {"learned": Learned(learned), "optimiser": optimiser, "average": average, "skips": skips, "clips": clips}, _identity(options, base))
    return Run(options, model, learned, optimiser, average, skips, state)


def require_same_run(options: TrainOptions, base: Mapping[str, Tensor], folder: str | Path) -> None:
    """Raise the ClearError that train() would raise for what is in the folder: a run with other options, or somebody's LoRA."""
    if TrainingState(folder, {}, _identity(options, base)).read() is None:
        require_free(folder)


def require_free(folder: str | Path) -> None:
    """Raise ClearError when there is a LoRA that the run which begins here would overwrite."""
    path = Path(folder) / LORA
    if path.exists():
        raise ClearError(f"{path} exists already, without the checkpoint (training.pt) of the run that made it. Nothing is overwritten: choose another folder (in ComfyUI, another name), or "
                         "move that file away.")


class Learned:
    """Parameters as a part of a checkpoint."""

    def __init__(self, parameters: Mapping[str, nn.Parameter]):
        self.parameters = parameters

    def state_dict(self) -> dict:
        return {name: value.detach() for name, value in self.parameters.items()}

    @torch.no_grad()
    def load_state_dict(self, state: dict) -> None:
        for name, value in state.items():
            self.parameters[name].copy_(value)


class Skips:
    """Steps whose gradient was no finite number: in all, and in a row up to now."""

    def __init__(self):
        self.total = self.run = 0

    def count(self, finite: bool) -> int:
        self.run = 0 if finite else self.run + 1
        self.total += not finite
        return self.run

    def state_dict(self) -> dict:
        return {"total": self.total}

    def load_state_dict(self, state: dict) -> None:
        self.total = state["total"]


class Clock:
    """Seconds of a step, and of all that are left, from the mean of the last ones."""

    def __init__(self, steps: int):
        self.steps, self.recent, self.began = steps, [], 0.0

    def start(self) -> None:
        self.began = time.perf_counter()

    def stop(self, step: int) -> tuple[float, float]:
        taken = time.perf_counter() - self.began
        self.recent = [*self.recent[-19:], taken]
        return taken, sum(self.recent) / len(self.recent) * (self.steps - step)


def _optimiser(options: TrainOptions, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW
    if options.optimiser == "adamw8bit":
        try:
            from bitsandbytes.optim import AdamW8bit as kind
        except ImportError as missing:
            raise ClearError("8-bit Adam needs bitsandbytes (pip install bitsandbytes), or choose adamw.") from missing
    return kind(parameters, lr=options.rate, weight_decay=options.weight_decay)


def _identity(options: TrainOptions, base: Mapping[str, Tensor]) -> dict:
    """What a checkpoint must agree with. At a constant rate a run may be made longer."""
    kept = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(options).items() if name not in _MAY_CHANGE}
    if options.schedule == "constant":
        del kept["steps"]
    return {**kept, "base": fingerprint(base)}
