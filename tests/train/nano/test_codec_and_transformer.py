"""The trainings of the bundled codec and transformer, from the command line on, for a few steps each."""

import argparse
from functools import partial

import pytest
import torch
from safetensors.torch import load_file
from tiny_maker import tiny_maker

from clear_runtime.train.nano import codec, drawn_texts, generated, model, transformer
from clear_runtime.train.nano.run import ClockedRun
from clear_runtime.weights import FOLDER as WEIGHTS


@pytest.fixture
def pairs(tmp_path, monkeypatch):
    made = tiny_maker(tmp_path, monkeypatch)
    monkeypatch.setattr(generated, "PairMaker", lambda *_: made)
    for module in (codec, transformer):  # so many steps, whatever the clock says
        monkeypatch.setattr(module, "ClockedRun", partial(ClockedRun, steps=2))
    for name, value in (("FRAMES", 5), ("HEIGHT", 64), ("WIDTH", 128), ("CROPS", ((5, 48, 64), (5, 32, 96)))):
        monkeypatch.setattr(transformer, name, value)
    return tmp_path


def run(module, *words):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    module.main(parser.parse_args([*map(str, words), "--workers", "0"]))


def test_a_codec_is_trained_without_workers(pairs, monkeypatch):
    monkeypatch.setattr(codec, "POOL", 3)
    monkeypatch.setattr(codec, "HELD_BACK", 1)
    run(codec, "--data", pairs, "--run", pairs / "run", "--batch", 1)
    made = load_file(pairs / "run" / "nano_codec.safetensors")
    assert made.keys() == load_file(WEIGHTS / "nano_codec.safetensors").keys()


@pytest.mark.slow
def test_a_transformer_is_trained_without_workers(pairs, monkeypatch):
    monkeypatch.setattr(transformer, "LEAST", 1)
    monkeypatch.setattr(transformer, "HELD_BACK", 1)
    monkeypatch.setattr(transformer, "AT_A_TIME", 1)
    words = ("--codec", WEIGHTS / "nano_codec.safetensors", "--batch", 1, "--fresh", 0)
    run(transformer, "--data", pairs, "--run", pairs / "run", *words)
    for name in ("nano_transformer.safetensors", "nano_lora.safetensors"):
        assert load_file(pairs / "run" / name)


@pytest.mark.slow
def test_both_are_trained_of_clips_that_are_made_on_the_device(pairs, monkeypatch):
    for module, name, value in (
        (codec, "POOL", 3),
        (codec, "HELD_BACK", 1),
        (codec, "SIZE", (32, 64)),
        (transformer, "LEAST", 1),
        (transformer, "HELD_BACK", 1),
        (transformer, "AT_A_TIME", 1),
        (drawn_texts, "AT_A_TIME", 4),
    ):
        monkeypatch.setattr(module, name, value)
    run(model, "--data", pairs, "--run", pairs / "run", "--batch", 1, "--texts", 2, "--on-device")
    for name in ("nano_codec.safetensors", "nano_transformer.safetensors", "nano_lora.safetensors"):
        made, bundled = load_file(pairs / "run" / name), load_file(WEIGHTS / name)
        assert {key: value.shape for key, value in made.items()} == {key: value.shape for key, value in bundled.items()}


def test_what_is_filled_on_the_device_is_nearer_to_the_scene_than_the_letters(pairs):
    torch.manual_seed(0)
    words = argparse.Namespace(data=pairs, texts=2, workers=0)
    clean, subtitled, filled, mask = next(transformer.triples_on_device(words, torch.device("cpu")))
    assert clean.shape == (transformer.AT_A_TIME, transformer.FRAMES, transformer.HEIGHT, transformer.WIDTH, 3)
    inside, off = mask > 0, lambda video: (video.float() - clean.float()).abs()
    assert off(filled)[inside].mean() < off(subtitled)[inside].mean()
    assert (filled == subtitled)[~inside].all()
