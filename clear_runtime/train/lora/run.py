"""What a Stage II run is made of: the network and its optimiser, and what a checkpoint brings back of them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from ...checkpoint import fingerprint
from ...engines import lora
from ...errors import ClearError
from ..moving_average import MovingAverage
from ..state import TrainingState
from .cache import Examples
from .losses import RECIPES, TEMPORAL
from .model import LORA, Adapted, save
from .options import DTYPES, LoraOptions

LONGEST = 600.0
"""Seconds until a checkpoint is due, however long a step takes: what a power cut may cost."""
_RECENT = 20  # steps whose mean says how long the rest will take
_MAY_CHANGE = ("checkpoint_every", "example_every", "checkpointing")  # options that leave the weights as they are
_PARTS = ("learned", "optimiser", "average", "skips", "clips")
_WORDS = {"base": "the base model", "prompt": "the prompt"}  # for what is known by a fingerprint


@dataclass(frozen=True)
class LoraRun:
    """learned: the model's parameters that train, by name. state: brings back all of it but the frozen weights."""

    options: LoraOptions
    model: Adapted
    learned: dict[str, nn.Parameter]
    optimiser: torch.optim.Optimizer
    average: MovingAverage
    skips: Skips
    state: TrainingState

    def due(self, step: int) -> bool:
        """Whether a checkpoint is: one of every so many steps, which a skipped step may have put off, or the last one
        is long ago."""
        every = self.options.checkpoint_every
        return step // every > self.state.saved // every or time.monotonic() - self.state.saved_at >= LONGEST

    def save(self, step: int) -> None:
        """Write the checkpoint after a step, and what was learned. Raises ClearError when the disk does not take
        them."""
        self.state.save(step)
        self.write(step)

    def keep(self, step: int) -> None:
        """Save after a step, where that has not been done yet. Raises ClearError as save does."""
        if step > self.state.saved:
            self.save(step)

    def write(self, step: int) -> None:
        """Write the LoRA and the head beside the checkpoint."""
        save(
            self.state.path.parent,
            self.model,
            self.average.values,
            {"clear_recipe": self.options.recipe, "steps": str(step)},
        )


def begin(
    options: LoraOptions,
    base: Mapping[str, Tensor],
    clips: Examples,
    context: Tensor,
    folder: Path,
    device: torch.device,
) -> LoraRun:
    """A run before its first step. The first weights come from the seed alone, and nobody else's random numbers are
    disturbed."""
    identity, start = _identity(options, base, context), None
    if options.start is not None:
        start = {
            name: value.float()
            for name, value in (_learned_before(folder, identity) or lora.read_lora(options.start)).items()
        }
    with torch.random.fork_rng():
        torch.manual_seed(options.seed)
        model = Adapted(
            base,
            options.rank,
            options.targets,
            start,
            options.middle,
            options.checkpointing,
            DTYPES[options.precision],
            device,
            TEMPORAL if RECIPES[options.recipe].temporal else None,
        )
    learned, skips = model.learned(), Skips()
    optimiser = _optimiser(options, list(learned.values()))
    average = MovingAverage(learned, options.average)
    parts = dict(zip(_PARTS, (Learned(learned), optimiser, average, skips, clips)))
    state = TrainingState(folder, parts, identity, _WORDS, generators=False)
    return LoraRun(options, model, learned, optimiser, average, skips, state)


def as_begun(options: LoraOptions, folder: str | Path) -> LoraOptions:
    """The options that say how large a run is: one that goes on from a checkpoint has its LoRA there, and needs no file
    to start from."""
    learned = None if options.start is None else _learned_before(folder, {})
    return (
        options
        if learned is None
        else replace(options, start=None, rank=lora.rank(learned), targets=lora.targets(learned))
    )


def require_same_run(
    options: LoraOptions, base: Mapping[str, Tensor], context: Tensor, folder: str | Path, clips: Sequence[Path] | None
) -> None:
    """Raise the ClearError that train() would raise for what is in the folder: a run with other options, one at its end
    with other clips, or somebody's LoRA. clips: the files of the encoded clips, whether they are there yet or not; None
    where they are not known, and need not be: train() looks again."""
    stored = TrainingState(folder, dict.fromkeys(_PARTS), _identity(options, base, context), _WORDS).read()
    if stored is None:
        require_free(folder)
    elif clips is not None and set(stored["clips"]["names"]) != {path.stem for path in clips}:
        require_steps_left(options, stored["step"], folder)


def require_steps_left(options: LoraOptions, step: int, folder: str | Path) -> None:
    """Raise ClearError when a run that learned from other clips has nothing to do with these."""
    if step >= options.steps:
        remedy = (
            "Ask for more steps to go on with these, or choose another name"
            if options.schedule == "constant"
            else "Choose another name"
        )
        raise ClearError(
            f"The run {Path(folder).name} is at its end, after step {step}, with other pairs, another prior or another "
            f"VAE. {remedy} (in a terminal: another folder)."
        )


def require_free(folder: str | Path) -> None:
    """Raise ClearError when there is a LoRA that the run which begins here would overwrite."""
    path = Path(folder) / LORA
    if path.exists():
        raise ClearError(
            f"{path} exists already, without the checkpoint (training.pt) of the run that made it. Nothing is "
            "overwritten: choose another folder (in ComfyUI, another name), or move that file away."
        )


def _learned_before(folder: str | Path, identity: Mapping) -> dict[str, Tensor] | None:
    """The LoRA in a folder's checkpoint, None where there is none. Raises ClearError when it is of another identity."""
    stored = TrainingState(Path(folder), dict.fromkeys(_PARTS), identity, _WORDS).read()
    return None if stored is None else {name: value for name, value in stored["learned"].items() if ".lora_" in name}


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


class StepClock:
    """Seconds of a step, and of all that are left, from the mean of the last ones."""

    def __init__(self, steps: int):
        self.steps, self.began = steps, 0.0
        self.recent: list[float] = []

    def start(self) -> None:
        self.began = time.perf_counter()

    def stop(self, step: int) -> tuple[float, float]:
        taken = time.perf_counter() - self.began
        self.recent = [*self.recent[1 - _RECENT :], taken]
        return taken, sum(self.recent) / len(self.recent) * (self.steps - step)


def _optimiser(options: LoraOptions, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    adam = _adamw8bit() if options.optimiser == "adamw8bit" else torch.optim.AdamW
    return adam(parameters, lr=options.rate, weight_decay=options.weight_decay)


def _adamw8bit() -> type[torch.optim.Optimizer]:
    try:
        from bitsandbytes.optim import AdamW8bit  # an optional package
    except ImportError as missing:
        raise ClearError("8-bit Adam needs bitsandbytes (pip install bitsandbytes), or choose adamw.") from missing
    return AdamW8bit


def _identity(options: LoraOptions, base: Mapping[str, Tensor], context: Tensor) -> dict:
    """What a checkpoint must agree with. At a constant rate a run may be made longer."""
    kept = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(options).items()
        if name not in _MAY_CHANGE
    }
    if options.schedule == "constant":
        del kept["steps"]
    return {
        **kept,
        "base": fingerprint(base),
        "prompt": hashlib.sha256(context.float().cpu().numpy().tobytes()).hexdigest()[:16],
    }
