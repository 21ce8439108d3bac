"""Train a Stage I prior from pairs of subtitled and clean videos. Nobody draws a mask.

    python -m clear_runtime train-prior --pairs FOLDER --out FOLDER         pairs as NAME.mp4 and NAME_with_subtitle.mp4
    python -m clear_runtime train-prior --pairs SUBTITLED --clean CLEAN --out FOLDER
    python -m clear_runtime train-prior --generate DATA --out FOLDER        random pairs (data.sources fills DATA)
    accelerate launch -m clear_runtime train-prior ...                      the same on several GPUs

Ctrl-C stops after the step it is at; the same command continues from there and ends with the same weights as if it had
never stopped. The prior is FOLDER/prior.safetensors, renewed with every checkpoint; in the end its curves.png and
example.png lie beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ...data.frame_batches import Batch
from ...errors import ClearError
from ...folder_lock import locked_folder
from ..learning_rate import scheduled
from ..processes import Processes
from ..state import TrainingState
from .losses import stage_one
from .options import PriorOptions
from .run import PriorRun, begin

GRADIENT_NORM = 1.0  # the largest; longer gradients are shortened to it


@dataclass(frozen=True)
class Example:
    """What the prior makes of one training frame: frame [H, W, 3], label and soft mask [H, W], all 0..1 on the CPU."""

    frame: Tensor
    label: Tensor
    mask: Tensor


@dataclass(frozen=True)
class PriorStep:
    """After a step: its number out of `steps`, the total loss and each term (unweighted), seconds it took, and now and
    then an example."""

    step: int
    steps: int
    loss: float
    terms: dict[str, float]
    seconds: float
    example: Example | None = None


def train(
    options: PriorOptions, batches, folder: str | Path, processes: Processes | None = None
) -> Generator[PriorStep, None, None]:
    """Train step by step; whoever iterates decides whether there is a next one. Close the iterator to stop: the state
    after the last step is saved, and the same call continues from it.

    batches: `batches[n]` is a Batch and depends on n alone; where it has a state_dict, a checkpoint goes on with the
    same ones only. folder: where checkpoints go; no other run may use it meanwhile. Raises ClearError for options that
    do not fit the folder's checkpoint, for a folder that is in use or cannot be written to, and when the loss is no
    longer a number.
    """
    processes, folder = processes or Processes(), Path(folder)
    with locked_folder(folder) if processes.main else nullcontext():
        run = begin(options, batches, folder, processes.device)
        step = run.state.resume()
        if step == 0 and processes.main:
            run.state.save(0)
        # the disk may have filled up, or the machine gone down, between the last checkpoint and its prior
        if step >= run.steps and processes.main:
            run.write()
        yield from _steps(run, step, batches, processes)
        processes.wait()


def _steps(run: PriorRun, step: int, batches, processes: Processes) -> Generator[PriorStep, None, None]:
    """The steps after `step`."""
    options, parallel = run.options, processes.prepare(run.model).train()

    def keep() -> None:
        if processes.main:
            run.keep(step)

    for number, batch in _numbered(batches, range(step, run.steps), options.workers, keep):
        began = time.perf_counter()
        for group in run.optimiser.param_groups:
            group["lr"] = scheduled(options.schedule, options.rate, number, run.steps)
        try:
            batch = Batch(*(part.to(processes.device, non_blocking=True) for part in batch))
            loss, terms, logits = _gradients(run, parallel, batch, processes)
        except torch.cuda.OutOfMemoryError as full:
            raise ClearError(_full(number, options, run.state)) from full
        # Gradients are shared by all processes, so every one of them sees a number that is none.
        if not torch.isfinite(nn.utils.clip_grad_norm_(run.model.parameters(), GRADIENT_NORM)):
            raise ClearError(_not_a_number(number, terms, run.state))
        run.optimiser.step()
        run.average.update(run.model.prior.state_dict())
        step = number + 1

        last = step == run.steps
        if (step % options.checkpoint_every == 0 or last) and processes.main:
            run.save(step)
        shown = step % options.example_every == 0 or last or number == 0
        example = example_of(batch, logits.float().sigmoid()[:, 0]) if shown else None
        values, seconds = {name: value.item() for name, value in terms.items()}, time.perf_counter() - began
        try:
            yield PriorStep(step, run.steps, loss.item(), values, seconds, example)
        except GeneratorExit:
            if processes.main:
                run.save(step)
            raise


def _gradients(
    run: PriorRun, parallel: nn.Module, batch: Batch, processes: Processes
) -> tuple[Tensor, dict[str, Tensor], Tensor]:
    """Forward and backward: the loss, its terms, and the prior's logits [N, 1, H, W]. Both encoders see the subtitled
    frame; only the losses see the clean one."""
    options = run.options
    # where it is not asked for it is not named: torch does not know it on every kind of device
    with torch.autocast(processes.device.type, torch.bfloat16) if options.precision == "bfloat16" else nullcontext():
        outputs = parallel(batch.subtitled)
    loss, terms = stage_one(
        type(outputs)(*(part.float() for part in outputs)), batch.labels, batch.clean, options.weights
    )
    run.optimiser.zero_grad(set_to_none=True)
    processes.backward(loss)
    return loss, terms, outputs.logits.detach()


class _InWords(torch.utils.data.Dataset):
    """Batches, with a ClearError in place of one that cannot be read: raised by a worker, it would have the worker's
    traceback for its text."""

    def __init__(self, batches):
        self.batches = batches

    def __getitem__(self, n: int) -> Batch | ClearError:
        try:
            return self.batches[n]
        except ClearError as error:
            return error


def _numbered(batches, numbers: range, workers: int, keep: Callable[[], None]) -> Iterator[tuple[int, Batch]]:
    """(n, batch n) for these numbers, read ahead by the workers. The loader draws nothing from torch's own generator.
    keep: called before an exception leaves, be it Cancel, which may come while a video is read."""
    loader = iter(
        torch.utils.data.DataLoader(
            _InWords(batches), batch_size=None, sampler=numbers, num_workers=workers, generator=torch.Generator()
        )
    )
    for number in numbers:
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


def _full(number: int, options: PriorOptions, state: TrainingState) -> str:
    return (
        f"The GPU's memory ran out at step {number + 1}, with {options.batch} frames of "
        f"{options.crop[1]}x{options.crop[0]} pixels a step. Choose a smaller batch, under another name or in another "
        f"folder. The last good checkpoint is that after step {state.saved}: {state.path}."
    )


def _not_a_number(number: int, terms: dict[str, Tensor], state: TrainingState) -> str:
    broken = [name for name, value in terms.items() if not torch.isfinite(value)]
    return (
        f"The {'loss (' + ', '.join(broken) + ')' if broken else 'gradient'} was not a finite number at step "
        f"{number + 1}, so training stopped. The last good checkpoint is that after step {state.saved}: {state.path}. "
        "Train on in a new folder with a lower learning rate, or look for damaged frames in the pairs."
    )
