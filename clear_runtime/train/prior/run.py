"""What a Stage I run is made of: the network and its optimiser, and what a checkpoint brings back of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from ...find.priors.checkpoints import BUNDLED, PRIOR, load_prior, require_prior, save_prior
from ...find.priors.light import LightPrior
from ...find.priors.resnet import require_resnet50
from ..moving_average import MovingAverage
from ..state import TrainingState
from .options import PriorOptions
from .resolved import ResolvedOptions, resolved
from .stage_one import StageOne, light_stage_one, paper_stage_one

_MAY_CHANGE = ("checkpoint_every", "example_every", "workers")  # options that leave the weights as they are
_PARTS = ("model", "optimiser", "average")


@dataclass(frozen=True)
class PriorRun:
    """steps: how many there are in all. average: of the prior's weights. state: brings back all of it."""

    options: ResolvedOptions
    steps: int
    model: StageOne
    optimiser: torch.optim.Optimizer
    average: MovingAverage
    state: TrainingState

    def save(self, step: int) -> None:
        """Write the checkpoint after a step, and the prior. Raises ClearError when the disk does not take them."""
        self.state.save(step)
        self.write()

    def keep(self, step: int) -> None:
        """Save after a step, where that has not been done yet. Raises ClearError as save does."""
        if step > self.state.saved:
            self.save(step)

    def write(self) -> None:
        """Write the prior beside the checkpoint."""
        weights = self.average.values or self.model.prior.state_dict()
        save_prior(self.state.path.parent / PRIOR, self.options.model, weights, self.options.long_side)


def begin(options: PriorOptions, batches, folder: Path, device: torch.device) -> PriorRun:
    """A run before its first step; without a number of steps it is one epoch. It seeds torch's generators, which are
    the whole process's."""
    steps = len(batches) if options.steps is None else options.steps
    options = resolved(replace(options, steps=steps))
    torch.manual_seed(options.seed)
    model = _build(options).to(device)
    optimiser = torch.optim.AdamW(model.parameters(), options.rate, weight_decay=options.weight_decay)
    average = MovingAverage(model.prior.state_dict(), options.average)
    data = {"pairs": batches} if hasattr(batches, "state_dict") else {}
    parts = {**data, **dict(zip(_PARTS, (model, optimiser, average)))}
    return PriorRun(options, steps, model, optimiser, average, TrainingState(folder, parts, _identity(options)))


def check(options: PriorOptions, folder: str | Path) -> None:
    """Raises ClearError for what train() would refuse, before the pairs are looked through: a start of another kind,
    packages or files that are missing, a folder with another run in it. Nothing is built for it."""
    if options.model == "paper":
        require_resnet50(options.imagenet)
    _require_start(options)
    identity = _identity(options)
    if options.steps is None:  # one epoch: as many as the pairs will give
        del identity["steps"]
    TrainingState(Path(folder), dict.fromkeys(_PARTS), identity).read()


def _identity(options: PriorOptions) -> dict:
    return {name: value for name, value in asdict(options).items() if name not in _MAY_CHANGE}


def _build(options: PriorOptions) -> StageOne:
    _require_start(options)
    start = load_prior(_start_file(options)).model.state_dict() if options.start != "scratch" else None
    if options.model == "light":  # as wide as what it starts from
        shapes = None if start is None else {name: tuple(value.shape) for name, value in start.items()}
        model = light_stage_one(None if shapes is None else LightPrior.of_shapes(shapes))
    else:
        model = paper_stage_one(options.imagenet)
    if start is not None:
        model.prior.load_state_dict(start)
    return model


def _require_start(options: PriorOptions) -> None:
    if options.start != "scratch":
        require_prior(_start_file(options), options.model)


def _start_file(options: PriorOptions) -> str | Path:
    return BUNDLED if options.start == "bundled" else options.start
