"""The training of the fill network, from the command line on, for a few steps."""

import argparse
from functools import partial

import pytest
import torch
from tiny_maker import tiny_maker

from clear_runtime.data.synthetic import sources
from clear_runtime.data.synthetic.on_device import Album
from clear_runtime.errors import ClearError
from clear_runtime.fill.network import FillNet, load_painter
from clear_runtime.train.nano import fill, generated
from clear_runtime.train.nano.run import ClockedRun


@pytest.fixture
def folder(tmp_path, monkeypatch):
    made = tiny_maker(tmp_path, monkeypatch)
    monkeypatch.setattr(generated, "PairMaker", lambda *_: made)
    monkeypatch.setattr(fill, "CROP", (48, 64))
    return tmp_path


def run(folder, monkeypatch, steps, *words):
    monkeypatch.setattr(fill, "ClockedRun", partial(ClockedRun, steps=steps))
    parser = argparse.ArgumentParser()
    fill.add_arguments(parser)
    fixed = "--batch 1 --texts 4 --held-back 2 --workers 0 --every 0"
    fill.main(parser.parse_args(["--data", str(folder), "--run", str(folder / "run"), *fixed.split(), *words]))


def test_it_is_trained_sharpened_and_goes_on(folder, monkeypatch):
    run(folder, monkeypatch, 4, "--sharpen", "0.5")
    sharp, smooth = (load_painter(folder / "run" / name).net.state_dict() for name in fill.FILES)
    assert any(not torch.equal(sharp[name], smooth[name]) for name in sharp)
    run(folder, monkeypatch, 5, "--sharpen", "0.5")
    assert torch.load(folder / "run/training.pt", weights_only=True)["step"] == 5


def test_holes_are_filled_from_what_is_beside_them_alone(folder):
    torch.manual_seed(0)
    texts = fill._masks(folder, fill.FIRST, 4, 0)
    example = fill.examples(Album(sources.pictures(folder), torch.device("cpu")), texts, 3, times=2)
    assert example.smooth.shape == example.clean.shape == (6, 3, 48, 64)
    assert set(example.holes.unique().tolist()) == {0.0, 1.0} and example.holes.flatten(1).any(1).all()
    # the text itself is nowhere to be seen: what fills its holes is near the scene
    inside = example.holes.expand_as(example.smooth) > 0
    assert (example.smooth - example.clean)[inside].abs().mean() < 0.15


def test_the_loss_counts_holes_alone():
    clean, holes = torch.rand(1, 3, 16, 16), torch.zeros(1, 1, 16, 16)
    holes[..., 4:8, 4:8] = 1
    out = torch.where(holes > 0, clean, 1 - clean)
    assert fill.loss(out, clean, holes) < 2e-3 < fill.loss(clean + 0.1 * holes, clean, holes)


def test_a_network_begins_as_the_smooth_fill():
    smooth, holes = torch.rand(1, 3, 16, 24), torch.ones(1, 1, 16, 24)
    assert torch.equal(FillNet()(smooth, holes), smooth)


@pytest.mark.parametrize("words", [("--sharpen", "1.5"), ("--texts", "0"), ("--times", "0")])
def test_what_cannot_work_is_refused_before_anything_is_drawn(folder, monkeypatch, words):
    monkeypatch.setattr(fill, "drawn_texts", None)
    with pytest.raises(ClearError, match=words[0]):
        run(folder, monkeypatch, 1, *words)
