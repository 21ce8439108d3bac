"""Train a Stage I prior from pairs of subtitled and clean videos. Nobody draws a mask.

    python -m clear_runtime.prior.train --pairs FOLDER --out FOLDER              pairs as NAME.mp4 and NAME_with_subtitle.mp4
    python -m clear_runtime.prior.train --pairs SUBTITLED --clean CLEAN --out FOLDER
    python -m clear_runtime.prior.train --generate DATA --out FOLDER             random pairs (data.sources fills DATA)
    accelerate launch -m clear_runtime.prior.train ...                           the same on several GPUs

Ctrl-C stops after the step it is at; the same command continues from there and ends with the same weights as if it had
never stopped. The prior is FOLDER/prior.safetensors, renewed with every checkpoint.
"""
from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from ..data.frame_batches import Batch
from ..errors import ClearError
from ..training.folder_lock import held
from ..training.learning_rate import scheduled
from ..training.moving_average import MovingAverage
from ..training.processes import Processes
from ..training.state import TrainingState
from .checkpoints import BUNDLED, PRIOR, load_prior, require_prior, save_prior
from .light import LightPrior
from .losses import Weights, stage_one
from .resnet import require_resnet50
from .stage_one import StageOne, light_stage_one

log = logging.getLogger(__name__)

OWN = {"paper": dict(steps=None, rate=2e-5, schedule="constant", average=0.0, long_side=1280),
       "light": dict(steps=2000, rate=3e-3, schedule="cosine", average=0.998, long_side=640)}
"""What each model is trained with unless told otherwise. The paper's: CLEAR, one epoch of AdamW at 2e-5, from ImageNet weights, on
1280x720. The light one begins without any weights, so it takes larger and falling steps, and is averaged over them."""
FROM_A_PRIOR = 3e-4
"""The light one's rate where it does begin with weights: larger steps would first forget what they know."""

_MAY_CHANGE = ("checkpoint_every", "example_every", "workers")  # options that leave the weights as they are


@dataclass(frozen=True)
class TrainOptions:
    """Options that are None are the model's own (see OWN and FROM_A_PRIOR).

    steps: how many to train in all, over every start; None for one epoch. crop: height and width in pixels, multiples of 32.
    long_side: frames are scaled to at most this before they are cut, and the prior will see them so later. batch: frames per
    process and step. rate: the highest learning rate. schedule: "constant", or "cosine" after a warm-up. average: decay of the
    moving average that is saved as the prior, 0 for none. start: "scratch", "bundled" (light) or the file of a prior.
    imagenet: the file of ResNet-50's weights; None looks for torchvision's own in torch's hub cache.
    """
    model: str = "light"
    steps: int | None = None
    batch: int = 8
    crop: tuple[int, int] = (192, 320)
    long_side: int | None = None
    rate: float | None = None
    schedule: str | None = None
    weight_decay: float = 1e-3
    average: float | None = None
    weights: Weights = field(default_factory=Weights)
    start: str = "scratch"
    imagenet: str | None = None
    precision: str = "float32"
    seed: int = 0
    checkpoint_every: int = 200
    example_every: int = 50
    workers: int = 0

    def __post_init__(self):
        object.__setattr__(self, "crop", tuple(self.crop))
        if self.model not in OWN:
            raise ClearError(f"There is no model {self.model!r}; choose {' or '.join(OWN)}.")
        own = OWN[self.model] | ({"rate": FROM_A_PRIOR} if self.model == "light" and self.start != "scratch" else {})
        for name, value in own.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        for name, allowed in {"schedule": ("constant", "cosine"), "precision": ("float32", "bfloat16")}.items():
            if getattr(self, name) not in allowed:
                raise ClearError(f"{name} is {getattr(self, name)!r}; choose {' or '.join(allowed)}.")
        if any(side % 32 or side < 32 for side in self.crop):
            raise ClearError(f"The crop is {self.crop[0]}x{self.crop[1]} pixels; both sides must be multiples of 32.")
        if min(1 if self.steps is None else self.steps, self.batch, self.checkpoint_every, self.example_every, self.long_side) < 1:
            raise ClearError("steps, batch, long_side, checkpoint_every and example_every must be 1 or more.")
        if self.batch * self.crop[0] * self.crop[1] == 32 * 32:  # at 1/32 one value is left, which has no deviation for BatchNorm to divide by
            raise ClearError("One frame of 32x32 pixels a step is too little to train on; choose a larger crop or batch.")
        if not 0 <= self.average < 1 or not 0 < self.rate < math.inf:
            raise ClearError("average must be at least 0 and under 1, and the learning rate above 0 and finite.")
        if self.workers < 0 or not 0 <= self.weight_decay < math.inf or abs(self.seed) >= 2 ** 63:  # torch takes no longer seed
            raise ClearError("workers and weight_decay must be 0 or more, weight_decay finite, and the seed between -2^63 and 2^63.")


