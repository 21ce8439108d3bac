"""Ours against DiffSynth's pipeline on the same random weights, in one run: seconds a frame, part by part, how many
times as fast, and how much memory each has held at most.

    python -m clear_runtime bench film [--size 480 832] [--frames 81] [--clips CLIP ...] [--real-shape] [--device cuda]
                                   [--json FILE]

A picture that moves, with two lines in its lower fifth: all the time with the whole frame shown to the network, all the
time with what `auto` shows it, frames in and frames out; and a film five times as long with lines for 40 % of the time,
from file to file, reading and writing included, where the pieces with lines alone are painted. DiffSynth's pipeline
always works on all of every frame: it is measured on one window without files, and windows that overlap would make it
slower. Ours includes looking for the lines with the bundled prior, and not the second look at the result: what random
weights paint looks like letters, and would be painted twice. --clips leaves some of the three out: most of the time
DiffSynth's own takes, and most of the rest the first.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from ..engines.clear import ClearEngine
from ..engines.denoiser import DiffSynthDenoiser
from ..engines.diffsynth_codec import DiffSynthCodec
from ..engines.engine import OnStage, Painted, Piece
from ..errors import ClearError
from ..film.options import RemoveFilmOptions
from ..film.progress import LOOK
from ..film.run import Job, clean
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..find.report import Report
from ..media.writer import VideoWriter
from ..options import RemoveOptions
from ..pipeline import remove
from ..wan import GROUP
from .figures import write_json
from .gpu.reference import their_removal
from .gpu.shapes import STEPS, ClipSize, prompt, random_model, random_vae
from .peak import Peak

log = logging.getLogger(__name__)

BARS = {"full frame": 1.5, "auto": 5.0, "auto, 40 % of the time": 10.0}
"""How many times as fast ours is meant to be at least."""
LINES = ("Two lines of letters that stand", "in the lower fifth of the picture")
SHARE, LONGER = 0.4, 5
"""Of the film's frames those with lines; the film's length, in windows."""
WINDOW, OVERLAP = 81, 16
"""The paper's, whose shares a shorter window keeps."""
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
        picture, (letters, opacity) = scene(*self.size), lines(*self.size)
        for t in range(self.frames):
            now = picture.roll(t, 1)
            yield now + opacity * (letters - now) if self.first <= t < self.stop else now


def run(
    size: list[int],
    frames: int,
    real_shape: bool,
    device: str,
    figures_in: Path | None,
    clips: Sequence[str] = tuple(BARS),
) -> None:
    """Log a table of Markdown; figures_in: the same as JSON. clips: of BARS, those that are measured."""
    height, width = size
    place, dtype = torch.device(device), torch.float32 if device == "cpu" else torch.bfloat16
    torch.manual_seed(0)
    model, vae = random_model(not real_shape, dtype, place), random_vae(not real_shape, dtype, place)
    context, prior = prompt(), load_prior(BUNDLED, device)
    engine = ClearEngine(DiffSynthCodec(vae, place), DiffSynthDenoiser(model, context, device=place))
    peak = Peak(place)
    with torch.inference_mode():
        their = their_removal(place, model, vae, context, ClipSize(frames, height, width))
        theirs = {name: their[name]["seconds_a_frame"] for name in ("encode", "denoise", "decode", "whole")}
    theirs["GiB"] = peak.gib()
    log.info("DiffSynth: %s", theirs)
    longer, with_lines = LONGER * frames, round(LONGER * frames * SHARE)
    first = (longer - with_lines) // 2
    always = Subtitled(frames, (height, width), 0, frames)
    sometimes = Subtitled(longer, (height, width), first, first + with_lines)
    ways = (
        lambda: _ours(engine, prior, always, "whole frame"),
        lambda: _ours(engine, prior, always, "subtitle band"),
        lambda: _from_file_to_file(engine, prior, sometimes, frames),
    )
    rows = {}
    for name, way in zip(BARS, ways):
        if name not in clips:
            continue
        peak = Peak(place)
        found = {**way(), "GiB": peak.gib()}
        times = round(theirs["whole"] / found["whole"], 2)
        rows[name] = {**found, "DiffSynth": theirs["whole"], "DiffSynth GiB": theirs["GiB"], "times": times}
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
        write_json(figures_in, {**about, "DiffSynth": theirs, "ours": rows})


def _ours(engine: ClearEngine, prior, clip: Subtitled, region: str) -> dict[str, float]:
    """Seconds a frame of a removal, whole and by its parts."""
    clock, report = _Parts(), Report()
    options = RemoveOptions.of(region=region, steps=STEPS, mask_from="prior", second_look=False, fps=25.0)
    begun = time.perf_counter()
    count = sum(1 for _ in remove(clip, engine, prior, options, total=clip.frames, on_progress=clock, report=report))
    whole = time.perf_counter() - begun
    return _seconds(report, clock, whole, count)


