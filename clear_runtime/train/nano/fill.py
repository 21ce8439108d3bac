"""Train the bundled fill network.

    python -m clear_runtime train-nano fill --data FOLDER --run FOLDER --minutes 30 [--sharpen 0.4]

Parts of photographs with letters over them, coded as video is; the network is shown what the smooth fill makes of them,
and learns the scene behind: pixels, their differences in space, squared error. In the last part of the time
(`--sharpen`) a second network that tells scenes from fills pulls it towards texture (Isola et al., "Image-to-image
translation with conditional adversarial networks", 2017), as strongly as the pixels pull at the last layer times
--pull (Esser et al., "Taming transformers", 2021). What it was before lies beside it, as nano_fill_smooth.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from ...data.synthetic import sources
from ...data.synthetic.on_device import Album, Coder, grained
from ...errors import ClearError
from ...fill.harmonic import harmonic
from ...fill.network import FillNet, load_painter
from ..moving_average import MovingAverage
from .drawn_texts import drawn_texts
from .run import ClockedRun, add_run_arguments, learn
from .store import save_fp16

log = logging.getLogger(__name__)
FIRST = 10**8
"""Seed of the first text, far from those of the other trainings."""
CROP = (128, 192)
"""Height and width in pixels of what is trained on: multiples of the network's MULTIPLE and of a coder's BLOCK."""
LETTERS = (9.0, 90.0)
"""Pixels of an em."""
TEXTS = 3000
"""That are drawn once and laid over ever other scenes."""
HELD_BACK = 48
"""Scenes of pictures and fonts that nothing is trained on, on which it is scored."""
BOXES = 0.12
"""Share of the holes with a rectangle in them, as the box behind letters leaves it."""
GROWN = 3
"""Pixels by which holes are grown at most."""
FILES = "nano_fill.safetensors", "nano_fill_smooth.safetensors"


def _masks(folder: Path, first: int, count: int, workers: int, validation: bool = False) -> Tensor:
    """[count, H, W] bool."""
    return drawn_texts(folder, first, count, CROP, LETTERS, workers, validation)[:, -1] > 0


class Example(NamedTuple):
    """smooth [N, 3, H, W] in 0..1, what the network is shown; holes [N, 1, H, W], 1 where; clean [N, 3, H, W], what it
    shall paint there."""

    smooth: Tensor
    holes: Tensor
    clean: Tensor


@torch.no_grad()
def examples(pictures: Album, texts: Tensor, count: int, times: int = 1) -> Example:
    """count scenes, each with `times` different holes; texts [M, H, W] bool on the pictures' device."""
    clean = grained(pictures.scenes(count, *CROP)).repeat_interleave(times, 0)
    count, device = len(clean), clean.device
    letters = texts[torch.randint(len(texts), (count,), device=device)][:, None].float()
    more = torch.rand(count, 1, 1, 1, device=device)
    letters = torch.where(more < 0.1, letters.maximum(letters.roll(1, 0)), letters)
    letters = torch.where(more > 0.5, letters.flip(3), letters)
    letters = torch.where(torch.rand_like(more) < BOXES, letters.maximum(_rectangles(count, device)), letters)
    # what a coder smears beside the letters is there at inference too
    colour = torch.where(torch.rand_like(more) < 0.5, 1.0, torch.rand(count, 3, 1, 1, device=device))
    alpha = letters * F.avg_pool2d(letters, 3, 1, 1)
    coder = Coder(count, device)
    shown, clean = coder(torch.lerp(clean, colour, alpha)), coder(clean)
    grown = [letters, *(F.max_pool2d(letters, 2 * n + 1, 1, n) for n in range(1, GROWN + 1))]
    which = torch.randint(GROWN + 1, (count,), device=device).clamp_min(0)
    holes = torch.stack(grown)[which, torch.arange(count, device=device)]
    holes[:, :, 0, 0] = 0  # something is always known
    return Example(harmonic(shown, holes == 0), holes, clean)


