"""What the three training commands share: a clock, checkpoints that survive a kill, and a line of text now and then."""

import argparse
import logging
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from ..learning_rate import warm_cosine
from ..moving_average import MovingAverage
from ..state import TrainingState

log = logging.getLogger(__name__)
GRADIENT_NORM = 1.0  # the largest; longer gradients are shortened to it


def add_run_arguments(parser: argparse.ArgumentParser, minutes: float, batch: int, rate: float) -> None:
    """The flags of every run that is as long as its clock says, with these defaults."""
    parser.add_argument(
        "--data", type=Path, required=True, help="folder filled by clear_runtime.data.synthetic.sources"
    )
    parser.add_argument(
        "--run", type=Path, required=True, help="checkpoints and the result; an interrupted run continues from here"
    )
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--rate", type=float, default=rate)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)


def add_device_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of runs whose clips can be made where the network is trained."""
    parser.add_argument(
        "--on-device",
        action="store_true",
        help="clips are made on the device, many and simpler ones, instead of by --workers: for a graphics card",
    )
    parser.add_argument("--texts", type=int, default=3000, help="texts that are drawn for it before the first step")


def learn(loss: Tensor, model: nn.Module, optimiser: torch.optim.Optimizer, average: MovingAverage) -> None:
    """One step: the weights move against the loss's gradient, and their average after them."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM)
    optimiser.step()
    average.update(model.state_dict())


class ClockedRun:
    """A training run of a fixed length that saves itself and continues where it was.

    state: what must survive (modules and optimisers by name). minutes: how long it trains, over all its starts: the
    learning rate follows the clock, so that the same command fits a laptop and a large GPU. steps: how many instead.
    Raises ClearError for a checkpoint that is none, and when the disk does not take one.
    """

    def __init__(
        self, folder: Path, state: dict, minutes: float, peak: float, every: float = 60.0, steps: int | None = None
    ):
        self.seconds, self.peak, self.every, self.before, self.steps = minutes * 60, peak, every, 0.0, steps
        self.state = TrainingState(folder, {**state, "clock": self}, {})
        self.step = self.state.resume()
        if self.step:
            log.info("%.1f of %.1f min are done", self.before / 60, minutes)
        self.started = self.saved = time.monotonic()

    @property
    def spent(self) -> float:
        return self.before + time.monotonic() - self.started

    @property
    def share(self) -> float:
        """How much of it is done, 0..1: of the steps where their number is given, else of the time."""
        return min(1.0, self.step / self.steps if self.steps else self.spent / self.seconds)

    @property
    def done(self) -> bool:
        return self.share >= 1 and self.step > 0  # however short it is, it leaves something

    def rate(self, warmup: int = 50) -> float:
        """Linear warm-up, then a cosine over the clock (or the steps) down to a hundredth."""
        return warm_cosine(self.peak, self.step, warmup, self.share, 1.0)

    def tick(self, optimiser: torch.optim.Optimizer) -> bool:
        """Count a step, set the next learning rate; True when a checkpoint was due and written."""
        self.step += 1
        for group in optimiser.param_groups:
            group["lr"] = self.rate()
        if time.monotonic() - self.saved < self.every and not self.done:
            return False
        self.save()
        return True

    def save(self) -> None:
        self.state.save(self.step)
        self.saved = time.monotonic()

    def state_dict(self) -> dict:
        """The clock, as a part of the checkpoint."""
        return {"spent": self.spent}

    def load_state_dict(self, stored: dict) -> None:
        self.before = stored["spent"]
