"""What every Denoiser must do for progress and Cancel."""

import pytest
import tiny_wan

from clear_runtime.engines import schedule


class Stop(Exception):
    pass


def require_steps_reported_and_stopped(denoiser) -> None:
    """on_step is called with the number of each step and how many there are; what it raises ends the run."""
    noise, control, _ = tiny_wan.window(frames=1)
    seen = []

    def on_step(i, n):
        seen.append((i, n))
        if i == 2:
            raise Stop

    with pytest.raises(Stop):
        denoiser(noise, control, schedule.sigmas(5), on_step)
    assert seen == [(1, 5), (2, 5)]
