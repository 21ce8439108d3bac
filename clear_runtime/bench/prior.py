"""Measure a prior on held-back pictures, fonts and scripts of the generator.

    python -m clear_runtime bench prior --data FOLDER [--prior FILE] [--threads 2] [--out FIGURES.json]

Prints tables: IoU and F1 with the true masks per script, the prior's and the pseudo-labels' own; what is marked on
frames without a subtitle; what is marked on moving signs, before and after the evidence over time; and frames per
second. With the counts as they are it takes about four minutes on two CPU cores. Real clips are measured by `python -m
clear_runtime bench removal`.
"""

from __future__ import annotations

import json
import logging
import random
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..data import pseudo_labels
from ..data.synthetic import sources
from ..data.synthetic.burn import random_style, render
from ..data.synthetic.pairs import PairMaker
from ..data.synthetic.text import HELD_BACK, TRAINED, random_line
from ..find.marks import MarkOptions, marks_of
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..metrics import Overlap

log = logging.getLogger(__name__)

SIZE = (352, 640)  # height and width of the frames it is measured on
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of moving signs, pixels per frame
SIGNS = 5  # in a clip
THRESHOLD = MarkOptions.threshold
STAGES = ("single frames", "temporal evidence", "as the remover uses it")


def by_script(prior, folder: Path, script: str, count: int) -> dict[str, Overlap]:
    """Overlap with the true masks of "prior" and "pseudo-labels", on `count` frames with a subtitle in one script."""
    maker, ours, labelled = PairMaker(folder, validation=True, scripts=(script,)), Overlap(), Overlap()
    if script in HELD_BACK:  # never trained on, so none of its fonts has been seen
        maker.fonts[script] = [
            (str(path), 0) for held_back in (False, True) for path in sources.fonts(folder, script, held_back)
        ]
    for seed in range(count):
        clean, subtitled, mask = (
            torch.from_numpy(part) for part in maker.make(f"{script} {seed}", 1, *SIZE, empty=0, em=(14, 34))
        )
        clean, subtitled = clean.float() / 255, subtitled.float() / 255
        ours.add(prior(subtitled) > THRESHOLD, mask)
        labelled.add(pseudo_labels.labels(subtitled, clean) > 0, mask)
    return {"prior": ours, "pseudo-labels": labelled}


def on_empty(prior, folder: Path, count: int, text: bool) -> tuple[float, float]:
    """Share of pixels marked on single frames without a subtitle: as found, and in lines. text: one scene in six
    carries a sign and one frame in three a graphic in its corner; else there is no letter in any of them."""
    maker, found = PairMaker(folder, validation=True), []
    options = {} if text else {"frame_height": SIZE[0]}  # as a crop it has no graphic in its corner
    if not text:
        maker.fonts = {}
    for seed in range(count):
        frames = torch.from_numpy(maker.make(f"empty {seed}", 1, *SIZE, empty=1, **options)[1]).float() / 255
        found.append(
            [marked.float().mean().item() for marked in (prior(frames) > THRESHOLD, marks_of(frames, prior)[1])]
        )
    return tuple(np.mean(found, 0).tolist())


def on_signs(prior, folder: Path, clips: int, frames: int = 25) -> dict[float, tuple[float, float, float]]:
    """Speed in pixels per frame -> share of pixels marked on clips with moving signs and no subtitle, at each of
    STAGES."""
    maker, shares = PairMaker(folder, validation=True), {}
    for pace in SPEEDS:
        found = []
        for seed in range(clips):
            clip = torch.from_numpy(sign_clip(maker, f"signs {pace} {seed}", pace, frames)).float() / 255
            soft, marks = marks_of(clip, prior)
            stages = (prior(clip) > THRESHOLD, soft > THRESHOLD, marks)
            found.append([marked.float().mean().item() for marked in stages])
        shares[pace] = tuple(np.mean(found, 0).tolist())
    return shares


