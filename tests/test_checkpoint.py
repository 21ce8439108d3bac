"""What is read of a file beside its tensors."""

import os

import pytest
import torch
from safetensors.torch import save_file

from clear_runtime.checkpoint import fingerprint, read_metadata, read_shapes, read_tensors, write_tensors
from clear_runtime.errors import ClearError
from clear_runtime.find.priors.checkpoints import BUNDLED, load_prior
from clear_runtime.find.priors.predict import LONG_SIDE


def test_metadata_are_the_header_s_words_and_none_in_any_other_file(tmp_path):
    write_tensors(tmp_path / "a.safetensors", {"x": torch.zeros(1)}, {"long_side": "320"})
    write_tensors(tmp_path / "b.safetensors", {"x": torch.zeros(1)})
    torch.save({"x": torch.zeros(1)}, tmp_path / "c.safetensors")
    (tmp_path / "d.safetensors").write_bytes(b"")
    assert [read_metadata(tmp_path / f"{name}.safetensors") for name in "abcd"] == [{"long_side": "320"}, {}, {}, {}]
    with pytest.raises(ClearError, match="no file e.safetensors"):
        read_metadata(tmp_path / "e.safetensors")


def test_a_prior_in_a_torch_file_loads_whatever_its_name(tmp_path):
    state = load_prior(BUNDLED).model.state_dict()
    for name in ("prior.pt", "prior.safetensors"):
        torch.save(state, tmp_path / name)
        assert load_prior(tmp_path / name).long_side == LONG_SIDE


def test_a_header_s_length_may_look_like_a_pickle(tmp_path):
    lengths = set()
    for letters in range(1, 260, 8):  # header lengths are multiples of eight
        path = tmp_path / f"{letters}.safetensors"
        save_file({"x" * letters: torch.zeros(2)}, path)
        lengths.add(path.read_bytes()[0])
        assert list(read_shapes(path)) == list(read_tensors(path)) == ["x" * letters]
    assert 0x80 in lengths


def test_a_fingerprint_sees_one_changed_tensor():
    state = {"a": torch.arange(100.0), "b": torch.ones(3, 3)}
    assert fingerprint(state) == fingerprint({"b": torch.ones(3, 3), "a": torch.arange(100.0)})
    assert fingerprint(state) != fingerprint({**state, "b": torch.ones(3, 3) * 1.01})


def test_who_reads_a_file_keeps_the_one_of_before_when_it_is_written_anew(tmp_path):
    path, reader = tmp_path / "a.safetensors", tmp_path / "reader"
    write_tensors(path, {"x": torch.zeros(2)})
    os.link(path, reader)  # stands for a file that is open, or mapped into memory
    write_tensors(path, {"x": torch.ones(2)})
    assert read_tensors(path)["x"].sum() == 2 and read_tensors(reader)["x"].sum() == 0
