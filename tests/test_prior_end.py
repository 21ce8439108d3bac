"""What is left when a Stage I run ends otherwise than it should."""
import pytest
import torch
from tiny_frames import SHORT, Frames

from clear_runtime.errors import ClearError
from clear_runtime.prior.checkpoints import load_prior
from clear_runtime.prior.train import train


def prior_of(folder):
    return load_prior(folder / "prior.safetensors").model.state_dict()


@pytest.mark.parametrize("lost", ["not renewed", "gone"])
def test_a_prior_that_could_not_be_written_at_the_end_is_written_by_the_next_start(tmp_path, monkeypatch, lost):
    from clear_runtime.prior import train as module
    list(train(SHORT, Frames(), tmp_path / "whole"))
    writing = module.save_prior

    def full(path, *rest):
        if torch.load(path.with_name("training.pt"), weights_only=True)["step"] == SHORT.steps:
            raise ClearError("no space")
        writing(path, *rest)
    with monkeypatch.context() as patch:
        patch.setattr(module, "save_prior", full)
        with pytest.raises(ClearError, match="no space"):
            list(train(SHORT, Frames(), tmp_path / "full"))
    if lost == "gone":
        (tmp_path / "full" / "prior.safetensors").unlink()
    assert list(train(SHORT, Frames(), tmp_path / "full")) == []
    whole, full = prior_of(tmp_path / "whole"), prior_of(tmp_path / "full")
    assert all(torch.equal(whole[k], full[k]) for k in whole)
