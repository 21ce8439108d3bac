"""A stop in the middle of a step, which takes a minute at 1280x720 and has many parts where batches accumulate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from torch import nn


class Stopped(Exception):
    """Somebody asked for a stop: the step at hand is dropped."""


@contextmanager
def before_each(blocks: Iterable[nn.Module], look: Callable[[], None]) -> Iterator[None]:
    """Call look() before each block computes, for the first time or again for its gradient. It may raise."""
    hooks = [block.register_forward_pre_hook(lambda *_: look()) for block in blocks]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
