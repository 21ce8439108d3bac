"""Trainable: seconds a step and memory of Stage II at rank 64 on the real shape, and of Stage I's paper model."""

from __future__ import annotations

import statistics
from functools import partial

import torch

from ...data.frame_batches import Batch
from ...train.lora.memory import estimate
from ...train.lora.options import LoraOptions
from ...train.prior.losses import Weights, stage_one
from ...wan import TEXT_TOKENS
from ..train_lora import measure
from .part import Run, begin, cost
from .shapes import ClipSize, base_shapes, clips, random_base

STAGE_ONE = ((8, 192, 320), (4, 704, 1280))
"""Frames, height and width of a step: the trainer's default, and the paper's size."""
TAKES = {"small": 25, "large": 55}  # seconds for all steps of a measurement, at most


def main() -> None:
    run = begin()
    small, large = clips(run.tiny)
    shapes = base_shapes(run.tiny)
    base = random_base(shapes, torch.float32 if run.device.type == "cpu" else torch.bfloat16, run.device)
    two = lambda clip, steps, takes: run.attempt(
        f"Stage II, {clip}", partial(_stage_two, run, base, shapes, clip, steps), takes
    )
    two(small, 5, TAKES["small"])
    for size in ((2, 64, 64),) if run.tiny else STAGE_ONE:
        run.attempt(f"Stage I, {size[0]} frames of {size[2]}x{size[1]}", partial(_stage_one, run, size), 8)
    two(large, 4, TAKES["large"])


def _stage_two(run: Run, base: dict, shapes: dict, clip: ClipSize, steps: int) -> dict:
    options = LoraOptions(
        steps=steps,
        crop=(clip.frames, clip.height, clip.width),
        rank=4 if run.tiny else 64,
        precision="float32" if run.device.type == "cpu" else "bfloat16",
        sampler_steps=1,
        checkpoint_every=steps,
        example_every=steps,
    )
    said = estimate(shapes, options, clip.latents, TEXT_TOKENS)
    seconds, most = measure(base, options, run.device)
    return {
        "tokens": said.tokens,
        "seconds_a_step": round(seconds, 3),
        "gib": round(most / 2**30, 2),
        "estimated_gib": round(said.total / 2**30, 2),
    }


def _stage_one(run: Run, size: tuple[int, int, int], steps: int = 4) -> dict:
    """Forward, losses, backward and the optimiser's step, on random frames, in bfloat16 as the trainer does it."""
    # brings torchvision
    from ...train.prior.stage_one import light_stage_one, paper_stage_one

    count, height, width = size
    model = (light_stage_one() if run.tiny else paper_stage_one()).to(run.device).train()
    optimiser = torch.optim.AdamW(model.parameters(), 2e-5)
    labels = torch.zeros(count, 1, height, width)
    labels[:, :, -height // 6 :] = 1
    batch = Batch(torch.rand(count, 3, height, width), torch.rand(count, 3, height, width), labels)
    batch = Batch(*(part.to(run.device) for part in batch))

    def step() -> None:
        with torch.autocast(run.device.type, torch.bfloat16):
            outputs = model(batch.subtitled)
        outputs = type(outputs)(*(part.float() for part in outputs))
        loss, _ = stage_one(outputs, batch.labels, batch.clean, Weights())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    step()
    took = [cost(run.device, step) for _ in range(steps)]
    most = max((one.memory for one in took if one.memory is not None), default=None)
    gib = {} if most is None else {"gib": round(most / 2**30, 2)}
    return {"seconds_a_step": round(statistics.median(one.seconds for one in took), 4), **gib}


if __name__ == "__main__":
    main()
