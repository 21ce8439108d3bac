"""Train the bundled transformer and its CLEAR LoRA.

    python -m clear_runtime train-nano transformer --data FOLDER --codec FILE --run FOLDER --minutes 75

Flow matching on latents of random pairs. With the LoRA the target is the clean video, given either the subtitled video
as control (the paper's way) or the same with the subtitle filled in (`prefilled`); without it, in a few batches, the
target is the control itself. So the base repeats its control, and the LoRA is what removes.
"""

import argparse
import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from einops import rearrange
from safetensors.torch import load_file
from torch import Tensor
from torch.utils.data import DataLoader

from ...data.synthetic import sources
from ...data.synthetic.on_device import Album, burnt
from ...engines.nano.codec import SPATIAL, TEMPORAL, NanoCodecNet
from ...engines.nano.transformer import NanoWan, export
from ...engines.schedule import sigmas
from ...fill.harmonic import harmonic
from ...fill.plain import fill
from ...frames.latent_grid import frames_to_cells
from ...frames.masks import grow
from ...wan import CHANNELS, TIMESTEPS, latent_frames
from ..moving_average import MovingAverage
from .drawn_texts import drawn_texts
from .generated import ENDLESS, GROUND_HEIGHT, Generated, stream
from .run import ClockedRun, add_device_arguments, add_run_arguments, learn
from .store import save_fp16

log = logging.getLogger(__name__)
FRAMES, HEIGHT, WIDTH = 13, 96, 256
"""Of a pair, in frames and pixels."""
CROPS = ((13, 64, 128), (13, 48, 192), (9, 96, 128), (13, 32, 256), (5, 96, 208))
"""Frames, height and width of what is trained on: about 500 tokens each."""
KINDS = {"prefilled": 0.55, "as is": 0.37, "repeat": 0.08}
"""What a batch is shown -> share of the batches (see _loss). The first is how the bundled model is used."""
LETTERS, GROWN = (11, 34), (2, 7)
"""Pixels of an em, from and up to; by how many pixels holes are grown, from and under."""
FIRST = 10**7
"""Seed of the first pair, far from those of the other trainings."""
HELD_BACK = 16
"""Pairs of pictures and fonts that nothing is trained on, on which it is scored."""
SCORED = (1, 5)
"""Sampler steps that are scored: what the bundled network is for, and the paper's."""
AT_A_TIME = 4
"""Pairs that are made and encoded together."""
LEAST = 64
"""Pairs, at least, before the first step."""
BESIDE = 0.1
"""What a cell that no subtitle covers counts beside one that is covered: most of what is painted there is not used."""


