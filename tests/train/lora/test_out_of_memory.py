"""Memory that runs out in a step: nothing that was learned is lost, and the user is told what takes less."""

from dataclasses import replace

import pytest
import torch
from tiny_run import SHORT, run, same, state

from clear_runtime.errors import ClearError
from clear_runtime.train.lora import losses


@pytest.mark.parametrize(
    "error", [torch.cuda.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate")]
)
def test_a_step_that_finds_no_memory_keeps_what_was_learned_and_says_what_to_lower(
    base, clips, tmp_path, monkeypatch, error
):
    whole = losses.stage_two
    taken = []

    def stage_two(*given):
        taken.append(1)
        if len(taken) == 4:
            raise error
        return whole(*given)

    options = replace(SHORT, checkpoint_every=100)
    monkeypatch.setattr(losses, "stage_two", stage_two)
    with pytest.raises(ClearError, match=r"ran out in step 4\. .*the 3 steps.*takes less: gradient checkpointing; bf"):
        run(base, clips, tmp_path / "short", options)
    monkeypatch.setattr(losses, "stage_two", whole)
    assert [p.step for p in run(base, clips, tmp_path / "short", options)] == [4]
    run(base, clips, tmp_path / "whole", options)
    assert same(state(tmp_path / "whole"), state(tmp_path / "short")), "as if nothing had happened"


def test_any_other_error_stays_what_it_is(base, clips, tmp_path, monkeypatch):
    monkeypatch.setattr(losses, "stage_two", lambda *given: (_ for _ in ()).throw(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):
        run(base, clips, tmp_path)
