"""Time and memory of Stage II on the real shape, Wan2.1-Fun-V1.1-1.3B-Control's, with random weights: no file is
needed.

    python -m clear_runtime bench train-lora                                       81 frames of 832x480 and of 1280x720
    python -m clear_runtime bench train-lora --crop 9 64 64 --steps 4              what a CPU can do

Prints a row for each crop: tokens of an example, seconds a step (the median, without the first step and the last, which
also paint the example), the most memory that was taken, and what the estimate had said.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
from collections.abc import Mapping

import torch
from torch import Tensor

from ..errors import ClearError
from ..train.lora.cache import Sample, latent_size
from ..train.lora.memory import USUAL, estimate, wan_shapes
from ..train.lora.options import DTYPES, LoraOptions
from ..train.lora.train import train
from ..train.processes import Processes
from ..wan import CHANNELS, SPATIAL, TEXT_TOKENS, TEXT_WIDTH

log = logging.getLogger(__name__)


class RandomClips:
    """Examples of one size (latent frames, height and width), with a subtitle in a sixth of each."""

    spatial, changed = SPATIAL, ""

    def __init__(self, size: tuple[int, int, int]):
        self.size = size

    def __getitem__(self, k: int) -> Sample:
        generator = torch.Generator().manual_seed(k)
        clean, control, noise = (torch.randn(CHANNELS, *self.size, generator=generator) for _ in range(3))
        mask = torch.zeros(self.size)
        mask[:, -self.size[1] // 6 :] = 1
        return Sample(clean, control, noise, mask, torch.tensor(0.5))

    def example(self) -> Sample:
        return self[-1]

    def state_dict(self) -> dict:
        return {}

    def load_state_dict(self, state: Mapping) -> None:
        pass


def random_base(shapes: dict[str, tuple[int, ...]], dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: (0.02 * torch.randn(shape)).to(dtype) for name, shape in shapes.items()}


def measure(base: dict[str, Tensor], options: LoraOptions, device: torch.device | None = None) -> tuple[float, int]:
    """Seconds a step, and the most bytes of memory, on a device or on the best one there is."""
    with Processes(device) as processes, tempfile.TemporaryDirectory() as folder:
        if processes.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(processes.device)
        steps = list(
            train(
                options,
                base,
                RandomClips(latent_size(options.crop, SPATIAL)),
                torch.zeros(1, TEXT_TOKENS, TEXT_WIDTH),
                folder,
                processes,
            )
        )
    return statistics.median(p.seconds for p in steps[1:-1]), max(p.memory for p in steps)


def run(
    crop: tuple[int, int, int] | None = None,
    steps: int = 6,
    rank: int = 64,
    precision: str = "bfloat16",
    checkpointing: bool = True,
) -> None:
    """Measure crops, by default the usual ones, and log the table. Raises ClearError for fewer than 3 steps."""
    if steps < 3:
        raise ClearError(f"steps is {steps}. The first and the last are not counted: use 3 or more.")
    shapes, rows = wan_shapes(), []
    base = random_base(shapes, DTYPES[precision])
    for frames, height, width in [crop] if crop else USUAL.values():
        size = frames, height, width
        options = LoraOptions(
            steps=steps,
            crop=size,
            rank=rank,
            precision=precision,
            checkpointing=checkpointing,
            sampler_steps=1,
            checkpoint_every=steps,
            example_every=steps,
        )
        said = estimate(shapes, options, latent_size(size, SPATIAL), TEXT_TOKENS)
        seconds, most = measure(base, options)
        rows.append(
            f"| {size[0]} frames of {size[2]}x{size[1]} | {said.tokens:,} | {seconds:.2f} | {most / 2**30:.1f} GiB | "
            f"{said.total / 2**30:.1f} GiB |"
        )
        log.info("%s", rows[-1])
    log.info(
        "\n%s",
        "\n".join(
            ["| example | tokens | seconds a step | memory at most | estimate |", "|---|---|---|---|---|", *rows]
        ),
    )