def _rectangles(count: int, device: torch.device) -> Tensor:
    height, width = CROP
    y, x = torch.arange(height, device=device)[:, None], torch.arange(width, device=device)
    at = torch.rand(4, count, 1, 1, device=device)
    top, left = at[0] * height, at[1] * width - width / 4
    inside = (y >= top) & (y < top + 12 + 40 * at[2]) & (x >= left) & (x < left + 30 + width * at[3])
    return inside[:, None].float()


def loss(out: Tensor, clean: Tensor, holes: Tensor) -> Tensor:
    """Charbonnier, differences in space and squared error, mean over the holes' pixels."""
    off = (out - clean) * holes
    count = 3 * holes.sum().clamp_min(1)
    slopes = sum(off.diff(dim=d).abs().sum() for d in (2, 3))
    charbonnier = ((off.square() + 1e-6).sqrt() * holes).sum()
    return (charbonnier + 0.5 * slopes + 2 * off.square().sum()) / count


class Critic(nn.Sequential):
    """Tells scenes from fills, patch by patch: picture and holes [N, 4, H, W] -> [N, 1, H/8, W/8], above 0 for a
    scene."""

    def __init__(self, width: int = 64):
        sides = (4, width, 2 * width, 4 * width)
        layers: list[nn.Module] = []
        for inward, outward in zip(sides, sides[1:]):
            layers += [spectral_norm(nn.Conv2d(inward, outward, 4, 2, 1)), nn.LeakyReLU(0.2)]
        super().__init__(*layers, spectral_norm(nn.Conv2d(sides[-1], 1, 3, 1, 1)))


class Sharpener:
    """The second network, its optimiser, and how strongly it pulls."""

    def __init__(self, device: torch.device, rate: float, pull: float):
        self.critic = Critic().to(device).to(memory_format=torch.channels_last)
        self.optimiser = torch.optim.Adam(self.critic.parameters(), lr=rate, betas=(0.5, 0.9))
        self.pull, self.balance = pull, 0.0

    def __call__(self, value: Tensor, out: Tensor, example: Example, last: nn.Parameter) -> Tensor:
        """The loss with its part; learns from the same pictures first."""
        clean = torch.lerp(example.smooth, example.clean, example.holes)
        fake = self._judged(out.detach(), example.holes)
        self.optimiser.zero_grad(set_to_none=True)
        own = F.relu(1 - self._judged(clean, example.holes)) + F.relu(1 + fake)
        weight = F.avg_pool2d(example.holes, 8)
        ((own * weight).sum() / weight.sum().clamp_min(1)).backward()
        self.optimiser.step()
        for parameter in self.critic.parameters():
            parameter.requires_grad_(False)
        deceives = -(self._judged(out, example.holes) * weight).sum() / weight.sum().clamp_min(1)
        for parameter in self.critic.parameters():
            parameter.requires_grad_(True)
        ours, theirs = (torch.autograd.grad(part, last, retain_graph=True)[0].norm() for part in (value, deceives))
        ratio = float(ours / theirs.clamp_min(1e-8))
        self.balance = 0.95 * self.balance + 0.05 * min(ratio, 1e3) if self.balance else ratio
        return value + self.pull * self.balance * deceives

    def _judged(self, picture: Tensor, holes: Tensor) -> Tensor:
        both = torch.cat([picture - 0.5, holes], 1).to(memory_format=torch.channels_last)
        with torch.autocast(both.device.type, torch.bfloat16):
            return self.critic(both).float()


class HeldBack:
    """Scenes of pictures and fonts that nothing is trained on, and how a network does on them."""

    def __init__(self, folder: Path, device: torch.device, count: int = HELD_BACK, workers: int = 0):
        pictures = Album(sources.pictures(folder, True), device)
        texts = _masks(folder, 0, count, workers, validation=True).to(device)
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(0)
            self.example = examples(pictures, texts, count)

    @torch.no_grad()
    def score(self, net: FillNet) -> dict[str, float]:
        """PSNR in dB in the holes, and high-pass energy there as a share of the scenes', of the smooth fill and of the
        network's."""
        smooth, holes, clean = self.example
        net.eval()
        made = net(smooth, holes)
        net.train()
        found: dict[str, float] = {}
        for name, video in (("smooth", smooth), ("network", made.clamp(0, 1))):
            error = ((video - clean).square() * holes).sum() / (3 * holes.sum())
            fine = [(_fine(v).square() * holes).sum() for v in (video, clean)]
            found |= {name: -10 * float(error.log10()), f"{name} texture": float(fine[0] / fine[1])}
        return found


