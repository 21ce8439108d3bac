"""Train the bundled light prior.

    python -m clear_runtime train-nano prior --data FOLDER --run FOLDER --minutes 12 [--wide] [--start FILE]

Binary cross-entropy plus Dice on single frames of random pairs, a quarter to a third of them without any text; the
pixels just outside the letters weigh more, so that marks do not grow fat. Crops and whole frames, lying and upright,
are mixed. At every checkpoint the averaged weights are scored on pictures and fonts that were held back, and written
in half precision.
"""

import argparse
import logging
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...data.synthetic.pairs import Drawn, PairMaker
from ...errors import ClearError
from ...find.priors.checkpoints import BUNDLED, load_prior
from ...find.priors.light import CONTEXT, WIDE, WIDTHS, LightPrior
from ...metrics import Overlap
from ..moving_average import MovingAverage
from ..prior.losses import dice
from .generated import AHEAD, ENDLESS, GROUND_HEIGHT, Generated, stream
from .recall import Recall
from .run import ClockedRun, learn
from .store import save_fp16
from .widen import start_from

log = logging.getLogger(__name__)
WHOLE = (GROUND_HEIGHT, 640)
"""Height and width in pixels of whole frames."""
FIRST, APART = 10_000, 1_000_000_007
"""Seed of the first frame, and by how much those of two runs' seeds differ: more than a run comes to."""
MOST_AHEAD = 6
"""Batches that a worker has ready at most."""
UNKNOWN_ROOM = 1e9
"""Bytes that processes may share, where the system does not say."""
SHAPES = ("crop", "crop", "crop", "whole", "crop", "tall crop", "crop", "upright")
"""What batches follow one another: mostly crops, which have more text for their cost; of whole frames there are fewer
in a batch."""
HELD_BACK = 8  # batches of frames that are scored at every checkpoint


class Batches(Generated):
    """Batches of single frames [N, 3, H, W] uint8 with their masks [N, H, W]; item i starts at the seed `first + i *
    size`."""

    def __init__(
        self,
        folder: Path,
        first: int,
        count: int,
        size: int,
        crop: tuple[int, int] = (192, 320),
        validation: bool = False,
    ):
        super().__init__(folder, first, count, validation)
        self.size, self.crop = size, crop

    def shape(self, i: int) -> tuple[int, int, int]:
        """Frames, height and width in pixels of batch i."""
        kind = SHAPES[i % len(SHAPES)]
        height, width = {"crop": self.crop, "tall crop": self.crop[::-1], "whole": WHOLE, "upright": WHOLE[::-1]}[kind]
        return max(1, round(self.size * self.crop[0] * self.crop[1] / (height * width))), height, width

    def item(self, i: int) -> tuple[Tensor, Tensor]:
        count, height, width = self.shape(i)
        cut = SHAPES[i % len(SHAPES)] not in ("whole", "upright")
        drawn = [self._drawn(self.first + i * self.size + k, height, width, cut) for k in range(count)]
        frames, masks = np.stack([d.subtitled.transpose(2, 0, 1) for d in drawn]), np.stack([d.mask for d in drawn])
        return torch.from_numpy(frames), torch.from_numpy(masks.astype(np.uint8))

    def _drawn(self, seed: int, height: int, width: int, cut: bool) -> Drawn:
        try:
            return self.maker.frame(seed, height, width, empty=0.25, cut=cut)
        except (ArithmeticError, OSError, ValueError) as odd:
            # a font or picture that one version of Pillow does not take must not end a run of a million frames
            log.warning("frame %d could not be drawn (%s); another takes its place", seed, odd)
            return self.maker.frame(f"{seed} again", height, width, empty=0.25, cut=cut)


def loss(logits: Tensor, mask: Tensor, beside: float = 1.0) -> Tensor:
    """Of logits and masks [N, 1, H, W]. beside: how much more a pixel weighs that is within two pixels of a letter
    and none of it."""
    weight = 1 + beside * (F.max_pool2d(mask, 5, 1, 2) - mask)
    return F.binary_cross_entropy_with_logits(logits, mask, weight) + dice(logits, mask)


class HeldBack:
    """Frames of the pictures and fonts that nothing is trained on, and how a prior does on them."""

    def __init__(self, folder: Path, batches: int = HELD_BACK, size: int = 16):
        maker = PairMaker(folder, validation=True)
        shapes = Batches(folder, 0, batches, size, validation=True)
        self.batches = []
        for i in range(batches):
            count, height, width = shapes.shape(i)
            self.batches.append(
                [
                    maker.frame(i * size + k, height, width, empty=0.3, cut=width * height < WHOLE[0] * WHOLE[1])
                    for k in range(count)
                ]
            )

    @torch.no_grad()
    def score(self, model: torch.nn.Module, device) -> tuple[dict[str, float], Recall]:
        """IoU and F1 over all pixels at 0.5, the share of pixels marked on frames without text; recall by size and
        width."""
        model.eval()
        overlap, recall, wrong, empty = Overlap(), Recall(), 0, 0
        for batch in self.batches:
            frames = (
                torch.from_numpy(np.stack([d.subtitled for d in batch])).to(device).permute(0, 3, 1, 2).float() / 255
            )
            found = (model(frames.contiguous(memory_format=torch.channels_last))[:, 0] > 0).cpu()
            for drawn, marked in zip(batch, found):
                overlap.add(marked, torch.from_numpy(drawn.mask))
                recall.add(marked.numpy(), drawn.mask, [(o.size, row) for o in drawn.overlays for row in o.rows])
                if not drawn.mask.any():
                    wrong, empty = wrong + int(marked.sum()), empty + marked.numel()
        model.train()
        figures = overlap.report()
        return {**figures, "false": wrong / max(1, empty)}, recall


