"""What the three training commands share: a clock, checkpoints that survive a kill, and a line of text now and then."""
import logging
import os
import time
from pathlib import Path

import torch

from ..training.learning_rate import warm_cosine

log = logging.getLogger(__name__)


class Run:
    """A training run of a fixed length that saves itself and continues where it was.

    state: what must survive (modules and optimisers by name). minutes: how long it trains, over all its starts: the
    learning rate follows the clock, so that the same command fits a laptop and a large GPU.
    """

    def __init__(self, folder: Path, state: dict, minutes: float, peak: float, every: float = 60.0):
        self.path, self.state, self.seconds, self.peak, self.every = Path(folder) / "run.pt", state, minutes * 60, peak, every
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.step, self.before = 0, 0.0
        if self.path.exists():
            saved = torch.load(self.path, weights_only=True, map_location="cpu")
            for name, part in state.items():
                part.load_state_dict(saved[name])
            self.step, self.before = saved["step"], saved["spent"]
            log.info("continues at step %d, after %.1f min", self.step, self.before / 60)
        self.started = self.saved = time.monotonic()

    @property
    def spent(self) -> float:
        return self.before + time.monotonic() - self.started

    @property
    def done(self) -> bool:
        return self.spent >= self.seconds

    def rate(self, warmup: int = 50) -> float:
        """Linear warm-up, then a cosine over the clock down to a hundredth."""
        return warm_cosine(self.peak, self.step, warmup, min(1.0, self.spent / self.seconds), 1.0)

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
        partial = self.path.with_suffix(".partial")
        torch.save({**{name: part.state_dict() for name, part in self.state.items()}, "step": self.step, "spent": self.spent}, partial)
        os.replace(partial, self.path)
        self.saved = time.monotonic()