def _from_file_to_file(engine: ClearEngine, prior, clip: Subtitled, window: int) -> dict[str, float]:
    """The same of a film, in windows of so many frames; what reading, writing and joining take is the rest."""
    clock, report = _Parts(), Report()
    overlap = GROUP * round((window * OVERLAP / WINDOW - 1) / GROUP) + 1  # the nearest that windows can have
    asked = RemoveOptions.of(
        region="subtitle band", steps=STEPS, mask_from="prior", second_look=False, window=window, overlap=overlap
    )
    with tempfile.TemporaryDirectory(prefix="bench_film_") as name:
        folder = Path(name)
        with VideoWriter(folder / "film.mp4", *clip.size[::-1], 25) as writer:
            for frame in clip:
                writer.write(frame)
        options = RemoveFilmOptions(remove=asked)
        target = folder / "clean.mp4"
        job = Job(folder / "film.mp4", folder / "work", lambda: target, _Timed(engine, clock), prior, options)
        clock.begin()
        begun = time.perf_counter()
        clean(job, lambda now: clock.told("find") if now.stage == LOOK else None, report)
        whole = time.perf_counter() - begun
        clock.told("done")
    return _seconds(report, clock, whole, clip.frames)


def _seconds(report: Report, clock: _Parts, whole: float, frames: int) -> dict[str, float]:
    """A frame's, whole and by its parts."""
    if not report.removed:
        raise ClearError("The lines of the clip were not found: choose a larger size.")
    parts = {name: round(seconds / frames, 5) for name, seconds in clock.seconds.items()}
    return {"whole": round(whole / frames, 5), **parts}


class _Parts:
    """What a removal calls with its progress: seconds of each part."""

    def __init__(self):
        self.seconds = dict.fromkeys((*PARTS.values(), "rest"), 0.0)
        self.begin()

    def begin(self) -> None:
        """What was before is not counted."""
        self._last, self._now = time.perf_counter(), "rest"

    def __call__(self, progress) -> None:
        self.told(progress.stage)

    def told(self, stage: str) -> None:
        now = time.perf_counter()
        ended = PARTS[stage] if stage in ("find", "sample") else self._now
        self.seconds[ended] += now - self._last
        self._now = PARTS[stage] if stage in ("control", "encode", "decode") else "rest"
        self._last = now


class _Timed:
    """An engine whose parts are timed: a film's progress tells of frames alone."""

    def __init__(self, engine: ClearEngine, clock: _Parts):
        self._engine, self._clock = engine, clock
        self.needs, self.steps = engine.needs, engine.steps

    def paint(self, piece: Piece, seed: int, on_stage: OnStage) -> Painted:
        def told(stage: str, *step) -> None:
            self._clock.told(stage)
            on_stage(stage, *step)

        self._clock.told("begin")
        painted = self._engine.paint(piece, seed, told)
        self._clock.told("painted")
        return painted


def table(rows: dict[str, dict[str, float]]) -> str:
    names = [*dict.fromkeys(PARTS.values()), "rest"]
    head = ["clip", "DiffSynth", "ours", *names, "times as fast", "bar", "DiffSynth, GiB", "ours, GiB"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for name, row in rows.items():
        parts = [f"{row[part]:.3f}" for part in ("DiffSynth", "whole", *names)]
        held = ["" if row[one] is None else f"{row[one]:.2f}" for one in ("DiffSynth GiB", "GiB")]
        cells = [name, *parts, f"{row['times']:.2f}", f"{BARS[name]:g}", *held]
        lines.append(f"| {' | '.join(cells)} |")
    return "Seconds a frame, and memory at its peak:\n\n" + "\n".join(lines)


def scene(height: int, width: int) -> Tensor:
    """A soft picture [H, W, 3], nothing in it as bright as letters."""
    coarse = torch.rand(1, 3, 9, 16, generator=torch.Generator().manual_seed(0))
    return F.interpolate(coarse, (height, width), mode="bicubic")[0].permute(1, 2, 0).clamp(0.05, 0.8)


def lines(height: int, width: int, words: Sequence[str] = LINES) -> tuple[Tensor, Tensor]:
    """Two outlined lines: their colour and opacity [H, W, 3] and [H, W, 1]."""
    picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(height // 18)
    for n, line in enumerate(words):
        place = width / 2, height * (0.85 + 0.08 * n)
        draw.text(place, line, "white", font, anchor="mm", stroke_width=max(1, height // 240), stroke_fill="black")
    pixels = torch.from_numpy(np.array(picture)).float() / 255
    return pixels[..., :3], pixels[..., 3:]