def sign_clip(maker: PairMaker, seed, speed: float, frames: int) -> np.ndarray:
    """The hardest scene text: lettering in subtitles' own looks, fixed in a picture that a camera pans over -> [T, H,
    W, 3] uint8."""
    rng = random.Random(seed)
    height, width = SIZE
    margin = int(speed * frames) + 8
    picture = maker.pictures.levels(rng.choice(maker.pictures.paths))[0].resize(
        (width + 2 * margin, height + 2 * margin), Image.Resampling.LANCZOS
    )
    ground = np.asarray(picture)
    for _ in range(SIGNS):
        script = rng.choice(TRAINED)
        style = random_style(rng, maker.fonts[script], rng.randrange(16, 44))
        centre = (margin + rng.random() * width, margin + rng.random() * height)
        ground = render(
            [random_line(rng, script, rng.randrange(4, 14))], style, ground.shape[1], ground.shape[0], centre
        ).over(ground)
    angle = rng.random() * 2 * np.pi
    along, down = speed * np.cos(angle), speed * np.sin(angle)
    source = Image.fromarray(ground)
    shots = [
        source.transform(
            (width, height),
            Image.Transform.AFFINE,
            (1, 0, margin + along * t, 0, 1, margin + down * t),
            Image.Resampling.BICUBIC,
        )
        for t in range(frames)
    ]
    noise = np.random.default_rng(rng.randrange(2**32)).normal(0, 2, (frames, height, width, 3))
    return (np.stack(shots) + noise).clip(0, 255).astype(np.uint8)


def speed(prior, height: int = 720, width: int = 1280, frames: int = 8) -> float:
    """Frames per second: the best of three batches after one to warm up, so that what else the machine does counts
    little."""
    clip, seconds = torch.rand(frames, height, width, 3), []
    for _ in range(4):
        began = time.perf_counter()
        prior(clip)
        seconds.append(time.perf_counter() - began)
    return frames / min(seconds[1:])


def run(
    data: Path,
    prior: Path = BUNDLED,
    count: int = 40,
    scripts: list[str] | None = None,
    threads: int | None = None,
    out: Path | None = None,
) -> None:
    """Measure a prior and log the tables; as the module's docstring says."""
    if threads:
        torch.set_num_threads(threads)
    loaded, results = load_prior(prior), {}
    results["frames per second at 1280x720"], results["threads"] = speed(loaded), torch.get_num_threads()
    log.info(
        "%.1f frames per second at 1280x720 with %d threads",
        results["frames per second at 1280x720"],
        results["threads"],
    )

    log.info(
        "\n| script | prior: IoU | F1 | recall | precision | pseudo-labels: IoU | F1 |\n|---|---|---|---|---|---|---|"
    )
    wanted, results["scripts"], everything = (
        scripts or (*TRAINED, *HELD_BACK),
        {},
        {"prior": Overlap(), "pseudo-labels": Overlap()},
    )
    for title, scripts in (("**trained scripts**", TRAINED), ("**never trained on**", HELD_BACK)):
        together = {"prior": Overlap(), "pseudo-labels": Overlap()}
        for script in (script for script in scripts if script in wanted):
            scores = by_script(loaded, data, script, count)
            results["scripts"][script] = _row(script, scores)
            for who, overlap in scores.items():
                together[who] += overlap
        if together["prior"].true:
            results[title.strip("*")] = _row(title, together)
        for who, overlap in together.items():
            everything[who] += overlap
    results["all scripts"] = _row("**all scripts**", everything)

    log.info("\n| marked on frames without a subtitle | single frames | in lines |\n|---|---|---|")
    results["marked on empty frames"] = {}
    for name, text in (("without any text", False), ("some with signs and corner graphics", True)):
        results["marked on empty frames"][name] = shares = on_empty(loaded, data, 2 * count, text)
        log.info("| %s | %s |", name, " | ".join(f"{share:.4%}" for share in shares))

    log.info("\n| signs moving by | %s |\n|---|%s", " | ".join(STAGES), "---|" * len(STAGES))
    results["marked on moving signs"] = signs = on_signs(loaded, data, max(1, count // 10))
    for name, shares in [
        *((f"{pace:g} px a frame", shares) for pace, shares in signs.items()),
        ("**all**", np.mean(list(signs.values()), 0)),
    ]:
        log.info("| %s | %s |", name, " | ".join(f"{share:.3%}" for share in shares))
    if out:
        out.write_text(json.dumps(results, indent=1), encoding="utf-8")


def _row(name: str, scores: dict[str, Overlap]) -> dict[str, dict[str, float]]:
    """Logs a script's row of the table, and gives its figures."""
    ours, labelled = (scores[who].report() for who in ("prior", "pseudo-labels"))
    log.info(
        "| %s | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f |",
        name,
        ours["iou"],
        ours["f1"],
        ours["recall"],
        ours["precision"],
        labelled["iou"],
        labelled["f1"],
    )
    return {"prior": ours, "pseudo-labels": labelled}
