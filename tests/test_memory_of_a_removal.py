"""How much of a window is held at once."""

import gc

import pytest
import torch
from allocations import Copies
from toy_parts import video, white

from clear_runtime.engines.engine import Needs, Painted
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove

WINDOW = 9


@pytest.fixture(autouse=True)
def little_to_look_through():
    """What was there before a test is not its own: all modules and their parts, half a million objects."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def storages():
    """Address -> bytes of what tensors hold now."""
    gc.collect()
    tensors = [one for one in gc.get_objects() if type(one) is torch.Tensor and one.layout == torch.strided]
    held = [one.untyped_storage() for one in tensors]
    return {one.data_ptr(): one.nbytes() for one in held}


class Unchanged:
    """An engine that gives back what it was given. held: for each window, what is held beside that and is as large."""

    needs, steps = Needs(group=4), 1

    def __init__(self):
        self.before, self.held = set(storages()), []

    def paint(self, piece, seed, on_stage):
        known = self.before | {piece.frames.untyped_storage().data_ptr()}
        large = {at for at, size in storages().items() if size >= piece.frames.nbytes}
        self.held.append(large - known)
        return Painted(piece.frames)


def raw(frames, count):
    options = RemoveOptions.of(output="raw", window=WINDOW, overlap=1)
    engine = Unchanged()
    with Copies(frames[:WINDOW]) as copies:
        for n, (frame, _) in enumerate(remove(iter(frames), engine, white, options)):
            assert torch.equal(frame, frames[n])
    assert n == count - 1
    return engine, copies


def test_a_raw_window_is_copied_for_the_engine_and_for_what_comes_back_alone():
    engine, copies = raw(video(WINDOW, 16, 24), WINDOW)
    assert copies.made == 2 and engine.held == [set()]


@pytest.mark.parametrize("count", [17, 30])
def test_a_window_is_let_go_of_before_the_next_one_is_painted(count):
    engine, _ = raw(video(count, 16, 24), count)
    assert len(engine.held) > 1 and not any(engine.held)
