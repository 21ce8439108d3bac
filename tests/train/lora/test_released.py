"""A run by what the released weights were trained by: its formulas stand in test_losses.py."""

from contextlib import closing
from dataclasses import replace

from safetensors.torch import load_file
from tiny_clips import CONTEXT
from tiny_run import SHORT, run, same, state, stored

from clear_runtime.train.lora.train import train


def test_the_released_recipe_learns_what_frame_differences_count(base, clips, tmp_path):
    """Its factor goes down with every step, for nothing but the term itself speaks for it."""
    options = replace(SHORT, recipe="released", average=0.0)
    with closing(train(options, base, clips, CONTEXT, tmp_path / "parts")) as steps:
        assert [next(steps).step for _ in range(2)] == [1, 2]
    seen = run(base, clips, tmp_path / "parts", options)
    assert set(seen[-1].terms) == {"gen", "distill", "sparse", "temporal"}
    learned = stored(tmp_path / "parts")["learned"]
    assert 0.09 < learned["temporal"].item() < 0.0995
    run(base, clips, tmp_path / "whole", options)
    assert same(state(tmp_path / "whole"), state(tmp_path / "parts"))
    assert "temporal" not in load_file(tmp_path / "whole" / "lora.safetensors")
