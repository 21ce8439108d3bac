"""The trainings of the bundled codec and transformer, from the command line on, for a few steps each."""

import argparse
from functools import partial

import pytest
from safetensors.torch import load_file
from tiny_maker import tiny_maker

from clear_runtime.train.nano import codec, generated, transformer
from clear_runtime.train.nano.run import ClockedRun
from clear_runtime.weights import FOLDER as WEIGHTS


@pytest.fixture
def pairs(tmp_path, monkeypatch):
    made = tiny_maker(tmp_path, monkeypatch)
    monkeypatch.setattr(generated, "PairMaker", lambda *_: made)
    for module in (codec, transformer):  # so many steps, whatever the clock says
        monkeypatch.setattr(module, "ClockedRun", partial(ClockedRun, steps=2))
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
