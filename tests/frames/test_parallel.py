"""Pieces of work on several cores come out in order, in the caller's modes, and stop at the first that fails."""

import threading

import pytest
import torch

from clear_runtime.frames.parallel import MOST, in_order

CPU = torch.device("cpu")


@pytest.fixture(autouse=True, params=[1, 3, 7], ids=["one core", "three cores", "seven"])
def cores(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield min(request.param, MOST)
    torch.set_num_threads(before)


def test_results_come_in_order_and_each_is_finished_after_the_one_before(cores):
    finished = []

    def finish(item, made):
        finished.append(item)
        return made + len(finished)

    assert list(in_order(lambda n: 10 * n, range(20), CPU, finish)) == [11 * n + 1 for n in range(20)]
    assert finished == list(range(20)) and min(torch.get_num_threads(), MOST) == cores


def test_it_takes_as_many_threads_as_torch_has_cores_and_each_splits_nothing(cores):
    together = threading.Barrier(cores, timeout=60)

    def work(_):
        together.wait()
        return threading.current_thread(), torch.get_num_threads()

    threads, counts = zip(*in_order(work, range(3 * cores), CPU))
    assert len(set(threads)) == cores and set(counts) == {1}


def test_the_modes_are_the_callers():
    modes = lambda n: (torch.is_inference_mode_enabled(), torch.is_grad_enabled())
    assert set(in_order(modes, range(8), CPU)) == {(False, True)}
    with torch.no_grad():
        assert set(in_order(modes, range(8), CPU)) == {(False, False)}
    with torch.inference_mode():
        assert set(in_order(modes, range(8), CPU)) == {(True, False)}


def test_an_exception_comes_out_and_nothing_begins_any_more(cores):
    begun = []

    def work(n):
        begun.append(n)
        if n == 2:
            raise ValueError("the third")
        return n

    got = []
    with pytest.raises(ValueError, match="the third"):
        for one in in_order(work, range(1000), CPU):
            got.append(one)
    assert got == [0, 1] and len(begun) <= 3 + 2 * cores


def test_whoever_asks_for_no_more_gets_no_more(cores):
    begun = []
    results = in_order(begun.append, range(1000), CPU)
    next(results)
    results.close()
    assert len(begun) <= 1 + 3 * cores


def test_a_card_gets_one_piece_after_the_other():
    here = threading.current_thread()
    assert set(in_order(lambda n: threading.current_thread(), range(4), torch.device("meta"))) == {here}
