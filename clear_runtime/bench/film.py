"""Ours against DiffSynth's pipeline on the same random weights, in one run: seconds a frame, part by part, and how many
times as fast. Frames in, frames out; neither reads or writes a file.

    python -m clear_runtime bench film [--size 480 832] [--frames 81] [--real-shape] [--device cuda] [--json FILE]

Three clips of a picture that moves, with two lines in its lower fifth: all the time with the whole frame shown to the
network, all the time with what `auto` shows it, and for 40 % of the time. DiffSynth's pipeline always works on all of
every frame: it is measured on one window, and windows that overlap would make it slower. Ours includes looking for the
lines with the bundled prior, and not the second look at the result: what random weights paint looks like letters, and
would be painted twice. Frames go through `remove`, which paints a window whole if it has a line anywhere.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from ..atomic import write_text
from ..engines.clear import ClearEngine
from ..engines.denoiser import DiffSynthDenoiser
from ..engines.diffsynth_codec import DiffSynthCodec
from ..errors import ClearError
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..find.report import Report
from ..options import RemoveOptions
from ..pipeline import remove
from .gpu.reference import their_removal
from .gpu.shapes import STEPS, Clip, prompt, random_model, random_vae

log = logging.getLogger(__name__)

BARS = {"full frame": 1.5, "auto": 5.0, "auto, 40 % of the time": 10.0}
"""How many times as fast ours is meant to be at least."""
LINES = ("Two lines of letters that stand", "in the lower fifth of the picture")
SHARE = 0.4
PAINT = "encode and denoise"
PARTS = {"find": "look", "control": "fill", "encode": PAINT, "sample": PAINT, "decode": "decode"}
"""Stage of a removal -> part; the first step of sampling is told when it is over, with the encoding before it."""


@dataclass(frozen=True)
class Subtitled:
    """Frames [H, W, 3] that are made when they are gone through; lines in frames first <= t < stop."""

    frames: int
    size: tuple[int, int]
    first: int
    stop: int

    def __iter__(self) -> Iterator[Tensor]:
        scene, (letters, opacity) = _scene(*self.size), _lines(*self.size)
        for t in range(self.frames):
            now = scene.roll(t, 1)
            yield now + opacity * (letters - now) if self.first <= t < self.stop else now


def run(size: list[int], frames: int, real_shape: bool, device: str, figures_in: Path | None) -> None:
    """Log a table of Markdown; figures_in: the same as JSON."""
    height, width = size
    place, dtype = torch.device(device), torch.float32 if device == "cpu" else torch.bfloat16
    torch.manual_seed(0)
    model, vae = random_model(not real_shape, dtype, place), random_vae(not real_shape, dtype, place)
    context, prior = prompt(), load_prior(BUNDLED, device)
    engine = ClearEngine(DiffSynthCodec(vae, place), DiffSynthDenoiser(model, context, device=place))
    with torch.inference_mode():
        their = their_removal(place, model, vae, context, Clip(frames, height, width))
        theirs = {name: their[name]["seconds_a_frame"] for name in ("encode", "denoise", "decode", "whole")}
    log.info("DiffSynth: %s", theirs)
    longer = round(frames / SHARE)
    first = (longer - frames) // 2
    always = Subtitled(frames, (height, width), 0, frames)
    sometimes = Subtitled(longer, (height, width), first, first + frames)
    rows = {}
    for name, clip, region in zip(BARS, (always, always, sometimes), ("whole frame", "subtitle band", "subtitle band")):
        found = _ours(engine, prior, clip, region)
        rows[name] = {**found, "DiffSynth": theirs["whole"], "times": round(theirs["whole"] / found["whole"], 2)}
        log.info("%s: %s", name, rows[name])
    log.info("%s", table(rows))
    if figures_in is not None:
        about = {
            "size": size,
            "frames": frames,
            "real_shape": real_shape,
            "device": device,
            "threads": torch.get_num_threads(),
        }
        write_text(figures_in, json.dumps({**about, "DiffSynth": theirs, "ours": rows}, indent=1) + "\n")


def _ours(engine: ClearEngine, prior, clip: Subtitled, region: str) -> dict[str, float]:
    """Seconds a frame of a removal, whole and by its parts."""
    clock, report = _Parts(), Report()
    options = RemoveOptions.of(region=region, steps=STEPS, mask_from="prior", second_look=False, fps=25.0)
    begun = time.perf_counter()
    count = sum(1 for _ in remove(clip, engine, prior, options, total=clip.frames, on_progress=clock, report=report))
    whole = time.perf_counter() - begun
    if not report.removed:
        raise ClearError("The lines of the clip were not found: choose a larger size.")
    parts = {name: round(seconds / count, 5) for name, seconds in clock.seconds.items()}
    return {"whole": round(whole / count, 5), **parts}


class _Parts:
    """What a removal calls with its progress: seconds of each part."""

    def __init__(self):
        self.seconds = dict.fromkeys((*PARTS.values(), "rest"), 0.0)
        self._last, self._now = time.perf_counter(), "rest"

    def __call__(self, progress) -> None:
        now, stage = time.perf_counter(), progress.stage
        ended = PARTS[stage] if stage in ("find", "sample") else self._now
        self.seconds[ended] += now - self._last
        self._now = PARTS[stage] if stage in ("control", "encode", "decode") else "rest"
        self._last = now


def table(rows: dict[str, dict[str, float]]) -> str:
    names = [*dict.fromkeys(PARTS.values()), "rest"]
    head = ["clip", "DiffSynth", "ours", *names, "times as fast", "bar"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for name, row in rows.items():
        parts = [f"{row[part]:.3f}" for part in ("DiffSynth", "whole", *names)]
        cells = [name, *parts, f"{row['times']:.2f}", f"{BARS[name]:g}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "Seconds a frame:\n\n" + "\n".join(lines)


def _scene(height: int, width: int) -> Tensor:
    """A soft picture [H, W, 3], nothing in it as bright as letters."""
    coarse = torch.rand(1, 3, 9, 16, generator=torch.Generator().manual_seed(0))
    return F.interpolate(coarse, (height, width), mode="bicubic")[0].permute(1, 2, 0).clamp(0.05, 0.8)


def _lines(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Two outlined lines: their colour and opacity [H, W, 3] and [H, W, 1]."""
    picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(height // 18)
    for n, line in enumerate(LINES):
        place = width / 2, height * (0.85 + 0.08 * n)
        draw.text(place, line, "white", font, anchor="mm", stroke_width=max(1, height // 240), stroke_fill="black")
    pixels = torch.from_numpy(np.array(picture)).float() / 255
    return pixels[..., :3], pixels[..., 3:]
