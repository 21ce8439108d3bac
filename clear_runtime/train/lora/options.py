"""The options of a Stage II run."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import torch

from ...errors import ClearError
from . import losses
from .model import TARGETS

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


@dataclass(frozen=True)
class TrainOptions:
    """CLEAR's own values where it names them.

    steps: in all, over every start. rate: learning rate; schedule "constant", or "cosine" after a warm-up. rank,
    targets: of the LoRA. batch: examples a step and process; accumulate: such batches before the weights move. crop:
    frames, height and width in pixels of an example. control: "as is" (the paper), "prefilled" or "both". recipe: a
    name of losses.RECIPES. middle: the block that the occlusion head reads, None for the middle one. precision: of the
    frozen weights and the arithmetic. average: decay of the moving average that is saved, 0 for none. start: a LoRA
    file to train on from. sampler_steps, at_steps: share of the noise levels that are the sampler's own
    (cache.LatentClips).
    """

    steps: int = 1000
    rate: float = 1e-4
    schedule: str = "constant"
    weight_decay: float = 1e-2
    rank: int = 64
    targets: tuple[str, ...] = TARGETS
    batch: int = 1
    accumulate: int = 1
    crop: tuple[int, int, int] = (81, 480, 832)
    control: str = "as is"
    recipe: str = "clear"
    middle: int | None = None
    precision: str = "bfloat16"
    checkpointing: bool = True
    optimiser: str = "adamw"
    average: float = 0.0
    start: str | None = None
    seed: int = 0
    sampler_steps: int = 5
    at_steps: float = 0.5
    checkpoint_every: int = 100
    example_every: int = 50

    def __post_init__(self):
        object.__setattr__(self, "targets", tuple(self.targets))
        object.__setattr__(self, "crop", tuple(self.crop))
        for name, allowed in {
            "schedule": ("constant", "cosine"),
            "recipe": tuple(losses.RECIPES),
            "precision": tuple(DTYPES),
            "optimiser": ("adamw", "adamw8bit"),
            "control": ("as is", "prefilled", "both"),
        }.items():
            if getattr(self, name) not in allowed:
                raise ClearError(
                    f"{name} is {getattr(self, name)!r}; choose {', '.join(allowed[:-1])} or {allowed[-1]}."
                )
        for name in ("steps", "rank", "batch", "accumulate", "checkpoint_every", "example_every", "sampler_steps"):
            if getattr(self, name) < 1:
                raise ClearError(f"{name} is {getattr(self, name)}; it must be 1 or more.")
        if len(self.crop) != 3 or self.crop[0] < 1 or min(self.crop[1:]) < 16:
            raise ClearError("The crop is frames, height and width: at least 1 frame of 16x16 pixels.")
        if not 0 < self.rate < inf or not 0 <= self.weight_decay < inf:
            raise ClearError(
                f"The learning rate must be above 0, weight_decay 0 or more, and neither endless; they are "
                f"{self.rate:g} and {self.weight_decay:g}."
            )
        if not 0 <= self.average < 1 or not 0 <= self.at_steps <= 1:
            raise ClearError("average must be at least 0 and under 1, and at_steps between 0 and 1.")
        if abs(self.seed) >= 2**63:
            raise ClearError(f"seed is {self.seed}; it may have 18 digits at most.")
