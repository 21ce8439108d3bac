"""The options of a Stage I run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ...errors import ClearError
from .losses import Weights

OWN = {
    "paper": dict(steps=None, rate=2e-5, schedule="constant", average=0.0, long_side=1280),
    "light": dict(steps=2000, rate=3e-3, schedule="cosine", average=0.998, long_side=640),
}
"""What each model is trained with unless told otherwise. The paper's: CLEAR, one epoch of AdamW at 2e-5, from ImageNet
weights, on 1280x720. The light one begins without any weights, so it takes larger and falling steps, and is averaged
over them."""
FROM_A_PRIOR = 3e-4
"""The light one's rate where it does begin with weights: larger steps would first forget what they know."""


@dataclass(frozen=True)
class TrainOptions:
    """Options that are None are the model's own (see OWN and FROM_A_PRIOR).

    steps: how many to train in all, over every start; None for one epoch. crop: height and width in pixels, multiples
    of 32. long_side: frames are scaled to at most this before they are cut, and the prior will see them so later.
    batch: frames per process and step. rate: the highest learning rate. schedule: "constant", or "cosine" after a
    warm-up. average: decay of the moving average that is saved as the prior, 0 for none. start: "scratch", "bundled"
    (light) or the file of a prior. imagenet: the file of ResNet-50's weights; None looks for torchvision's own in
    torch's hub cache.
    """

    model: str = "light"
    steps: int | None = None
    batch: int = 8
    crop: tuple[int, int] = (192, 320)
    long_side: int | None = None
    rate: float | None = None
    schedule: str | None = None
    weight_decay: float = 1e-3
    average: float | None = None
    weights: Weights = field(default_factory=Weights)
    start: str = "scratch"
    imagenet: str | None = None
    precision: str = "float32"
    seed: int = 0
    checkpoint_every: int = 200
    example_every: int = 50
    workers: int = 0

    def __post_init__(self):
        object.__setattr__(self, "crop", tuple(self.crop))
        if self.model not in OWN:
            raise ClearError(f"There is no model {self.model!r}; choose {' or '.join(OWN)}.")
        own = OWN[self.model] | ({"rate": FROM_A_PRIOR} if self.model == "light" and self.start != "scratch" else {})
        for name, value in own.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        for name, allowed in {"schedule": ("constant", "cosine"), "precision": ("float32", "bfloat16")}.items():
            if getattr(self, name) not in allowed:
                raise ClearError(f"{name} is {getattr(self, name)!r}; choose {' or '.join(allowed)}.")
        if any(side % 32 or side < 32 for side in self.crop):
            raise ClearError(f"The crop is {self.crop[0]}x{self.crop[1]} pixels; both sides must be multiples of 32.")
        if (
            min(
                1 if self.steps is None else self.steps,
                self.batch,
                self.checkpoint_every,
                self.example_every,
                self.long_side,
            )
            < 1
        ):
            raise ClearError("steps, batch, long_side, checkpoint_every and example_every must be 1 or more.")
        if (
            self.batch * self.crop[0] * self.crop[1] == 32 * 32
        ):  # at 1/32 one value is left, which has no deviation for BatchNorm to divide by
            raise ClearError(
                "One frame of 32x32 pixels a step is too little to train on; choose a larger crop or batch."
            )
        if not 0 <= self.average < 1 or not 0 < self.rate < math.inf:
            raise ClearError("average must be at least 0 and under 1, and the learning rate above 0 and finite.")
        if (
            self.workers < 0 or not 0 <= self.weight_decay < math.inf or abs(self.seed) >= 2**63
        ):  # torch takes no longer seed
            raise ClearError(
                "workers and weight_decay must be 0 or more, weight_decay finite, and the seed between -2^63 and 2^63."
            )

    def resolved(self) -> ResolvedOptions:
        """The same, for those who want to know that no model's own value is missing."""
        return ResolvedOptions(**vars(self))


@dataclass(frozen=True)
class ResolvedOptions(TrainOptions):
    """Options as a run has them: whatever was the model's own has its value. steps may be an epoch still."""

    long_side: int = 0
    rate: float = 0.0
    schedule: str = ""
    average: float = 0.0
