"""What comes next is made while something else is worked on."""

from itertools import islice
from threading import Event

import pytest

from clear_runtime.frames.parallel import one_ahead

PATIENCE = 60  # seconds, for a machine that is busy


def test_the_next_item_is_made_while_one_is_worked_on():
    asked = [Event() for _ in range(4)]

    def items():
        for n, event in enumerate(asked):
            event.set()
            yield n

    for n in one_ahead(items()):
        assert n == 3 or asked[n + 1].wait(PATIENCE)
        assert not any(event.is_set() for event in asked[n + 2 :]), "and no more than that"


def test_an_error_comes_at_its_turn():
    def items():
        yield from "ab"
        raise ValueError("torn")

    ahead = one_ahead(items())
    assert list(islice(ahead, 2)) == ["a", "b"]
    with pytest.raises(ValueError, match="torn"):
        next(ahead)


def test_it_closes_what_it_asks():
    closed = Event()

    def items():
        try:
            yield from range(10)
        finally:
            closed.set()

    ahead = one_ahead(items())
    assert next(ahead) == 0 and not closed.is_set()
    ahead.close()
    assert closed.is_set()
