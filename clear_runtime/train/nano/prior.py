"""Train the bundled light prior.

    python -m clear_runtime train-nano prior --data FOLDER --run FOLDER --minutes 12

Binary cross-entropy plus Dice on single frames of random pairs, a quarter to a third of them without a subtitle.
"""

import argparse
import logging
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from ...errors import ending_in_words
from ...find.priors.light import LightPrior
from ...metrics import Overlap
from ..moving_average import MovingAverage
from ..prior.losses import dice
from .generated import Generated
from .run import ClockedRun
from .store import save_fp16

log = logging.getLogger(__name__)
CROP, WHOLE = (192, 320), (352, 640)


class Batches(Generated):
    """Batches of single subtitled frames [N, 3, H, W] with their masks; item i starts at the seed `first + i * size`.

    Three batches in four are crops, which have more text for their cost; the others are a quarter as many whole frames,
    in which a place means something: graphics in the corners are not subtitles.
    """

    def __init__(self, folder: Path, first: int, count: int, size: int, validation: bool = False):
        super().__init__(folder, first, count, validation)
        self.size = size

    def item(self, i: int) -> tuple[Tensor, Tensor]:
        whole, seed = i % 4 == 3, self.first + i * self.size
        make = partial(self.maker.make, frames=1)
        if whole:
            make = partial(make, height=WHOLE[0], width=WHOLE[1], empty=0.3, em=(12, 36))
        else:
            make = partial(make, height=CROP[0], width=CROP[1], empty=0.25, em=(10, 42), frame_height=WHOLE[0])
        made = [make(seed + k)[1:] for k in range(self.size // 4 if whole else self.size)]
        frames, masks = np.stack([f[0].transpose(2, 0, 1) for f, _ in made]), np.stack([m for _, m in made])
        return torch.from_numpy(frames), torch.from_numpy(masks.astype(np.uint8))


def loss(logits: Tensor, mask: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, mask) + dice(logits, mask)


@torch.no_grad()
def evaluate(model: LightPrior, batches, device) -> dict[str, float]:
    """IoU and F1 over all pixels at 0.5, and the share of pixels marked on frames without a subtitle."""
    model.eval()
    overlap, wrong, empty = Overlap(), 0, 0
    for frames, mask in batches:
        found, mask = model(frames.to(device).float() / 255).sigmoid().cpu() > 0.5, mask > 0
        overlap.add(found, mask)
        nothing = mask.flatten(1).sum(1) == 0
        wrong, empty = wrong + found[nothing].sum().item(), empty + found[nothing].numel()
    model.train()
    figures = overlap.report()
    return {"iou": figures["iou"], "f1": figures["f1"], "false": wrong / max(1, empty)}


def main(args) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(args.seed)
    model = LightPrior().to(device).to(memory_format=torch.channels_last)
    average = MovingAverage(model.state_dict(), 0.998)
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=1e-3)
    run = ClockedRun(args.run, {"model": model, "average": average, "optimiser": optimiser}, args.minutes, args.rate)
    held = list(DataLoader(Batches(args.data, 0, 8, 16, validation=True), None))
    stream = iter(
        DataLoader(
            Batches(args.data, 10_000 + run.step * args.batch, 10**9, args.batch),
            None,
            num_workers=args.workers,
            prefetch_factor=8,
        )
    )
    total = 0.0
    while not run.done:
        frames, mask = next(stream)
        frames = (frames.to(device).float() / 255).to(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16):
            logits = model(frames)
        value = loss(logits.float(), mask.to(device).float())
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.update(model.state_dict())
        total = value.item() if not total else 0.98 * total + 0.02 * value.item()
        if run.tick(optimiser):
            shipped = LightPrior().to(device)
            shipped.load_state_dict(average.values)
            scores = evaluate(shipped, held, device)
            log.info(
                "step %d  %.1f min  loss %.4f  %s",
                run.step,
                run.spent / 60,
                total,
                "  ".join(f"{k} {v:.4f}" for k, v in scores.items()),
            )
            save_fp16(args.run / "nano_prior.safetensors", average.values)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="folder filled by clear_runtime.data.synthetic.sources"
    )
    parser.add_argument(
        "--run", type=Path, required=True, help="checkpoints and the result; an interrupted run continues from here"
    )
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    with ending_in_words("Stopped. The same command goes on from the last checkpoint."):
        main(parser.parse_args())
