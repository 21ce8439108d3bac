"""What a prior's training begins with or goes on from, and what it refuses."""

import shutil
from dataclasses import replace

import pytest
import torch
from tiny_frames import SHORT, Frames
from tiny_pairs import write_pair

from clear_runtime.data.frame_batches import DiskFrames
from clear_runtime.data.pairs_on_disk import check_pairs, find_pairs
from clear_runtime.errors import ClearError
from clear_runtime.find.priors.checkpoints import BUNDLED, load_prior
from clear_runtime.train.prior.run import check
from clear_runtime.train.prior.train import train


def test_training_goes_on_from_a_prior(tmp_path):
    list(train(replace(SHORT, steps=1, rate=1e-12, average=0.0, start="bundled"), Frames(), tmp_path))
    bundled, trained = (
        load_prior(BUNDLED).model.state_dict(),
        load_prior(tmp_path / "prior.safetensors").model.state_dict(),
    )
    assert all(
        torch.allclose(bundled[k], trained[k], atol=1e-3) for k, _ in load_prior(BUNDLED).model.named_parameters()
    )
    with pytest.raises(ClearError, match="not a prior of the kind paper"):
        next(train(replace(SHORT, model="paper", start="bundled"), Frames(), tmp_path / "paper"))


def test_files_of_other_networks_are_no_prior(tmp_path):
    torch.save({"enter.1.0.weight": torch.zeros(3), "epoch": 3, 4: torch.zeros(1)}, tmp_path / "a.pt")
    with pytest.raises(ClearError, match="not a Stage I prior"):
        load_prior(tmp_path / "a.pt")


def test_what_is_no_tensor_in_a_prior_s_file_does_not_matter(tmp_path):
    from clear_runtime.find.priors.checkpoints import require_prior

    own = load_prior().model.state_dict()
    torch.save({**own, "epoch": 3}, tmp_path / "a.pt")
    require_prior(tmp_path / "a.pt", "light")
    assert all(
        torch.equal(value, own[name]) for name, value in load_prior(tmp_path / "a.pt").model.state_dict().items()
    )


def test_a_start_is_looked_at_without_a_network_being_built(tmp_path, monkeypatch):
    pytest.importorskip("torchvision")
    from clear_runtime.find.priors.checkpoints import save_prior
    from clear_runtime.find.priors.paper import PaperPrior

    with torch.device("meta"):
        shapes = {name: value.shape for name, value in PaperPrior().state_dict().items()}
    state = {name: torch.zeros(shape) for name, shape in shapes.items()}
    save_prior(tmp_path / "whole.safetensors", "paper", state, 1280)
    save_prior(tmp_path / "holes.safetensors", "paper", {k: v for k, v in state.items() if k != "leave.weight"}, 1280)
    imagenet = {k.removeprefix("encoder.trunk."): v for k, v in state.items() if k.startswith("encoder.trunk.")}
    torch.save(imagenet, tmp_path / "imagenet.pth")
    torch.save(imagenet | {"conv1.weight": torch.zeros(3)}, tmp_path / "other.pth")
    for name in ("kaiming_normal_", "kaiming_uniform_"):
        monkeypatch.setattr(
            torch.nn.init,
            name,
            lambda tensor, *a, **k: tensor if tensor.is_meta else pytest.fail("a network was built"),
        )
    options = replace(
        SHORT, model="paper", imagenet=str(tmp_path / "imagenet.pth"), start=str(tmp_path / "whole.safetensors")
    )
    check(options, tmp_path)
    check(replace(SHORT, start="bundled"), tmp_path)
    for changes, says in (
        (dict(start=str(tmp_path / "holes.safetensors")), r"holes.*1 tensors are missing.*first leave.weight"),
        (dict(model="light"), "whole.safetensors is not a prior of the kind light"),
        (dict(start=str(tmp_path / "gone.pt")), "no file gone.pt"),
        (dict(imagenet=str(tmp_path / "other.pth")), "other.pth is not a ResNet-50.*first conv1.weight"),
        (dict(imagenet=str(tmp_path / "gone.pth")), "no file .*gone.pth"),
    ):
        with pytest.raises(ClearError, match=says):
            check(replace(options, **changes), tmp_path)


def test_a_run_is_not_continued_on_other_pairs(tmp_path):
    folder = tmp_path / "pairs"
    folder.mkdir()
    write_pair(folder, "first")
    read = lambda where: DiskFrames(check_pairs(find_pairs(where)), 1, SHORT.crop, SHORT.long_side)
    options = replace(SHORT, batch=1, steps=1)
    list(train(options, read(folder), tmp_path / "run"))
    shutil.copytree(folder, tmp_path / "moved")
    assert list(train(options, read(tmp_path / "moved"), tmp_path / "run")) == [], "wherever they lie"
    write_pair(folder, "another")
    with pytest.raises(
        ClearError, match=r"pairs are others than those this run learned from \(new: another\)\. .*another name"
    ):
        list(train(options, read(folder), tmp_path / "run"))
    replaced = tmp_path / "moved"
    write_pair(replaced, "first", seed=9)
    with pytest.raises(ClearError, match="with other videos: first"):
        list(train(options, read(replaced), tmp_path / "run"))
    for path in replaced.iterdir():
        path.rename(path.with_name(path.name.replace("first", "last")))
    with pytest.raises(ClearError, match="gone: first; new: last"):
        list(train(options, read(replaced), tmp_path / "run"))


def test_a_run_of_the_other_stage_is_called_so(tmp_path):
    options = {"steps": 3, "rank": 64, "seed": 0}
    torch.save({"model": {}, "optimiser": {}, "average": {}, "options": options, "step": 1}, tmp_path / "training.pt")
    with pytest.raises(ClearError, match="of a run of another trainer") as refused:
        check(SHORT, tmp_path)
    assert "None" not in str(refused.value)
