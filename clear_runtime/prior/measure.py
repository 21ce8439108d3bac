"""Measure a prior on held-back pictures, fonts and scripts of the generator.

    python -m clear_runtime.prior.measure --data FOLDER [--prior FILE] [--count 40]

Writes IoU and F1 per script, what is marked on frames without a subtitle and on moving signs (before and after temporal
evidence), how well the pseudo-labels themselves match the true masks, and the speed.
"""
import argparse
import json
import logging
import random
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..data import sources
from ..data.burn import random_style, render
from ..data.pairs import PairMaker
from ..data.text import HELD_BACK, TRAINED, random_line
from . import pseudo_labels
from .checkpoints import load_prior
from .predict import BUNDLED
from .temporal import refine

log = logging.getLogger(__name__)

SIZE = (352, 640)  # height and width of the frames it is measured on
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of moving signs, pixels per frame


class Score:
    """Pixels of found and true masks (booleans of one shape), counted together over frames."""

    def __init__(self):
        self.both = self.found = self.true = 0

    def add(self, found: Tensor, true: Tensor) -> None:
        self.both += (found & true).sum().item()
        self.found += found.sum().item()
        self.true += true.sum().item()

    def report(self) -> dict[str, float]:
        return {"iou": self.both / max(1, self.found + self.true - self.both), "f1": 2 * self.both / max(1, self.found + self.true),
                "recall": self.both / max(1, self.true), "precision": self.both / max(1, self.found)}


def by_script(prior, folder: Path, script: str, count: int, threshold: float = 0.5) -> dict[str, dict[str, float]]:
    """Scores of the prior and of the pseudo-labels against the true masks, on `count` frames with a subtitle in one script."""
    maker, ours, labelled = PairMaker(folder, validation=True, scripts=(script,)), Score(), Score()
    if script in HELD_BACK:  # never trained on, so none of its fonts has been seen
        maker.fonts[script] = [(str(path), 0) for held_back in (False, True) for path in sources.fonts(folder, script, held_back)]
    for seed in range(count):
        clean, subtitled, mask = (torch.from_numpy(part) for part in maker.make(f"{script} {seed}", 1, *SIZE, empty=0, em=(14, 34)))
        clean, subtitled = clean.float() / 255, subtitled.float() / 255
        ours.add(prior(subtitled) > threshold, mask)
        labelled.add(pseudo_labels.labels(subtitled, clean) > 0, mask)
    return {"prior": ours.report(), "pseudo-labels": labelled.report()}


def on_empty(prior, folder: Path, count: int, threshold: float = 0.5) -> float:
    """Share of pixels marked on frames without a subtitle (signs and corner graphics among them)."""
    maker = PairMaker(folder, validation=True)
    frames = [torch.from_numpy(maker.make(f"empty {seed}", 1, *SIZE, empty=1)[1]).float() / 255 for seed in range(count)]
    return float(np.mean([(prior(frame) > threshold).float().mean().item() for frame in frames]))


def on_signs(prior, folder: Path, clips: int, frames: int = 25, threshold: float = 0.5) -> dict[float, tuple[float, float]]:
    """Speed in pixels per frame -> share of pixels marked on clips with moving signs and no subtitle, before and after refine."""
    maker, shares = PairMaker(folder, validation=True), {}
    for speed in SPEEDS:
        found = []
        for seed in range(clips):
            clip = torch.from_numpy(sign_clip(maker, f"signs {speed} {seed}", speed, frames)).float() / 255
            masks = prior(clip)
            found.append([(m > threshold).float().mean().item() for m in (masks, refine(masks, clip))])
        shares[speed] = tuple(np.mean(found, 0).tolist())
    return shares


def sign_clip(maker: PairMaker, seed, speed: float, frames: int, signs: int = 5) -> np.ndarray:
    """The hardest scene text: lettering in subtitles' own looks, fixed in a picture that a camera pans over -> [T, H, W, 3] uint8."""
    rng = random.Random(seed)
    height, width = SIZE
    margin = int(speed * frames) + 8
    picture = maker.pictures.levels(rng.choice(maker.pictures.paths))[0].resize((width + 2 * margin, height + 2 * margin), Image.Resampling.LANCZOS)
    ground = np.asarray(picture)
    for _ in range(signs):
        script = rng.choice(TRAINED)
        style = random_style(rng, maker.fonts[script], rng.randrange(16, 44))
        centre = (margin + rng.random() * width, margin + rng.random() * height)
        ground = render([random_line(rng, script, rng.randrange(4, 14))], style, ground.shape[1], ground.shape[0], centre).over(ground)
    angle = rng.random() * 2 * np.pi
    along, down = speed * np.cos(angle), speed * np.sin(angle)
    source = Image.fromarray(ground)
    shots = [source.transform((width, height), Image.Transform.AFFINE, (1, 0, margin + along * t, 0, 1, margin + down * t), Image.Resampling.BICUBIC)
             for t in range(frames)]
    noise = np.random.default_rng(rng.randrange(2 ** 32)).normal(0, 2, (frames, height, width, 3))
    return (np.stack(shots) + noise).clip(0, 255).astype(np.uint8)


def speed(prior, height: int = 720, width: int = 1280, frames: int = 8) -> float:
    """Frames per second, after one batch to warm up."""
    clip = torch.rand(frames, height, width, 3)
    prior(clip)
    began = time.perf_counter()
    prior(clip)
    return frames / (time.perf_counter() - began)


def main(args) -> None:
    prior = load_prior(args.prior)
    results: dict = {"scripts": {}}
    for script in args.scripts or (*TRAINED, *HELD_BACK):
        results["scripts"][script] = scores = by_script(prior, args.data, script, args.count)
        log.info("%-11s %s", script, "   ".join(f"{who}: IoU {s['iou']:.3f}  F1 {s['f1']:.3f}" for who, s in scores.items()))
    results["marked on empty frames"] = on_empty(prior, args.data, args.count)
    log.info("frames without a subtitle: %.4f %% of their pixels are marked", 100 * results["marked on empty frames"])
    results["marked on moving signs"] = on_signs(prior, args.data, max(1, args.count // 10))
    for pace, (before, after) in results["marked on moving signs"].items():
        log.info("signs moving %.2f px a frame: %.3f %% marked, %.3f %% after temporal evidence", pace, 100 * before, 100 * after)
    results["frames per second at 1280x720"] = speed(prior)
    log.info("%.1f frames per second at 1280x720 with %d threads", results["frames per second at 1280x720"], torch.get_num_threads())
    if args.out:
        args.out.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder filled by clear_runtime.data.sources")
    parser.add_argument("--prior", type=Path, default=BUNDLED, help="a Stage I file; default: the bundled light prior")
    parser.add_argument("--count", type=int, default=40, help="frames per script")
    parser.add_argument("--scripts", nargs="*", help="only these")
    parser.add_argument("--out", type=Path, help="write the figures as JSON too")
    main(parser.parse_args())
