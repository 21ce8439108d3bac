"""Train the bundled codec.

    python -m clear_runtime train-nano codec --data FOLDER --run FOLDER --minutes 12

Starts at the principal components of the blocks and learns what a linear transform leaves: L1 on pixels, on their
differences in space, and squared error; a little noise on the latents, which is what the transformer will make of them.
"""

import argparse
import logging
import random
from collections.abc import Iterator
from pathlib import Path

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from ...data.synthetic import sources
from ...data.synthetic.on_device import Album, burnt
from ...engines.nano.codec import NanoCodecNet, to_blocks
from ..moving_average import MovingAverage
from .drawn_texts import drawn_texts
from .generated import ENDLESS, GROUND_HEIGHT, Generated, stream
from .run import ClockedRun, add_device_arguments, add_run_arguments, learn
from .store import save_fp16

log = logging.getLogger(__name__)
FIRST = 10**6
"""Seed of the first clip, far from those of the other trainings."""
FRAMES, SIZE = 9, (96, 160)
"""Of a clip: frames, and height and width in pixels."""
LETTERS = (10.0, 60.0)
"""Pixels of an em, where clips are made on the device."""
HELD_BACK = 24
"""Clips of pictures and fonts that nothing is trained on, on which it is scored."""
POOL = 12
"""Batches of clips that are drawn from again and again."""
START_FROM = 100_000
"""Blocks of which the principal components are taken."""
NOISE = 0.03
"""Deviation of what is added to the latents before they are decoded: the transformer's are never exact either."""
SMALL = 1e-4
"""Factor of the latents' mean square in the loss: making them large against the noise shall gain nothing."""


def clips_on_device(args, device: torch.device) -> Iterator[Tensor]:
    """Batches [N, T, 3, H, W] uint8 that are made on the device."""
    pictures = Album(sources.pictures(args.data, False), device)
    layers = drawn_texts(args.data, FIRST, args.texts, SIZE, LETTERS, args.workers, boxes=True).to(device)
    while True:
        yield (255 * burnt(pictures, layers, args.batch, FRAMES, empty=0.5).subtitled).round().byte()


class CodecClips(Generated):
    """Clips of 9 frames, one in two with subtitles; item i is the pair of seed `first + i`."""

    def __init__(self, folder: Path, first: int, count: int, size: tuple[int, int] = SIZE, validation: bool = False):
        super().__init__(folder, first, count, validation)
        self.size = size

    def item(self, i: int) -> Tensor:
        _, subtitled, _ = self.maker.make(self.first + i, FRAMES, *self.size, empty=0.5, frame_height=GROUND_HEIGHT)
        return torch.from_numpy(rearrange(subtitled, "t h w c -> t c h w").copy())


def loss(out: Tensor, frames: Tensor) -> Tensor:
    slope = sum((out.diff(dim=d) - frames.diff(dim=d)).abs().mean() for d in (-1, -2))
    return F.l1_loss(out, frames) + 0.25 * slope + 0.5 * F.mse_loss(out, frames)


@torch.no_grad()
def mean_psnr(model: NanoCodecNet, clips: list[Tensor], device) -> float:
    """Mean over clips of the peak signal-to-noise ratio in dB of decode(encode(x))."""
    values = []
    for batch in clips:
        x = batch.to(device).float() / 255
        error = (model.decode(model.encode(x)).clamp(0, 1) - x).square().mean((1, 2, 3, 4))
        values.append(-10 * error.clamp_min(1e-7).log10())
    return torch.cat(values).mean().item()


@torch.no_grad()
def whiten(model: NanoCodecNet, clips: list[Tensor], device) -> None:
    """Set mean and std, so that latents come out with zero mean and unit variance by channel."""
    model.mean.zero_(), model.std.fill_(1)
    z = torch.cat([rearrange(model.encode(b.to(device).float() / 255), "n c t h w -> c (n t h w)") for b in clips], 1)
    model.mean.copy_(z.mean(1)), model.std.copy_(z.std(1))


def main(args) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(args.seed)
    model = NanoCodecNet().to(device)
    average = MovingAverage(model.state_dict(), 0.998)
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=1e-4)
    check = list(DataLoader(CodecClips(args.data, 0, HELD_BACK, validation=True), 8))
    run = ClockedRun(args.run, {"model": model, "average": average, "optimiser": optimiser}, args.minutes, args.rate)
    clips = (
        clips_on_device(args, device)
        if args.on_device
        else stream(CodecClips(args.data, FIRST + run.step * args.batch, ENDLESS), args.batch, args.workers)
    )
    pool = [next(clips) for _ in range(POOL)]
    if run.step == 0:
        blocks = torch.cat([rearrange(to_blocks(b.float() / 255), "n t c h w -> c (n t h w)") for b in pool], 1).T
        model.start_from(blocks[torch.randperm(len(blocks))[:START_FROM]].to(device))
        log.info("linear start: %.2f dB", mean_psnr(model, check, device))
    while not run.done:
        # each clip is seen a few times: decoding pictures is the slow part
        pool[random.randrange(len(pool))] = next(clips)
        for batch in random.sample(pool, args.reuse):
            frames = batch.to(device).float() / 255
            z = model.encode(frames)
            value = loss(model.decode(z + NOISE * torch.randn_like(z)), frames) + SMALL * z.square().mean()
            learn(value, model, optimiser, average)
            if run.tick(optimiser):
                shipped = NanoCodecNet().to(device)
                shipped.load_state_dict(average.values)
                whiten(shipped, check + pool, device)
                log.info(
                    "step %d  %.1f min  loss %.4f  %.2f dB",
                    run.step,
                    run.spent / 60,
                    value.item(),
                    mean_psnr(shipped, check, device),
                )
                save_fp16(args.run / "nano_codec.safetensors", shipped.state_dict())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run_arguments(parser, minutes=12, batch=8, rate=6e-4)
    add_device_arguments(parser)
    parser.add_argument("--reuse", type=int, default=3, help="steps for each new batch of clips")
