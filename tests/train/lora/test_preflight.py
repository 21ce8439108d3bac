"""What is said before anything takes long."""

from dataclasses import replace

import pytest
import tiny_wan
import torch
from tiny_clips import CONTEXT

from clear_runtime.engines.lora import write_lora
from clear_runtime.errors import ClearError
from clear_runtime.train.lora.options import LoraOptions
from clear_runtime.train.lora.preflight import preflight
from clear_runtime.train.lora.run import require_same_run

OPTIONS = LoraOptions(rank=4, crop=(5, 32, 64), precision="float32")
CPU = torch.device("cpu")


def shapes(state):
    return {name: tuple(value.shape) for name, value in state.items()}


@pytest.fixture(scope="module")
def base():
    return shapes(tiny_wan.wan_state())


def looked(base, options=OPTIONS, available=2**40, device=CPU):
    return preflight(options, base, (2, 8, 16), 1, device, available)


def test_shapes_are_enough_to_say_what_a_run_needs(base):
    assert looked(base).total == looked(base, available=None).total > 2**20


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(targets=("q", "gate")), "ends in gate"),
        (dict(targets=("q", "head")), "ends in head"),
        (dict(targets=("proj.1",)), r"ends in proj\.1"),
        (dict(middle=7), "blocks 0 to 1"),
        (dict(start="gone.safetensors"), "no file gone"),
    ],
)
def test_options_that_do_not_fit_the_base_are_refused(base, changes, words):
    with pytest.raises(ClearError, match=words):
        looked(base, replace(OPTIONS, **changes))


def test_a_lora_of_another_model_is_no_start(base, tmp_path):
    state = tiny_wan.lora_state(tiny_wan.wan_state(blocks=3))
    write_lora(tmp_path / "big.safetensors", state)
    with pytest.raises(ClearError, match="name a layer that is not there"):
        looked(base, replace(OPTIONS, start=str(tmp_path / "big.safetensors")))


def test_too_little_memory_and_another_base_are_said(base):
    with pytest.raises(ClearError, match="needs about"):
        looked(base, available=2**20)
    with pytest.raises(ClearError, match="16 input channels"):
        looked(shapes(tiny_wan.wan_state(channels=16)))


@pytest.mark.parametrize("raised", [TypeError, RuntimeError])
def test_a_device_without_float64_is_refused(base, monkeypatch, raised):
    def none(*_, **__):
        raise raised("no float64 here")

    monkeypatch.setattr(torch, "zeros", none)
    with pytest.raises(ClearError, match=r"no float64 here.*--cpu"):
        looked(base, device=torch.device("mps"))


def test_a_folder_with_somebody_s_lora_or_another_trainer_s_checkpoint_is_refused(tmp_path):
    state = tiny_wan.wan_state(blocks=1)
    require_same_run(OPTIONS, state, CONTEXT, tmp_path / "new", [])
    (tmp_path / "lora.safetensors").write_bytes(b"mine")
    with pytest.raises(ClearError, match="Nothing is overwritten"):
        require_same_run(OPTIONS, state, CONTEXT, tmp_path, [])
    torch.save({"weights": torch.zeros(1)}, tmp_path / "training.pt")
    with pytest.raises(ClearError, match="not a checkpoint of this trainer"):
        require_same_run(OPTIONS, state, CONTEXT, tmp_path, [])
