"""What a Stage II run needs of memory, counted from shapes before anything is loaded; and what it takes while it
runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod

import torch

from ...engines.base_model import describe_base
from ...engines.lora import read_lora
from ...errors import ClearError
from ...wan import (
    CHANNELS,
    GROUP,
    HEAD_WIDTH,
    NORM_EPS,
    PATCH,
    SPATIAL,
    TEXT_TOKENS,
    TEXT_WIDTH,
    TIME_WIDTH,
    VISION_TOKENS,
    latent_frames,
)
from .occlusion_head import HIDDEN
from .options import LoraOptions

SAVED = {"bfloat16": (46, 4, 56, 5), "float32": (72, 8, 32, 9)}
"""Bytes that a block keeps for its gradient: for each token a number times the width, times the feed-forward's width
and times the rank; and for each token of the context a number times the width. Counted from the tensors that autograd
saved (a test counts again); in bfloat16 it keeps up to a tenth less since PEFT leaves the inputs in half precision."""
KEPT = {"bfloat16": 2, "float32": 4}
"""Bytes of a block's input for each token and channel: all that is kept of a block that will be computed again."""
AROUND = 14
"""The same for what lies before and behind the blocks, and the occlusion head."""
WORKING = 32
"""The same for what comes and goes inside a block: rotary positions are turned in float64, and gradients are as large
as what they are of."""
USUAL = {"81 frames of 832x480": (81, 480, 832), "81 frames of 1280x720": (81, 720, 1280)}
"""What is trained on most: frames, height and width in pixels. A dry run and the benchmark say something about both."""
MARGIN, SPARE = 0.08, 2**29
"""Share of the estimate, and bytes, that must be free beside it: workspaces of the kernels, what the allocator cannot
use of its blocks, and the buffers in which several processes exchange gradients. Without all of them a peak was 3 %
under the estimate."""
_SMALLER = (
    (49, 480, 832),
    (33, 480, 832),
    (49, 320, 576),
    (33, 320, 576),
    (17, 320, 576),
    (17, 192, 320),
    (9, 128, 224),
)
"""Crops that are proposed where memory does not suffice, from large to small: frames, height and width in pixels."""
_NAMED = 4
"""Settings that are named where memory ran out."""
_RANKS = (32, 16)
"""Ranks that are proposed likewise."""


@dataclass(frozen=True)
class Estimate:
    """parameters: of the frozen model. trainable: of the LoRA. head: of the occlusion head, which is thrown away after
    training. share: of the LoRA in model and LoRA together, 0..1. tokens: of one example. parts: bytes by what they are
    for."""

    parameters: int
    trainable: int
    head: int
    tokens: int
    parts: dict[str, int]

    @property
    def share(self) -> float:
        return self.trainable / (self.parameters + self.trainable)

    @property
    def total(self) -> int:
        return sum(self.parts.values())

    def __str__(self) -> str:
        lines = [
            f"{self.parameters / 1e6:,.1f} million frozen parameters, {self.trainable / 1e6:,.2f} million in the LoRA "
            f"({100 * self.share:.2f} %), {self.head:,} in the occlusion head, {self.tokens:,} tokens an example"
        ]
        lines += [
            f"{size / 2**30:8.2f} GiB  {name}" for name, size in {**self.parts, "in all, about": self.total}.items()
        ]
        return "\n".join(lines)


