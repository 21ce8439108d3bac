"""Train a CLEAR LoRA from pairs of subtitled and clean video (Stage II).

    python -m clear_runtime train-lora --base MODEL --vae VAE --prompt FILE --pairs FOLDER --out FOLDER
    accelerate launch -m clear_runtime train-lora ...        the same on several GPUs, of one machine or more (FOLDER
                                                             must then lie where all machines see it)

Ctrl-C stops at once and keeps what the last whole step left (with several processes, all end the step first); the same
command continues from there and ends with the same weights as if it had never stopped. The LoRA is
FOLDER/lora.safetensors, renewed with every checkpoint, and so is FOLDER/curves.png. --dry-run says what a run would
need, and runs nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ...engines.denoiser import own_attention
from ...engines.schedule import sigmas
from ...errors import ClearError
from ...folder_lock import locked_folder
from ..learning_rate import scheduled
from ..processes import Processes
from ..state import TrainingState
from . import losses
from .cache import Examples, Sample
from .memory import lower, measure_from_now, memory_used, out_of_memory, require_room
from .model import Adapted
from .options import LoraOptions
from .run import LoraRun, StepClock, as_begun, begin, require_free, require_steps_left
from .stop import Stopped, before_each

log = logging.getLogger(__name__)

GRADIENT_NORM = 1.0  # the largest; longer gradients are shortened to it
PATIENCE = 5  # non-finite steps in a row until training stops


@dataclass(frozen=True)
class Example:
    """What the LoRA makes of one clip now. subtitled, result, clean: latents [1, 16, t, h, w] in model space, on the
    CPU (subtitled is the control that was given); m_pred, m_prior [t, h, w] in 0..1."""

    subtitled: Tensor
    result: Tensor
    clean: Tensor
    m_pred: Tensor
    m_prior: Tensor


@dataclass(frozen=True)
class TrainingStep:
    """After a step: its number out of `steps`, the loss and its terms (means over the step's examples, without their
    factors), alpha and the learning rate of the step, seconds it took and seconds left, bytes of memory (memory_used),
    steps skipped so far because their gradient was no finite number, and now and then an example."""

    step: int
    steps: int
    loss: float
    terms: dict[str, float]
    alpha: float
    rate: float
    seconds: float
    left: float
    memory: int
    skipped: int
    example: Example | None = None


def train(
    options: LoraOptions,
    base: Mapping[str, Tensor],
    clips: Examples,
    context: Tensor,
    folder: str | Path,
    processes: Processes | None = None,
    available: int | None = None,
    gain: Tensor | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Generator[TrainingStep, None, None]:
    """Train step by step; whoever iterates decides whether there is a next one. Close the iterator to stop: the state
    after the last step is saved, and the same call continues from it.

    base: weights of the frozen model in DiffSynth's names, used without a copy where dtype and device fit. context: the
    prompt's embedding [1, tokens, 4096]. folder: where checkpoints, LoRA and head go; no other run may use it
    meanwhile. available: bytes of memory that may be used; None to go without the check. gain: what each latent channel
    counts in the error, [16] of mean 1, or None for all alike. stopping: whether somebody wants a stop, asked many
    times within a step. One process then drops the step and ends with the state of the step before saved; of several,
    the main one saves that state and goes on, for all must end at the same step: close their iterators together.

    Raises ClearError before the first step for options that do not fit the model, the folder's checkpoint or the
    memory, and for a folder that is in use; and, with the state saved, after PATIENCE steps in a row whose gradient is
    not a finite number.
    """
    processes, folder = processes or Processes(), Path(folder)
    device = processes.device
    if available is not None:
        require_room(
            {name: tuple(value.shape) for name, value in base.items()},
            as_begun(options, folder),
            clips.size,
            context.shape[1],
            device.type,
            available,
            clips.spatial,
        )

    with locked_folder(folder) if processes.main else nullcontext():
        run = begin(options, base, clips, context, folder, device)
        step = run.state.resume()
        if not step:
            require_free(folder)
        elif clips.changed:
            require_steps_left(options, step, folder)
        _say_what_trains(run)
        # the disk may have filled up between the last checkpoint and its LoRA
        if step >= options.steps and processes.main:
            run.write(step)
        measure_from_now(device)
        with own_attention():
            yield from _steps(
                run, step, clips, context.to(device), processes, None if gain is None else gain.to(device), stopping
            )
        processes.wait()


def _say_what_trains(run: LoraRun) -> None:
    lora, head = (
        sum(p.numel() for p in parameters) / 1e6
        for parameters in (run.model.lora().values(), run.model.head.parameters())
    )
    log.info(
        "training %.2f million parameters of the LoRA, %.2f %% of the adapted model, and %.2f million of the "
        "occlusion head",
        lora,
        100 * run.model.share,
        head,
    )


def _steps(
    run: LoraRun,
    step: int,
    clips: Examples,
    context: Tensor,
    processes: Processes,
    gain: Tensor | None,
    stopping: Callable[[], bool],
) -> Generator[TrainingStep, None, None]:
    """The steps after `step`. Weights and checkpoint are those after it until the optimiser moves, so it can be kept at
    any time before."""
    options, parallel, clock = run.options, processes.prepare(run.model), StepClock(run.options.steps)

    def end_if_asked() -> None:
        if stopping():
            if processes.main:
                run.keep(step)
            if processes.count == 1:
                raise Stopped

    with before_each(run.model.wan.blocks, end_if_asked):
        while step < options.steps:
            clock.start()
            a, rate = losses.RECIPES[options.recipe].alpha(step), _rate(options, step)
            try:
                with _kept_where_memory_ends(run, step, clips, processes):
                    sums = _gradients(run, step, parallel, clips, context, processes, gain, a, end_if_asked)
            except Stopped:
                return
            finite = _moved(run, rate)
            patient = run.skips.count(finite) < PATIENCE
            step += 1

            last = step == options.steps  # what was skipped left the weights as they were: they are kept all the same
            if processes.main and (last or not patient or finite and run.due(step)):
                run.save(step)
            if not patient:
                processes.wait()  # one that ends takes the others with it, and the main one may still be writing
                raise ClearError(_diverged(step, run.state))
            shown = last or step == 1 or not step % options.example_every
            example = _example(run, clips, context) if shown and processes.main else None
            means = processes.mean({name: float(value) for name, value in sums.items()})
            try:
                yield TrainingStep(
                    step,
                    options.steps,
                    means.pop("loss"),
                    means,
                    a,
                    rate,
                    *clock.stop(step),
                    memory_used(processes.device),
                    run.skips.total,
                    example,
                )
            except GeneratorExit:
                if processes.main:
                    run.keep(step)
                raise


def _gradients(
    run: LoraRun,
    step: int,
    parallel: nn.Module,
    clips: Examples,
    context: Tensor,
    processes: Processes,
    gain: Tensor | None,
    a: float,
    end_if_asked: Callable[[], None],
) -> dict[str, Tensor]:
    """Forward and backward of a step, `accumulate` times: the loss and its terms, means over the examples of this
    process."""
    options = run.options
    sums: dict[str, Tensor] = {}
    run.optimiser.zero_grad(set_to_none=True)
    for part in range(options.accumulate):
        end_if_asked()
        # every example's noise and place come from its number alone
        first = ((step * options.accumulate + part) * processes.count + processes.rank) * options.batch
        batch = collate([clips[first + i] for i in range(options.batch)], processes.device)
        with nullcontext() if part == options.accumulate - 1 else processes.gathering(parallel):
            loss, terms = _losses(parallel, batch, context, a, options.recipe, gain, run.model.temporal)
            processes.backward(loss / options.accumulate)
        for name, value in {"loss": loss, **terms}.items():
            sums[name] = sums.get(name, 0) + value.detach() / options.accumulate
    return sums


def _rate(options: LoraOptions, step: int) -> float:
    return scheduled(options.schedule, options.rate, step, options.steps)


def _moved(run: LoraRun, rate: float) -> bool:
    """Move the weights along their gradients, unless those are no finite numbers. Gradients are shared by all
    processes, so every one of them sees a number that is none. Whether they moved."""
    for group in run.optimiser.param_groups:
        group["lr"] = rate
    finite = bool(torch.isfinite(nn.utils.clip_grad_norm_(run.learned.values(), GRADIENT_NORM)))
    if finite:
        run.optimiser.step()
        run.average.update(run.learned)
    return finite


def _example(run: LoraRun, clips: Examples, context: Tensor) -> Example | None:
    """None where a stop is asked for while it is painted."""
    with suppress(Stopped):
        return sampled_example(run.model, clips.example(), context, run.options.sampler_steps)
    return None


def collate(samples: list[Sample], device: torch.device | str) -> Sample:
    return Sample(*(torch.stack(parts).to(device) for parts in zip(*samples)))


@contextmanager
def _kept_where_memory_ends(run: LoraRun, step: int, clips: Examples, processes: Processes) -> Iterator[None]:
    """For what comes before the weights move: where there is no memory for it, what the steps before it learned is
    saved. Raises ClearError then."""
    try:
        yield
        return
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
    run.optimiser.zero_grad(set_to_none=True)
    if processes.device.type == "cuda":
        torch.cuda.empty_cache()
    if processes.main and step:
        run.keep(step)
    kept = f"{run.state.path} holds what the {step} steps before it learned" if step else "Nothing was learned yet"
    raise ClearError(
        f"Memory ran out in step {step + 1}. {kept}. What takes less: "
        f"{lower(run.options, clips.size, clips.spatial, processes.device.type)}. Or close what else uses the memory "
        "and run the same again. Other settings need another folder (in ComfyUI, another name), with this LoRA as "
        "its start."
    )


def _losses(
    model, batch: Sample, context: Tensor, a: float, name: str, gain: Tensor | None, factor: Tensor | None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Flow matching: the latents between clean and noise at sigma, and the velocity noise - clean that leads from one
    to the other. name: of the recipe; factor: of its temporal term, where that is learned."""
    s = batch.sigma.view(-1, 1, 1, 1, 1)
    velocity, m_pred = model((1 - s) * batch.clean + s * batch.noise, batch.control, batch.sigma, context)
    error = losses.eps_gen(velocity, batch.noise - batch.clean, gain)
    counts = losses.TEMPORAL if factor is None else factor.clamp_min(0)
    recipe = losses.RECIPES[name]
    return losses.stage_two(error, m_pred, batch.m_prior, a, recipe, velocity, batch.sigma, counts)


@torch.no_grad()
def sampled_example(model: Adapted, sample: Sample, context: Tensor, steps: int) -> Example:
    """Sample a clip from noise in Euler steps; M_pred is that of the last step."""
    device = context.device
    control, x, levels = sample.control[None].to(device), sample.noise[None].to(device), sigmas(steps).tolist()
    for now, then in zip(levels, levels[1:]):
        velocity, m_pred = model(x, control, torch.tensor([now], device=device), context)
        x = x + (then - now) * velocity
    return Example(control.cpu(), x.cpu(), sample.clean[None], m_pred[0].cpu(), sample.m_prior)


def _diverged(step: int, state: TrainingState) -> str:
    return (
        f"The gradient was not a finite number {PATIENCE} steps in a row, so training stopped after step {step}. "
        f"Those steps changed no weight: {state.path} holds what the steps before them learned. Look for damaged "
        "frames in the pairs, mend or remove them, and continue with the same settings. If every step ends so, the "
        "rate is too high or the precision too low: train on with a lower learning rate, or in float32, in another "
        "folder (in ComfyUI, under another name) with this LoRA as its start."
    )
