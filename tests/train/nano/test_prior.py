"""The command that trains the bundled prior: its batches, its loss, and a run that stops and goes on."""

import argparse

import pytest
import torch
from tiny_maker import tiny_maker

from clear_runtime.data.frame_batches import GeneratedFrames
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.train.nano import generated
from clear_runtime.train.nano import prior as train_prior
from clear_runtime.train.nano.prior import Batches, add_arguments, loss, main
from clear_runtime.train.prior.losses import dice

SMALL = ["--widths", "8", "8", "16", "16", "16", "--context", "0", "0", "0", "1", "0"]


@pytest.fixture
def maker(tmp_path, monkeypatch):
    made = tiny_maker(tmp_path, monkeypatch)
    for module in (generated, train_prior):
        monkeypatch.setattr(module, "PairMaker", lambda *a, **k: made)
    monkeypatch.setattr(train_prior, "WHOLE", (64, 128))
    return made


def run(tmp_path, *more):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    fixed = f"--data {tmp_path} --run {tmp_path}/run --batch 2 --crop 64 96 --workers 0 --device cpu"
    main(parser.parse_args([*fixed.split(), *SMALL, *more]))
    return torch.load(tmp_path / "run/training.pt", weights_only=True)


def test_a_run_stops_and_goes_on_with_the_next_batch(maker, tmp_path, monkeypatch):
    asked, item = [], Batches.item
    monkeypatch.setattr(Batches, "item", lambda self, i: (asked.append(i), item(self, i))[1])
    assert run(tmp_path, "--steps", "2")["step"] == 2
    assert run(tmp_path, "--steps", "5")["step"] == 5
    assert asked == [0, 1, 2, 3, 4]
    prior = load_prior(tmp_path / "run/nano_prior.safetensors").model
    assert prior.widths == (8, 8, 16, 16, 16) and prior.context == (0, 0, 0, 1, 0)


def test_it_starts_from_a_narrower_prior(maker, tmp_path):
    run(tmp_path, "--steps", "1")
    started = train_prior.build((8, 16, 16, 24, 24), (0, 0, 0, 1, 1), str(tmp_path / "run/nano_prior.safetensors"))
    frames = torch.rand(1, 3, 64, 64)
    before = load_prior(tmp_path / "run/nano_prior.safetensors").model
    assert torch.allclose(started.eval()(frames), before.eval()(frames), atol=1e-4)


def test_batches_hold_as_many_pixels_whatever_their_shape(maker, tmp_path):
    batches = Batches(tmp_path, 0, 8, 4, (64, 96))
    shapes = set()
    for i in range(8):
        frames, masks = batches[i]
        assert (
            frames.shape[0] == masks.shape[0]
            and frames.shape[2:] == masks.shape[1:]
            and frames.dtype == masks.dtype == torch.uint8
        )
        assert 0.7 < masks.numel() / (4 * 64 * 96) < 1.4
        shapes.add(tuple(frames.shape[2:]))
    assert shapes == {(64, 96), (96, 64), (64, 128), (128, 64)}
    assert all(torch.equal(a, b) for a, b in zip(batches[2], Batches(tmp_path, 0, 8, 4, (64, 96))[2]))


def test_pixels_beside_letters_weigh_more():
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 10:20, 10:20] = 1
    beside, far = torch.full_like(mask, -8.0) + 16 * mask, torch.full_like(mask, -8.0) + 16 * mask
    beside[..., 20:22, 10:20], far[..., 26:28, 10:20] = 4.0, 4.0
    assert loss(beside, mask, 0.0).item() == pytest.approx(loss(far, mask, 0.0).item())
    assert loss(beside, mask, 1.0) > loss(far, mask, 1.0) + 0.05
    assert loss(beside, mask, 0.0) == torch.nn.functional.binary_cross_entropy_with_logits(beside, mask) + dice(
        beside, mask
    )


def test_a_frame_that_cannot_be_drawn_is_replaced(maker, tmp_path, caplog):
    frame = maker.frame
    maker.frame = lambda seed, *a, **k: (
        (_ for _ in ()).throw(ValueError("no such glyph")) if seed == 5 else frame(seed, *a, **k)
    )
    frames, _ = Batches(tmp_path, 4, 8, 4, (64, 96))[0]
    assert len(frames) == 4 and "frame 5 could not be drawn (no such glyph)" in caplog.text


@pytest.mark.parametrize("exact", [True, False])
def test_stage_one_learns_short_words_too(maker, tmp_path, monkeypatch, exact):
    """A word of few pixels is left out of pseudo-labels, in which it may be noise, and never of the masks that were
    drawn."""
    monkeypatch.setattr("clear_runtime.data.frame_batches.PairMaker", lambda *a: maker)
    frame = maker.frame
    maker.frame = lambda seed, height, width, empty, *a, **k: frame(
        seed, height, width, 0.0, corners=0, busy=0, kind="tiny", size=8.0, room=14
    )
    batch = GeneratedFrames(tmp_path, 4, (192, 320), exact=exact)[0]
    assert batch.subtitled.shape == batch.clean.shape == (4, 3, 192, 320) and batch.labels.shape == (4, 1, 192, 320)
    if exact:
        assert batch.labels.flatten(1).sum(1).min() > 0