def build(widths: tuple[int, ...], context: tuple[int, ...], start: str) -> LightPrior:
    """A light prior from a file ("bundled" for the one that ships, "scratch" for none), widened where the file's is
    narrower."""
    model = LightPrior(widths, context)
    if start != "scratch":
        start_from(model, load_prior(BUNDLED if start == "bundled" else start).model.state_dict())
    return model


def _step(model, frames: Tensor, mask: Tensor, device, beside: float) -> Tensor:
    frames = (frames.to(device, non_blocking=True).float() / 255).to(memory_format=torch.channels_last)
    mask = mask.to(device, non_blocking=True).float()[:, None]
    with torch.autocast(device.type, torch.bfloat16) if device.type in ("cuda", "cpu") else nullcontext():
        logits = model(frames)
    return loss(logits.float(), mask, beside)


def _batches(args, first: int, device) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches from number `first` on: a run that goes on starts with the one it had come to."""
    batches = Batches(args.data, FIRST + args.seed * APART, ENDLESS, args.batch, args.crop)
    ahead = AHEAD
    if args.workers:  # as many as the memory takes that processes share: a container may have little
        try:
            room = shutil.disk_usage("/dev/shm").free / 2
        except OSError:
            room = UNKNOWN_ROOM
        each = args.batch * args.crop[0] * args.crop[1] * 4 * args.workers
        ahead = max(1, min(MOST_AHEAD, int(room / each)))
        log.info("%d workers, each %d batches ahead", args.workers, ahead)
    numbers = range(first, ENDLESS)
    return stream(batches, None, args.workers, ahead, sampler=numbers, pin_memory=device.type == "cuda")


def _report(args, run: ClockedRun, average: MovingAverage, held: HeldBack, total: float, device) -> None:
    shipped = LightPrior(args.widths, args.context).to(device)
    shipped.load_state_dict(average.values)
    scores, recall = held.score(shipped, device)
    by = recall.report()
    log.info(
        "step %d  %.1f min  rate %.1e  loss %.4f  %s",
        run.step,
        run.spent / 60,
        run.rate(),
        total,
        "  ".join(f"{k} {v:.4f}" for k, v in scores.items()),
    )
    log.info(
        "  recall by size %s  by width %s",
        *(" ".join(f"{k}:{v:.2f}" for k, v in by[name].items()) for name in ("size", "width")),
    )
    save_fp16(args.run / "nano_prior.safetensors", average.values)


def main(args) -> None:
    args = checked(args)
    device = torch.device(args.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    torch.manual_seed(args.seed)
    torch.backends.cudnn.benchmark = True  # a handful of shapes, over and over
    model = build(args.widths, args.context, args.start).to(device).to(memory_format=torch.channels_last)
    average = MovingAverage(model.state_dict(), args.average)
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=1e-3)
    held = HeldBack(args.data)
    run = ClockedRun(
        args.run,
        {"model": model, "average": average, "optimiser": optimiser},
        args.minutes,
        args.rate,
        args.checkpoint,
        args.steps,
    )
    batches = _batches(args, run.step, device)
    forward = torch.compile(model) if args.compile and device.type == "cuda" else model
    total, seen = torch.zeros((), device=device), 0
    while not run.done:
        value = _step(forward, *next(batches), device, args.beside)
        learn(value, model, optimiser, average)
        # stays on the device: asking for the number would make every step wait for it
        total, seen = total + value.detach(), seen + 1
        if run.tick(optimiser):
            _report(args, run, average, held, total.item() / seen, device)
            total, seen = torch.zeros((), device=device), 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder filled by clear_runtime.data.synthetic.sources, or written by clear_runtime.data.synthetic.pack",
    )
    parser.add_argument(
        "--run", type=Path, required=True, help="checkpoints and the result; an interrupted run continues from here"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=12,
        help="how long to train over all starts; the learning rate follows the clock",
    )
    parser.add_argument("--steps", type=int, help="how many steps to train instead")
    parser.add_argument(
        "--start", default="scratch", help="scratch, bundled, or the file of a light prior of at most these widths"
    )
    parser.add_argument("--wide", action="store_true", help=f"the widths {WIDE} and {CONTEXT} dilated convolutions")
    parser.add_argument(
        "--widths",
        type=int,
        nargs=5,
        metavar="W",
        default=WIDTHS,
        help="channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size",
    )
    parser.add_argument(
        "--context", type=int, nargs=5, metavar="N", default=(0,) * 5, help="dilated convolutions at each of them"
    )
    parser.add_argument("--batch", type=int, default=16, help="crops in a step; of whole frames, as many pixels")
    parser.add_argument(
        "--crop", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), default=(192, 320), help="pixels, multiples of 32"
    )
    parser.add_argument("--rate", type=float, default=3e-3, help="the highest learning rate")
    parser.add_argument("--average", type=float, default=0.998, help="decay of the moving average that is saved")
    parser.add_argument("--beside", type=float, default=1.0, help="extra weight of the pixels just outside of letters")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--checkpoint", type=float, default=60.0, help="seconds between checkpoints")
    parser.add_argument("--device", help="cpu or cuda; default: a GPU if there is one")
    parser.add_argument(
        "--compile", action="store_true", help="compile the network (CUDA only): a minute at first, faster steps after"
    )
    parser.add_argument("--seed", type=int, default=0)


def checked(args: argparse.Namespace) -> argparse.Namespace:
    """The arguments with what --wide says in them. Raises ClearError for a crop that does not fit the network."""
    args.widths, args.context = (WIDE, CONTEXT) if args.wide else (tuple(args.widths), tuple(args.context))
    args.crop = tuple(args.crop)
    if any(side % 32 or side < 32 for side in args.crop):
        raise ClearError("Both sides of the crop must be multiples of 32.")
    return args
