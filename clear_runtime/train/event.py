"""How far a training is: what a session tells whoever started it, a node's bar or a terminal's lines."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image


@dataclass(frozen=True)
class TrainingEvent:
    """After a piece of work.

    stage: what is being done, in words. done, total: units of that stage, clips or steps. run_done, run_total: units of
    all stages of the run together, for one bar over the whole of it. left: seconds until the stage is at its end, at
    the pace of now; None where nobody can tell yet. step: the figures of a training step (TrainingStep or PriorStep),
    None in other stages. draw: makes the picture of the run, where there is one to show now.
    """

    stage: str
    done: int
    total: int
    run_done: int
    run_total: int
    left: float | None = None
    step: Any = None
    draw: Callable[[], Image.Image] | None = None

    @property
    def picture(self) -> Image.Image | None:
        """The curves over the newest example, drawn now (some 50 ms, so not for those who show none); None for no new
        one."""
        return self.draw() if self.draw else None


OnEvent = Callable[[TrainingEvent], None]
"""May raise to stop: what was done up to then is kept."""


def ignore(event: TrainingEvent) -> None:
    """For those who want to know nothing."""


class UnitsLeft:
    """How fast units come, `each` at a time, counted from when this was made."""

    def __init__(self, each: int = 1):
        self.each, self.began, self.times = each, time.monotonic(), 0

    def left(self, done: int, total: int) -> float:
        """Seconds to the end, when `each` units more are done."""
        self.times += 1
        return (time.monotonic() - self.began) / (self.times * self.each) * (total - done)