def _fine(video: Tensor) -> Tensor:
    grey = video.mean(1, keepdim=True)
    return grey - F.avg_pool2d(grey, 5, 1, 2, count_include_pad=False)


def main(args) -> None:
    if not 0 <= args.sharpen <= 1:
        raise ClearError(f"--sharpen is {args.sharpen:g}. Give a share of the time, 0 to 1.")
    if min(args.batch, args.times, args.texts, args.held_back) < 1:
        raise ClearError("--batch, --times, --texts and --held-back must be 1 or more.")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(args.seed)
    torch.backends.cudnn.benchmark = True
    pictures = Album(sources.pictures(args.data, False), device)
    texts = _masks(args.data, FIRST, args.texts, args.workers).to(device)
    log.info("%d pictures, %d texts", len(pictures.pictures), len(texts))
    held = HeldBack(args.data, device, count=args.held_back)
    model = load_painter(Path(args.start), device).net.requires_grad_(True) if args.start else FillNet().to(device)
    model = model.train().to(memory_format=torch.channels_last)
    average = MovingAverage(model.state_dict(), 0.999)
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, betas=(0.9, 0.99), weight_decay=1e-4)
    sharpener = Sharpener(device, args.rate / 3, args.pull)
    state = {"model": model, "average": average, "optimiser": optimiser}
    state |= {"critic": sharpener.critic, "critic's optimiser": sharpener.optimiser}
    run = ClockedRun(args.run, state, args.minutes, args.rate, args.every)
    begins, total, seen = 1 - args.sharpen, torch.zeros((), device=device), 0
    while not run.done:
        sharpens = run.share >= begins
        example = examples(pictures, texts, args.batch, args.times)
        with torch.autocast(device.type, torch.bfloat16):
            out = model(example.smooth.contiguous(memory_format=torch.channels_last), example.holes)
        value = loss(out, example.clean, example.holes)
        total, seen = total + value.detach(), seen + 1
        if sharpens:
            value = sharpener(value, out, example, model.leave.weight)
        learn(value, model, optimiser, average)
        if run.tick(optimiser):
            _report(args, run, average, held, total.item() / seen, sharpens)
            total, seen = torch.zeros((), device=device), 0


def _report(args, run: ClockedRun, average: MovingAverage, held: HeldBack, value: float, sharpens: bool) -> None:
    shipped = FillNet().to(held.example.smooth.device)
    shipped.load_state_dict(average.values)
    words = "  ".join(f"{name} {score:.3f}" for name, score in held.score(shipped).items())
    log.info("step %d  %.1f min  loss %.4f  %s", run.step, run.spent / 60, value, words)
    for name in FILES[: 1 if sharpens else 2]:
        save_fp16(args.run / name, average.values)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run_arguments(parser, minutes=30, batch=32, rate=1.2e-3)
    parser.add_argument("--times", type=int, default=2, help="holes for each scene of a batch")
    parser.add_argument("--texts", type=int, default=TEXTS, help="texts that are drawn before the first step")
    parser.add_argument("--held-back", type=int, default=HELD_BACK, help="scenes that it is scored on")
    parser.add_argument("--sharpen", type=float, default=0.4, help="share of the time, at the end, for texture")
    parser.add_argument("--pull", type=float, default=0.35, help="how strongly it is drawn to texture then")
    parser.add_argument("--every", type=float, default=60.0, help="seconds between checkpoints")
    parser.add_argument("--start", default="", help="the file of a fill network; without one, from scratch")
