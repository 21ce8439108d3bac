"""Many pieces of work at once on a CPU, each on a core of its own.

A fill is made of many small operations. Each of them split among the cores, as torch does by itself, gains little: two
cores were hardly faster than one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import lru_cache
from itertools import islice
from threading import Barrier
from typing import Any, TypeVar

import torch

Item = TypeVar("Item")
MOST = 4
"""Cores that are used at most: each piece at hand takes memory."""
AHEAD = 1
"""Pieces more than cores that are begun before they are asked for."""


def cores_used() -> int:
    """How many pieces of work are done at once on a CPU."""
    return min(torch.get_num_threads(), MOST)


def in_order(
    begin: Callable[[Item], Any],
    items: Sequence[Item],
    device: torch.device,
    finish: Callable[[Item, Any], Any] | None = None,
) -> Iterator[Any]:
    """What `begin` makes of each item, in their order; several at once on a CPU that has several cores (of those that
    torch uses, MOST), else one after the other.

    finish: makes the result of an item and of what `begin` made of it, one item after the other, where it needs what it
    made of the one before. An exception of either comes out here, and nothing is begun any more.
    """
    if device.type == "cpu" and min(cores_used(), len(items)) > 1:
        yield from _at_once(_pool(cores_used()), begin, items, finish)
        return
    for item in items:
        made = begin(item)
        yield made if finish is None else finish(item, made)


def one_ahead(items: Generator[Item, None, None]) -> Generator[Item, None, None]:
    """The items of a generator, each made while the one before it is worked on. An exception of the generator comes out
    at its item's turn; it is closed with this one."""
    end = object()
    made = _maker().submit(next, items, end)
    try:
        while (item := made.result()) is not end:
            made = _maker().submit(next, items, end)
            yield item
    finally:
        wait([made])
        items.close()


def _at_once(pool: _Pool, begin: Callable, items: Sequence[Item], finish: Callable | None) -> Iterator[Any]:
    rest = iter(items)
    begun: deque[tuple[Item, Future]] = deque()

    def begin_next(count: int) -> None:
        begun.extend((item, pool.submit(begin, item)) for item in islice(rest, count))

    try:
        begin_next(pool.cores + AHEAD)
        while begun:
            item, future = begun.popleft()
            made = future.result()
            begin_next(1)
            yield made if finish is None else pool.submit(finish, item, made).result()
    finally:
        for _, future in begun:
            future.cancel()


class _Pool:
    """Threads in which torch splits no operation."""

    def __init__(self, cores: int):
        self.cores, before = cores, torch.get_num_threads()
        self._threads = ThreadPoolExecutor(cores, "clear")
        # a thread counts for itself, but how it counts at first is one number of the whole process
        everyone = Barrier(cores)
        for future in [self._threads.submit(_alone, everyone) for _ in range(cores)]:
            future.result()
        torch.set_num_threads(before)

    def submit(self, work: Callable, *args: Any) -> Future:
        """As an executor's, with this thread's modes: they are another's own."""
        return self._threads.submit(_in_mode, torch.is_inference_mode_enabled(), torch.is_grad_enabled(), work, *args)


@lru_cache(1)
def _pool(cores: int) -> _Pool:
    return _Pool(cores)


@lru_cache(1)
def _maker() -> _Pool:
    return _Pool(1)


def _alone(everyone: Barrier) -> None:
    torch.get_num_threads()  # at the first question a thread counts as the process does, whatever it was told before
    everyone.wait()  # so that each of the threads does this once
    torch.set_num_threads(1)


def _in_mode(inference: bool, grad: bool, work: Callable, *args: Any) -> Any:
    with torch.inference_mode(inference), torch.set_grad_enabled(grad and not inference):
        return work(*args)
