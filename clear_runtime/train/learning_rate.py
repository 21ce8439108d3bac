"""The learning rate of a step."""

import math

FLOOR = 0.01
"""Share of the highest rate at which a cosine ends: a run that is a step from its end still learns a little."""
WARM_UP = 20
"""A scheduled run warms up over one step of so many."""


def scheduled(schedule: str, highest: float, step: int, steps: int) -> float:
    """The rate of step `step`, counted from 0, of `steps`. schedule: "constant", or "cosine" after a warm-up over 1/20
    of the run."""
    return highest if schedule == "constant" else warm_cosine(highest, step, max(1, steps // WARM_UP), step, steps)


def warm_cosine(highest: float, step: int, warm_up: int, at: float, end: float) -> float:
    """A linear rise over the first `warm_up` steps, times a cosine from `highest` down to a hundredth of it.

    at, end: where the run is and where it ends, both in steps or both in time; a run may be measured by the clock.
    """
    return highest * min(1.0, (step + 1) / warm_up) * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * at / end)))