@dataclass(frozen=True)
class Example:
    """What the prior makes of one training frame: frame [H, W, 3], label and soft mask [H, W], all 0..1 on the CPU."""
    frame: Tensor
    label: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Progress:
    """After a step: its number out of `steps`, the total loss and each term (unweighted), seconds it took, and now and then an example."""
    step: int
    steps: int
    loss: float
    terms: dict[str, float]
    seconds: float
    example: Example | None = None


def train(options: TrainOptions, batches, folder: str | Path, processes: Processes | None = None) -> Iterator[Progress]:
    """Train step by step; whoever iterates decides whether there is a next one. Close the iterator to stop: the state after
    the last step is saved, and the same call continues from it.

    batches: `batches[n]` is a Batch and depends on n alone; where it has a state_dict, a checkpoint goes on with the same ones
    only. folder: where checkpoints go; no other run may use it meanwhile. Raises ClearError for options that do not fit the folder's
    checkpoint, for a folder that is in use or cannot be written to, and when the loss is no longer a number.
    """
    processes, folder = processes or Processes(), Path(folder)
    if options.steps is None:
        options = replace(options, steps=len(batches))
    with held(folder) if processes.main else nullcontext():
        yield from _train(options, batches, folder, processes)


def _train(options: TrainOptions, batches, folder: Path, processes: Processes) -> Iterator[Progress]:
    # The model, and what a checkpoint must bring back.
    torch.manual_seed(options.seed)
    model = _build(options).to(processes.device)
    optimiser = torch.optim.AdamW(model.parameters(), options.rate, weight_decay=options.weight_decay)
    average = MovingAverage(model.prior.state_dict(), options.average)
    data = {"pairs": batches} if hasattr(batches, "state_dict") else {}
    state = TrainingState(folder, {**data, "model": model, "optimiser": optimiser, "average": average}, _identity(options))
    step = state.resume()
    if step == 0 and processes.main:
        state.save(0)
    parallel = processes.prepare(model).train()

    def write_prior() -> None:
        save_prior(folder / PRIOR, options.model, average.values or model.prior.state_dict(), options.long_side)

    def save() -> None:
        if processes.main:
            state.save(step)
            write_prior()

    def keep() -> None:
        if step > state.saved:
            save()

    if step >= options.steps and processes.main:  # the disk may have filled up, or the machine gone down, between the last checkpoint and its prior
        write_prior()
    for number, batch in _numbered(batches, step, options, keep):
        began = time.perf_counter()
        for group in optimiser.param_groups:
            group["lr"] = scheduled(options.schedule, options.rate, number, options.steps)

        # Forward: both encoders see the subtitled frame; only the losses see the clean one.
        try:
            batch = Batch(*(part.to(processes.device, non_blocking=True) for part in batch))
            # where it is not asked for it is not named: torch does not know it on every kind of device
            with torch.autocast(processes.device.type, torch.bfloat16) if options.precision == "bfloat16" else nullcontext():
                outputs = parallel(batch.subtitled)
            loss, terms = stage_one(type(outputs)(*(part.float() for part in outputs)), batch.labels, batch.clean, options.weights)

            # Backward. Gradients are shared by all processes, so every one of them sees a number that is none.
            optimiser.zero_grad(set_to_none=True)
            processes.backward(loss)
        except torch.cuda.OutOfMemoryError as full:
            raise ClearError(_full(number, options, state)) from full
        if not torch.isfinite(nn.utils.clip_grad_norm_(model.parameters(), 1.0)):
            raise ClearError(_not_a_number(number, terms, state))
        optimiser.step()
        average.update(model.prior.state_dict())
        step = number + 1

        # Save and show.
        last = step == options.steps
        if step % options.checkpoint_every == 0 or last:
            save()
        example = example_of(batch, outputs.logits.detach().float().sigmoid()[:, 0]) if step % options.example_every == 0 or last or number == 0 else None
        try:
            yield Progress(step, options.steps, loss.item(), {name: value.item() for name, value in terms.items()},
                           time.perf_counter() - began, example)
        except GeneratorExit:
            save()
            raise
    processes.wait()


