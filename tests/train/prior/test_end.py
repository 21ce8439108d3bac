"""What is left when a Stage I run ends otherwise than it should."""

from dataclasses import replace

import pytest
import torch
from tiny_frames import SHORT, Frames
from tiny_pairs import clip, write, write_pair

from clear_runtime.data.frame_batches import DiskFrames
from clear_runtime.data.pairs_on_disk import check_pairs, find_pairs
from clear_runtime.errors import ClearError
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.train.prior.train import train


def prior_of(folder):
    return load_prior(folder / "prior.safetensors").model.state_dict()


@pytest.mark.parametrize("lost", ["not renewed", "gone"])
def test_a_prior_that_could_not_be_written_at_the_end_is_written_by_the_next_start(tmp_path, monkeypatch, lost):
    from clear_runtime.train.prior import run as module

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


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "pairs"
    path.mkdir()
    write_pair(path, "film")
    return path


def read(folder, on_frame=None):
    return DiskFrames(check_pairs(find_pairs(folder)), SHORT.batch, SHORT.crop, 640, on_frame=on_frame)


def test_a_stop_while_videos_are_read_keeps_the_steps_before_it(tmp_path, folder):
    looks = []

    def stop():
        looks.append(1)
        if (
            len(looks) == 8
        ):  # the second epoch begins with the fourth step, and the second reading with the seventh frame
            raise KeyboardInterrupt

    list(train(SHORT, read(folder), tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        list(train(SHORT, read(folder, stop), tmp_path / "parts"))
    assert torch.load(tmp_path / "parts" / "training.pt", weights_only=True)["step"] == 3, (
        "the last checkpoint was that after step 2"
    )
    assert [p.step for p in train(SHORT, read(folder), tmp_path / "parts")] == [4, 5, 6]
    whole, parts = prior_of(tmp_path / "whole"), prior_of(tmp_path / "parts")
    assert all(torch.equal(whole[k], parts[k]) for k in whole)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_a_video_that_is_gone_or_shorter_is_named_by_workers_too(tmp_path, folder, workers):
    batches = read(folder)
    write(folder / "film.mp4", clip(frames=3)[0])
    with pytest.raises(ClearError, match="^film has fewer frames than when it was looked through. Bring .*again.$"):
        list(train(replace(SHORT, workers=workers), batches, tmp_path / "shorter"))
    (folder / "film.mp4").unlink()
    with pytest.raises(ClearError, match="^film.mp4: there is no such file in .*name.$"):
        list(train(replace(SHORT, workers=workers), batches, tmp_path / "gone"))
