"""Light priors of other widths: their files, and what they start from."""

import pytest
import torch

from clear_runtime.errors import ClearError
from clear_runtime.find.priors.checkpoints import load_prior, require_prior, save_prior
from clear_runtime.find.priors.light import CONTEXT, WIDE, WIDTHS, LightPrior
from clear_runtime.train.nano.recall import Recall
from clear_runtime.train.nano.widen import start_from
from clear_runtime.train.prior.stage_one import light_stage_one

SMALL, SOME = (8, 16, 24, 32, 40), (0, 1, 0, 2, 3)


def warmed(model):
    """With counters and deviations as training leaves them."""
    torch.manual_seed(1)
    with torch.no_grad():
        model.train()(torch.rand(2, 3, 64, 64))
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
    return model.eval()


def test_files_of_other_widths_come_back(tmp_path):
    model = warmed(LightPrior(SMALL, SOME))
    save_prior(tmp_path / "a.safetensors", "light", model.state_dict(), 640)
    require_prior(tmp_path / "a.safetensors", "light")
    loaded = load_prior(tmp_path / "a.safetensors").model
    assert (loaded.widths, loaded.context) == (SMALL, SOME)
    frames = torch.rand(1, 3, 64, 96)
    assert torch.allclose(loaded(frames), model(frames), atol=0.05)
    stage = light_stage_one(loaded)
    assert stage.train()(torch.rand(2, 3, 64, 64)).f_sub.shape[1] == SMALL[2]


def test_a_file_that_lacks_a_level_is_no_prior(tmp_path):
    state = {name: value for name, value in LightPrior(SMALL).state_dict().items() if not name.startswith("down.3")}
    save_prior(tmp_path / "a.safetensors", "light", state, 640)
    for look in (load_prior, lambda path: require_prior(path, "light")):
        with pytest.raises(ClearError, match="not a Stage I prior"):
            look(tmp_path / "a.safetensors")


def test_a_wider_prior_computes_what_it_started_from():
    narrow, wide = warmed(LightPrior(SMALL)), LightPrior((8, 24, 24, 48, 56), (1, 0, 1, 2, 1))
    start_from(wide, narrow.state_dict())
    frames = torch.rand(1, 3, 64, 96)
    assert torch.allclose(wide.eval()(frames), narrow(frames), atol=1e-4)
    wide.train()(frames).square().mean().backward()
    assert all(p.grad is not None for p in wide.parameters())


def test_a_narrower_prior_cannot_start_from_a_wider_one():
    with pytest.raises(ClearError, match="at least as large"):
        start_from(LightPrior(SMALL), LightPrior(SMALL, SOME).state_dict())


def test_the_wide_prior_fits_its_budget():
    with torch.device("meta"):
        narrow, wide = (sum(p.numel() for p in LightPrior(*of).parameters()) for of in ((WIDTHS,), (WIDE, CONTEXT)))
    assert narrow < 1.1e6 and wide * 2 < 8e6


def test_memory_is_counted_from_the_widths():
    assert LightPrior().BYTES_PER_PIXEL == 181
    assert LightPrior(SMALL).BYTES_PER_PIXEL < 181 < LightPrior((48, 80, 144, 224, 288)).BYTES_PER_PIXEL


def test_recall_is_counted_by_size_and_width():
    import numpy as np

    true, recall = np.zeros((40, 200), bool), Recall()
    true[10:20, 20:60] = true[10:30, 100:200] = True
    found = true.copy()
    found[:, :40] = False
    recall.add(found, true, [(12.0, (20, 10, 59, 19)), (30.0, (100, 10, 260, 29))])
    assert recall.report() == {"size": {11: 0.5, 24: 1.0}, "width": {24: 0.5, 96: 1.0}}


def test_what_marks_computes_what_was_trained():
    """The network folds and rearranges its weights where it does not learn: to the same numbers."""
    model, frames = warmed(LightPrior(SMALL, SOME)), torch.rand(1, 3, 64, 96)
    folded = model(frames)
    for module in model.modules():
        module.training = not isinstance(module, torch.nn.BatchNorm2d)
    plain = model(frames)
    assert plain.std() > 0.01 and torch.allclose(folded, plain, atol=1e-5)