def estimate(
    shapes: Mapping[str, tuple[int, ...]],
    options: LoraOptions,
    latent_size: tuple[int, int, int],
    context: int = TEXT_TOKENS,
) -> Estimate:
    """Memory of a run with these options on a base of these weight shapes.

    latent_size: latent frames, height and width of an example. context: tokens of the prompt's embedding.
    """
    base = describe_base(shapes)
    width, ffn = base.width, shapes["blocks.0.ffn.0.weight"][0]
    count = {name: prod(shape) for name, shape in shapes.items()}
    lora, head = _lora_size(shapes, options), width * HIDDEN * 9 + 2 * HIDDEN + 1
    tokens = latent_size[0] * (latent_size[1] // 2) * (latent_size[2] // 2)
    by_width, by_ffn, by_rank, of_context = SAVED[options.precision]
    block = options.batch * (
        tokens * (by_width * width + by_ffn * ffn + by_rank * options.rank)
        + (context + VISION_TOKENS) * of_context * width
    )
    kept = options.batch * tokens * width
    states = (
        4 + 4 + (2 if options.optimiser == "adamw8bit" else 8) + (4 if options.average else 0)
    )  # weights, gradients, moments, average
    parts = {
        "frozen weights": sum(count.values()) * KEPT[options.precision],
        "LoRA and occlusion head with gradients and optimiser": (lora + head) * states,
        "inputs of the blocks": kept * KEPT[options.precision] * base.blocks if options.checkpointing else 0,
        "one block computed again" if options.checkpointing else "all blocks": block
        * (1 if options.checkpointing else base.blocks),
        "before, behind and in between": kept * (AROUND + WORKING),
    }
    return Estimate(sum(count.values()), lora, head, tokens, {name: size for name, size in parts.items() if size})


def wan_shapes(width: int = 1536, feed_forward: int = 8960, layers: int = 30) -> dict[str, tuple[int, ...]]:
    """Weights of a Wan2.1 Fun-Control by name, for those who do not have it yet: of V1.1-1.3B unless told otherwise.
    width: channels of a token, a multiple of HEAD_WIDTH; feed_forward: those between a block's last two layers."""
    # takes seconds to import, and all other counting goes without it
    from diffsynth.models.wan_video_dit import WanModel

    with torch.device("meta"):
        model = WanModel(
            dim=width,
            in_dim=3 * CHANNELS,
            ffn_dim=feed_forward,
            out_dim=CHANNELS,
            text_dim=TEXT_WIDTH,
            freq_dim=TIME_WIDTH,
            eps=NORM_EPS,
            patch_size=PATCH,
            num_heads=width // HEAD_WIDTH,
            num_layers=layers,
            has_image_input=True,
            has_ref_conv=True,
        )
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


def _lora_size(shapes: Mapping[str, tuple[int, ...]], options: LoraOptions) -> int:
    """Parameters of the LoRA that is trained: of the file that it starts from, or of a new one."""
    if options.start is not None:
        return sum(value.numel() for value in read_lora(options.start).values())
    targets = tuple(f".{target}.weight" for target in options.targets)
    return sum(
        options.rank * sum(shape)
        for name, shape in shapes.items()
        if name.startswith("blocks.") and len(shape) == 2 and name.endswith(targets)
    )


def require_room(
    shapes: Mapping[str, tuple[int, ...]],
    options: LoraOptions,
    latent_size: tuple[int, int, int],
    context: int,
    device: str,
    available: int,
    spatial: int = SPATIAL,
) -> Estimate:
    """The estimate; ClearError with settings that would fit when it and its margin are more than `available` bytes (the
    frozen weights among them). spatial: pixels of a latent cell along one side."""
    needed = estimate(shapes, options, latent_size, context)
    if _with_margin(needed) <= available:
        return needed
    for tried, size, words in _savings(options, latent_size, spatial, device):
        fits = estimate(shapes, tried, size, context)
        if _with_margin(fits) <= available:
            advice = f"These would fit, with about {_gib(fits.total)}: {words}."
            break
    else:
        advice = "Nothing smaller would fit; take a machine with more memory."
    raise ClearError(
        f"This run needs about {_gib(needed.total)} of memory on {device}, and {_gib(available)} can be used. "
        f"{MARGIN:.0%} and {_gib(SPARE)} must be left beside "
        f"that, for what cannot be counted: {_gib(_with_margin(needed))} in all. {advice}\n{needed}"
    )


def _with_margin(needed: Estimate) -> int:
    return int(needed.total * (1 + MARGIN)) + SPARE


def _savings(
    options: LoraOptions, size: tuple[int, int, int], spatial: int, device: str
) -> Iterator[tuple[LoraOptions, tuple[int, int, int], str]]:
    """Ever smaller (options, latent size, how to say them); what costs least quality comes first. No crop is larger
    than what there is now."""
    said: list[str] = []
    if not options.checkpointing:
        options, said = replace(options, checkpointing=True), [*said, "gradient checkpointing"]
        yield options, size, ", ".join(said)
    if options.batch > 1:
        options, said = (
            replace(options, batch=1, accumulate=options.accumulate * options.batch),
            [*said, f"batch 1 and accumulate {options.accumulate * options.batch}"],
        )
        yield options, size, ", ".join(said)
    if options.precision == "float32":
        options, said = replace(options, precision="bfloat16"), [*said, "bfloat16"]
        yield options, size, ", ".join(said)
    for smaller, crop in _smaller(size, spatial):
        if crop:
            yield options, smaller, ", ".join([*said, *crop])
        for leaner, words in _leaner(options, device):
            yield leaner, smaller, ", ".join([*said, *crop, *words])


def _smaller(size: tuple[int, int, int], spatial: int) -> Iterator[tuple[tuple[int, int, int], list[str]]]:
    """Latent sizes from `size` downwards and how to ask for them."""
    yield size, []
    whole = ((size[0] - 1) * GROUP + 1, size[1] * spatial, size[2] * spatial)
    before = size
    for crop in _SMALLER:
        frames, height, width = map(min, crop, whole)
        smaller = (latent_frames(frames), height // spatial // 2 * 2, width // spatial // 2 * 2)
        if prod(smaller) < prod(before):
            before = smaller
            yield smaller, [f"a crop of {frames} frames of {width}x{height}"]


def _leaner(options: LoraOptions, device: str) -> Iterator[tuple[LoraOptions, list[str]]]:
    """Options with less for the LoRA itself. One that is trained on from a file has the file's rank."""
    words = []
    if options.optimiser != "adamw8bit" and device == "cuda":
        options, words = replace(options, optimiser="adamw8bit"), ["8-bit Adam (adamw8bit)"]
        yield options, words
    if options.start is None:
        for rank in _RANKS:
            if rank < options.rank:
                yield replace(options, rank=rank), [*words, f"rank {rank}"]


def lower(options: LoraOptions, size: tuple[int, int, int], spatial: int, device: str) -> str:
    """The settings that would take less memory than these, in words: what costs least quality first."""
    words = dict.fromkeys(said.rsplit(", ", 1)[-1] for _, _, said in _savings(options, size, spatial, device))
    return "; ".join(list(words)[:_NAMED]) or "nothing smaller is known, take a machine with more memory"


def out_of_memory(error: BaseException) -> bool:
    """Whether this is a device, or the machine, that had no memory left for a tensor. torch's CPU allocator has no
    class of its own for it."""
    return isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)) or "DefaultCPUAllocator" in str(error)


def free_memory(device: torch.device) -> int | None:
    """Bytes of a CUDA device or of the machine's memory that may be used now; None where nobody knows."""
    if device.type == "cuda":
        torch.cuda.empty_cache()  # what earlier work left to torch counts as used
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "cpu":
        import psutil  # accelerate brings it; a ComfyUI without the extra `train` imports this module too

        return psutil.virtual_memory().available
    return None


def measure_from_now(device: torch.device) -> None:
    """Let memory_used begin anew."""
    if device.type == "cuda":  # what was computed before has its own peak
        torch.cuda.reset_peak_memory_stats(device)


def memory_used(device: torch.device) -> int:
    """Bytes: the most that tensors took of a CUDA device, or what the process takes of the machine's memory now."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    import psutil  # as in free_memory

    return psutil.Process().memory_info().rss


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