class Triples(Generated):
    """(clean, subtitled, filled) [T, H, W, 3] uint8 and the mask [T, H, W] that was filled; item i has seed `first +
    i`."""

    def item(self, i: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        seed = self.first + i
        clean, subtitled, mask = self.maker.make(
            seed, FRAMES, HEIGHT, WIDTH, empty=0.03, em=LETTERS, frame_height=GROUND_HEIGHT, boxes=True
        )
        grown = grow(torch.from_numpy(mask).float(), 3 if self.validation else random.Random(seed).randrange(*GROWN))
        frames = torch.from_numpy(subtitled).float() / 255
        filled = (fill(frames, grown > 0) * 255).round().byte()
        return torch.from_numpy(clean), torch.from_numpy(subtitled), filled, grown.byte()


def triples_on_device(args, device: torch.device) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """As Triples' batches of AT_A_TIME, made on the device; filled smoothly, by nothing from other frames."""
    pictures = Album(sources.pictures(args.data, False), device)
    layers = drawn_texts(args.data, FIRST, args.texts, (HEIGHT, WIDTH), LETTERS, args.workers, boxes=True).to(device)
    while True:
        clean, subtitled, mask = burnt(pictures, layers, AT_A_TIME, FRAMES, empty=0.03)
        grown = grow(mask.flatten(0, 1).float(), int(torch.randint(*GROWN, ()))).view(mask.shape) > 0
        grown[..., 0, 0] = False  # something is always known
        filled = harmonic(subtitled.flatten(0, 1), ~grown.flatten(0, 1)[:, None]).view(subtitled.shape)
        videos = ((255 * v).round().byte().movedim(2, -1) for v in (clean, subtitled, filled))
        yield *videos, grown.byte()


def held_back(folder: Path, count: int = HELD_BACK, workers: int = 0) -> list:
    """The validation clips that LoRAs are measured on, those with a subtitle. Raises ClearError where there is
    nothing to make them of."""
    sources.pictures(folder, True)  # what is missing is said here and not by another process
    clips = DataLoader(Triples(folder, 0, count, validation=True), 1, num_workers=workers)
    return [triple for triple in clips if triple[3].any()]


@dataclass
class Latents:
    """One pair in latent space: clean, subtitled and filled [16, t, h, w], and the mask on the same grid [t, h, w]."""

    clean: Tensor
    subtitled: Tensor
    filled: Tensor
    mask: Tensor


@torch.no_grad()
def encode(codec: NanoCodecNet, triple, device) -> list[Latents]:
    clean, subtitled, filled, mask = triple
    videos = _as_video(torch.cat([clean, subtitled, filled]).to(device))
    z = codec.encode(videos).to("cpu", torch.bfloat16)
    z = rearrange(z, "(kind n) c t h w -> kind n c t h w", kind=3)
    return [Latents(z[0, i], z[1, i], z[2, i], frames_to_cells(mask[i], SPATIAL, TEMPORAL)) for i in range(len(clean))]


def crop(item: Latents, size: tuple[int, int, int], rng: random.Random) -> Latents:
    """A part of a pair around a subtitled cell, on the grid of patches; it need not start with the clip
    (limits.InPieces)."""
    t, h, w = latent_frames(size[0]), size[1] // SPATIAL, size[2] // SPATIAL
    first = rng.randrange(item.mask.shape[0] - t + 1) if rng.random() < 0.7 else 0
    cells = item.mask[first : first + t].nonzero()
    y, x = (
        cells[rng.randrange(len(cells))].tolist()[1:]
        if len(cells)
        else (item.mask.shape[1] // 2, item.mask.shape[2] // 2)
    )
    place = lambda at, part, whole: max(0, min(whole - part, at - rng.randrange(part))) // 2 * 2
    top, left = place(y, h, item.mask.shape[1]), place(x, w, item.mask.shape[2])
    cut = (..., slice(first, first + t), slice(top, top + h), slice(left, left + w))
    return Latents(item.clean[cut], item.subtitled[cut], item.filled[cut], item.mask[cut])


def draw_sigma(n: int, rng: random.Random) -> Tensor:
    """Where on the path from noise: half at the first step's sigma, most of the rest at the other four of five
    steps."""
    steps = sigmas(5)[:-1].tolist()
    return torch.tensor(
        [
            1.0 if (r := rng.random()) < 0.5 else rng.choice(steps) if r < 0.85 else rng.uniform(0.2, 1.0)
            for _ in range(n)
        ]
    )


def sample(model: NanoWan, noise: Tensor, control: Tensor, steps: int) -> Tensor:
    """Euler from noise to clean latents, as every sampler of this project does it."""
    x, levels = noise, sigmas(steps).to(noise.device)
    for a, b in zip(levels, levels[1:]):
        with torch.autocast(noise.device.type, torch.bfloat16):
            v = model(x, control, (TIMESTEPS * a).expand(len(x)))
        x = x + (b - a) * v.float()
    return x


@torch.no_grad()
def evaluate(model: NanoWan, codec: NanoCodecNet, held, device, steps: Sequence[int] = SCORED) -> dict[str, float]:
    """PSNR in dB inside the grown mask, mean over clips: the fill alone, and the network on both controls, in so many
    sampler steps each.

    "share": the part of the network's one-step change over the fill that comes closest to the clean clips, by least
    squares.
    """
    totals: dict[str, float] = {}
    gained = spent = 0.0
    noise = torch.randn(
        1,
        CHANNELS,
        latent_frames(FRAMES),
        HEIGHT // SPATIAL,
        WIDTH // SPATIAL,
        generator=torch.Generator().manual_seed(0),
    ).to(device)
    for triple in held:
        clean, subtitled, filled, mask = (x.to(device) for x in triple)
        clean, subtitled, filled, inside = _as_video(clean), _as_video(subtitled), _as_video(filled), mask > 0
        results = {"fill": _psnr(filled, clean, inside)}
        for name, source in (("prefilled", filled), ("as is", subtitled)):
            z = codec.encode(source)
            for count in steps:
                out = codec.decode(sample(model, noise, z, count))
                if name == "prefilled":
                    change = out - codec.decode(z)
                    out = filled + change
                    if count == 1:
                        gained += ((clean - filled) * change * inside[:, :, None]).sum().item()
                        spent += (change.square() * inside[:, :, None]).sum().item()
                results[f"{name} {count}"] = _psnr(out, clean, inside)
        for name, value in results.items():
            totals[name] = totals.get(name, 0.0) + value / len(held)
    return {**totals, "share": gained / max(spent, 1e-9)}


def _as_video(frames: Tensor) -> Tensor:
    """uint8 [N, T, H, W, 3] -> [N, T, 3, H, W] in 0..1."""
    return rearrange(frames.float().div_(255), "n t h w c -> n t c h w")


def _psnr(video: Tensor, clean: Tensor, inside: Tensor) -> float:
    """dB over the pixels of `inside` [N, T, H, W]; videos as _as_video gives them."""
    error = (video.clamp(0, 1) - clean).square().mean(2)
    return -10 * (error * inside).sum().div(inside.sum().clamp_min(1)).clamp_min(1e-6).log10().item()


def _loss(model: NanoWan, items: list[Latents], kind: str, sigma: Tensor, weights: Tensor) -> Tensor:
    """Flow matching at sigma [N]. kind: "prefilled" and "as is" are the controls that lead to the clean clip; "repeat"
    is the base without its LoRA, which gives the control back. weights: of the latent channels."""
    device = sigma.device
    clean, subtitled, filled, mask = (
        torch.stack([getattr(item, name) for item in items]).to(device).float()
        for name in ("clean", "subtitled", "filled", "mask")
    )
    control = filled if kind == "prefilled" else subtitled
    target = subtitled if kind == "repeat" else clean
    noise = torch.randn_like(target)
    s = sigma.view(-1, 1, 1, 1, 1)
    model.use_lora(kind != "repeat")
    with torch.autocast(device.type, torch.bfloat16):
        v = model((1 - s) * target + s * noise, control, TIMESTEPS * sigma)
    where = (torch.ones_like(mask) if kind == "repeat" else BESIDE + mask)[:, None]
    error = (v.float() - (noise - target)).square() * weights
    return (error * where).sum() / where.expand_as(error).sum()


def main(args) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    codec = NanoCodecNet().eval().to(device)
    codec.load_state_dict({k: v.float() for k, v in load_file(args.codec).items()})
    weights = codec.gain().view(1, -1, 1, 1, 1)
    model = NanoWan().to(device)
    average = MovingAverage(model.state_dict(), 0.999)
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=1e-2, betas=(0.9, 0.98))
    run = ClockedRun(
        args.run,
        {"model": model, "average": average, "optimiser": optimiser},
        args.minutes,
        args.rate,
        every=args.every * 60,
    )
    held = held_back(args.data, HELD_BACK, args.workers)
    triples = (
        triples_on_device(args, device)
        if args.on_device
        else stream(Triples(args.data, FIRST + run.step * args.batch, ENDLESS), AT_A_TIME, args.workers)
    )
    pool: list[Latents] = []
    while len(pool) < min(args.pool, LEAST):
        pool += encode(codec, next(triples), device)
    fresh = 0.0
    total: dict[str, float] = {}
    while not run.done:
        fresh += args.fresh
        while fresh >= 1:  # new pairs come in at the rate at which they can be made; the oldest leave
            pool += encode(codec, next(triples), device)
            pool, fresh = pool[-args.pool :], fresh - 1
        size, kind = rng.choice(CROPS), rng.choices(list(KINDS), list(KINDS.values()))[0]
        items = [crop(rng.choice(pool), size, rng) for _ in range(args.batch)]
        value = _loss(model, items, kind, draw_sigma(len(items), rng).to(device), weights)
        learn(value, model, optimiser, average)
        total[kind] = 0.98 * total.get(kind, value.item()) + 0.02 * value.item()
        if run.tick(optimiser):
            shipped = NanoWan().to(device).eval()
            shipped.load_state_dict(average.values)
            scores = evaluate(shipped, codec, held, device)
            log.info(
                "step %d  %.1f min  pool %d  loss %s  %s",
                run.step,
                run.spent / 60,
                len(pool),
                " ".join(f"{k} {x:.4f}" for k, x in total.items()),
                "  ".join(f"{k} {x:.2f}" for k, x in scores.items()),
            )
            base, lora = export({k: x.cpu() for k, x in average.values.items()})
            save_fp16(args.run / "nano_transformer.safetensors", base, drop_constants=True)
            save_fp16(args.run / "nano_lora.safetensors", lora, drop_constants=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run_arguments(parser, minutes=75, batch=12, rate=1e-3)
    parser.add_argument("--codec", type=Path, required=True, help="nano_codec.safetensors")
    parser.add_argument("--every", type=float, default=3, help="minutes between checkpoints")
    add_device_arguments(parser)
    parser.add_argument("--pool", type=int, default=3000, help="pairs kept in memory")
    parser.add_argument("--fresh", type=float, default=1.0, help="new groups of four pairs per step")