def check(options: TrainOptions, folder: str | Path) -> None:
    """Raises ClearError for what train would refuse, before the pairs are looked through: a start of another kind, packages or
    files that are missing, a folder with another run in it. Nothing is built for it."""
    if options.model == "paper":
        require_resnet50(options.imagenet)
    _require_start(options)
    identity = _identity(options)
    if options.steps is None:  # one epoch: as many as the pairs will give
        del identity["steps"]
    TrainingState(Path(folder), dict.fromkeys(("model", "optimiser", "average")), identity).read()


def _identity(options: TrainOptions) -> dict:
    return {name: value for name, value in asdict(options).items() if name not in _MAY_CHANGE}


def _build(options: TrainOptions) -> StageOne:
    _require_start(options)
    start = load_prior(_start_file(options)).model.state_dict() if options.start != "scratch" else None
    if options.model == "light":  # as wide as what it starts from
        model = light_stage_one(LightPrior.of_shapes({name: tuple(value.shape) for name, value in start.items()}) if start else None)
    else:
        from .paper import paper_stage_one
        model = paper_stage_one(options.imagenet)
    if start:
        model.prior.load_state_dict(start)
    return model


def _require_start(options: TrainOptions) -> None:
    if options.start != "scratch":
        require_prior(_start_file(options), options.model)


def _start_file(options: TrainOptions) -> str | Path:
    return BUNDLED if options.start == "bundled" else options.start


class _InWords(torch.utils.data.Dataset):
    """Batches, with a ClearError in place of one that cannot be read: raised by a worker, it would have the worker's traceback for its text."""

    def __init__(self, batches):
        self.batches = batches

    def __getitem__(self, n: int) -> Batch | ClearError:
        try:
            return self.batches[n]
        except ClearError as error:
            return error


def _numbered(batches, first: int, options: TrainOptions, keep: Callable[[], None]) -> Iterator[tuple[int, Batch]]:
    """(n, batch n) from `first` to the last step, read ahead by the workers. The loader draws nothing from torch's own generator. keep: called
    before an exception leaves, be it Cancel, which may come while a video is read."""
    loader = iter(torch.utils.data.DataLoader(_InWords(batches), batch_size=None, sampler=range(first, options.steps), num_workers=options.workers,
                                              generator=torch.Generator()))
    for number in range(first, options.steps):
        try:
            batch = next(loader)
            if isinstance(batch, ClearError):
                raise batch
        except BaseException:
            keep()
            raise
        yield number, batch


def example_of(batch: Batch, masks: Tensor) -> Example:
    """The frame of a batch with the most text. masks: soft, [N, H, W], what a prior makes of its frames."""
    n = int(batch.labels.flatten(1).sum(1).argmax())
    return Example(batch.subtitled[n].permute(1, 2, 0).cpu(), batch.labels[n, 0].cpu(), masks[n].cpu())


def _full(number: int, options: TrainOptions, state: TrainingState) -> str:
    return (f"The GPU's memory ran out at step {number + 1}, with {options.batch} frames of {options.crop[1]}x{options.crop[0]} pixels a step. Choose a smaller "
            f"batch, under another name or in another folder. The last good checkpoint is that after step {state.saved}: {state.path}.")


def _not_a_number(number: int, terms: dict[str, Tensor], state: TrainingState) -> str:
    broken = [name for name, value in terms.items() if not torch.isfinite(value)]
    return (f"The {'loss (' + ', '.join(broken) + ')' if broken else 'gradient'} was not a finite number at step {number + 1}, so training stopped. "
            f"The last good checkpoint is that after step {state.saved}: {state.path}. "
            "Train on in a new folder with a lower learning rate, or look for damaged frames in the pairs.")


if __name__ == "__main__":
    from .train_command import main
    main(__doc__)
