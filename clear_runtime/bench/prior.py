"""Measure a prior on held-back pictures, fonts and scripts of the generator.

    python -m clear_runtime bench prior --data FOLDER [--prior FILE] [--threads 2] [--out FIGURES.json]

Prints tables: IoU and F1 with the true masks per script, the prior's and the pseudo-labels' own; recall by the width of
lines and the height of letters, IoU by style; what is marked on frames without text; what is marked on moving signs,
before and after the evidence over time; and frames per second. With the counts as they are it takes about six minutes
on two CPU cores. Real clips are measured by `python -m clear_runtime bench removal`.
"""

from __future__ import annotations

import logging
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..data import pseudo_labels
from ..data.synthetic import sources
from ..data.synthetic.burn import random_style, render
from ..data.synthetic.pairs import PairMaker
from ..data.synthetic.scripts import TRAINED, UNSEEN
from ..data.synthetic.text import random_line
from ..find.marks import find_text, marks_of
from ..find.options import MarkOptions
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..metrics import Overlap
from .figures import write_json
from .prior_text import THRESHOLD, by_height, by_style, by_width, marks_in, on_empty

log = logging.getLogger(__name__)

SIZE = (352, 640)  # height and width of the frames it is measured on
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of moving signs, pixels per frame
SIGNS = 5  # in a clip
STAGES = ("single frames", "as the remover uses it")


def by_script(prior, folder: Path, script: str, count: int) -> dict[str, Overlap]:
    """Overlap with the true masks of "prior" and "pseudo-labels", on `count` frames with a subtitle in one script."""
    maker, ours, labelled = PairMaker(folder, validation=True, scripts=(script,)), Overlap(), Overlap()
    if script in UNSEEN:  # never trained on, so none of its fonts has been seen
        maker.fonts[script] = [
            (str(path), 0) for held_back in (False, True) for path in sources.fonts(folder, script, held_back)
        ]
    for seed in range(count):
        drawn = maker.frame(f"{script} {seed}", *SIZE, empty=0, em=(14, 34), cut=False, corners=0.0)
        clean, subtitled = (torch.from_numpy(part)[None].float() / 255 for part in (drawn.clean, drawn.subtitled))
        mask = torch.from_numpy(drawn.mask)[None]
        ours.add(marks_in(prior, drawn.subtitled)[None], mask)
        labelled.add(pseudo_labels.labels(subtitled, clean) > 0, mask)
    return {"prior": ours, "pseudo-labels": labelled}


def on_signs(prior, folder: Path, clips: int, frames: int = 25) -> dict[float, tuple[float, ...]]:
    """Speed in pixels per frame -> share of pixels marked on clips with moving signs and no subtitle, at each of
    STAGES."""
    maker, shares = PairMaker(folder, validation=True), {}
    for pace in SPEEDS:
        found = []
        for seed in range(clips):
            clip = torch.from_numpy(sign_clip(maker, f"signs {pace} {seed}", pace, frames)).float() / 255
            _, marks = marks_of(clip, prior, MarkOptions(grow=0))
            stages = (prior(clip) > THRESHOLD, marks)
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
    return (np.stack([np.asarray(shot) for shot in shots]) + noise).clip(0, 255).astype(np.uint8)


def speed(prior, folder: Path, height: int = 720, width: int = 1280, frames: int = 72) -> float:
    """Frames per second of the whole first pass, over a clip in which two rows stand: the best of two after one to warm
    up, so that what else the machine does counts little."""
    drawn = PairMaker(folder, validation=True).frame(
        "speed", height, width, empty=0.0, cut=False, corners=0.0, kind="rows"
    )
    clip, seconds = [torch.from_numpy(drawn.subtitled).float() / 255] * frames, []
    for _ in range(3):
        began = time.perf_counter()
        find_text(clip, prior)
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
    loaded = load_prior(prior)
    results: dict[str, Any] = {"frames per second at 1280x720": speed(loaded, data), "threads": torch.get_num_threads()}
    log.info("%.1f frames per second at 1280x720 are found in with %d threads", *results.values())
    results |= _by_script(loaded, data, scripts or [*TRAINED, *UNSEEN], count)
    if not scripts:
        results |= _by_text(loaded, data, max(1, count // 2))
    log.info("\n| marked where there is no text | single frames |\n|---|---|")
    results["marked on empty frames"] = empty = on_empty(loaded, data, 2 * count)
    for name, share in empty.items():
        log.info("| %s | %.4f %% |", name, 100 * share)

    log.info("\n| signs moving by | %s |\n|---|%s", " | ".join(STAGES), "---|" * len(STAGES))
    results["marked on moving signs"] = signs = on_signs(loaded, data, max(1, count // 10))
    for name, shares in [
        *((f"{pace:g} px a frame", shares) for pace, shares in signs.items()),
        ("**all**", np.mean(list(signs.values()), 0)),
    ]:
        log.info("| %s | %s |", name, " | ".join(f"{share:.3%}" for share in shares))
    if out:
        write_json(out, results)


def _by_script(prior, data: Path, wanted: list[str], count: int) -> dict[str, Any]:
    """Logs the table by script, and gives its figures."""
    log.info(
        "\n| script | prior: IoU | F1 | recall | precision | pseudo-labels: IoU | F1 |\n|---|---|---|---|---|---|---|"
    )
    results: dict[str, Any] = {"scripts": {}}
    everything = {"prior": Overlap(), "pseudo-labels": Overlap()}
    for title, scripts in (("**trained scripts**", TRAINED), ("**never trained on**", UNSEEN)):
        together = {"prior": Overlap(), "pseudo-labels": Overlap()}
        for script in (script for script in scripts if script in wanted):
            scores = by_script(prior, data, script, count)
            results["scripts"][script] = _row(script, scores)
            for who, overlap in scores.items():
                together[who] += overlap
        if together["prior"].true:
            results[title.strip("*")] = _row(title, together)
        for who, overlap in together.items():
            everything[who] += overlap
    results["all scripts"] = _row("**all scripts**", everything)
    return results


def _by_text(prior, data: Path, few: int) -> dict[str, dict]:
    """Logs the tables by width, height and style, and gives their figures."""
    results: dict[str, dict] = {}
    for title, measured in (
        ("recall by a line's width, px", by_width),
        ("recall by the height of capitals, px", by_height),
    ):
        results[title] = shares = measured(prior, data, few)
        log.info(
            "\n| %s | %s |\n|---|%s\n| recall | %s |",
            title,
            " | ".join(map(str, shares)),
            "---|" * len(shares),
            " | ".join(f"{share:.3f}" for share in shares.values()),
        )
    log.info("\n| style | IoU | recall | precision |\n|---|---|---|---|")
    results["style"] = {name: overlap.report() for name, overlap in by_style(prior, data, few).items()}
    for name, figures in results["style"].items():
        log.info("| %s | %.3f | %.3f | %.3f |", name, figures["iou"], figures["recall"], figures["precision"])
    return results


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
