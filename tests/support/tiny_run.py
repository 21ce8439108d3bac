"""A short Stage II run on tiny clips and a tiny base, and what it leaves."""

import torch
from tiny_clips import CONTEXT

from clear_runtime.train.lora.options import LoraOptions
from clear_runtime.train.lora.train import train

SHORT = LoraOptions(
    steps=4,
    rank=4,
    crop=(5, 32, 64),
    precision="float32",
    checkpointing=False,
    checkpoint_every=2,
    example_every=3,
    seed=3,
    rate=1e-3,
    sampler_steps=1,
    average=0.9,
    recipe="paper",
)


def run(base, clips, folder, options=SHORT, **more):
    return list(train(options, base, clips, CONTEXT, folder, **more))


def stored(folder):
    return torch.load(folder / "training.pt", weights_only=True)


def state(folder):
    """What was learned, its moving average and Adam's moments, by name."""
    kept = stored(folder)
    return {
        **kept["learned"],
        **{f"average.{k}": v for k, v in kept["average"]["values"].items()},
        **{f"moment.{k}": v["exp_avg_sq"] for k, v in kept["optimiser"]["state"].items()},
    }


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)
