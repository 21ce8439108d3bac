"""The learning rate rises, falls and ends where the trainers say."""

import math

import pytest

from clear_runtime.train.learning_rate import scheduled, warm_cosine


def test_a_constant_rate_is_constant():
    assert {scheduled("constant", 3e-4, step, 100) for step in range(100)} == {3e-4}


def test_the_cosine_rises_over_a_twentieth_and_falls_to_a_hundredth():
    rates = [scheduled("cosine", 1.0, step, 200) for step in range(201)]
    assert (
        rates[:10] == sorted(rates[:10])
        and rates[0] == pytest.approx(0.1)
        and rates[9:] == sorted(rates[9:], reverse=True)
    )
    assert (
        max(rates) == rates[9] == pytest.approx(1, abs=0.01)
        and rates[100] == pytest.approx(0.505)
        and rates[200] == pytest.approx(0.01)
    )
    assert scheduled("cosine", 1.0, 0, 1) == 1, "a run of one step has no warm-up"


@pytest.mark.parametrize("highest, steps", [(3e-3, 2000), (1e-4, 37)])
def test_runs_of_earlier_versions_go_on_with_the_same_rates_to_the_last_bit(highest, steps):
    for step in range(steps):
        falling = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps))
        assert (
            scheduled("cosine", highest, step, steps) == highest * min(1.0, (step + 1) / max(1, steps // 20)) * falling
        )


def test_a_run_may_be_measured_by_the_clock():
    for share in (0.0, 0.3, 1.0):
        assert warm_cosine(2.0, 99, 50, share, 1.0) == 2.0 * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))
