"""How many frames a second a film is looked at and cleaned with what is bundled, from file to file.

    python -m clear_runtime bench pace [--size 720 1280] [--frames 300] [--engine fill|nano]

Two films of a moving picture: one without text, one with two lines all the time, which change every three seconds.
Looking is timed from a run's start to where cleaning begins, and cleaning, encoding included, from there to where the
segments are joined. Nothing else should run: this is what one waits for.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..engines.bundled import BUNDLED_ENGINES, bundled_engine
from ..engines.engine import Engine
from ..engines.options import EngineOptions
from ..errors import ClearError
from ..film.options import RemoveFilmOptions
from ..film.progress import CLEAN, JOIN, FilmProgress
from ..film.run import Job, clean
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..media.writer import VideoWriter
from .film import lines, scene

log = logging.getLogger(__name__)

ENGINES, RATE = BUNDLED_ENGINES, 25
BARE, LEAST = "without text", 64
"""The film in which nothing is cleaned, and pixels of a side at least: less holds no line that can be read."""
BARS = {BARE: {"looked at": 15.0}, "two lines all the time": {"cleaned": 3.0}}
"""Film -> frames a second, on two cores at 1280x720, that are meant to be reached."""
WORDS = (
    ("Two lines of letters that change", "in the lower fifth of the picture"),
    ("And these are two other ones", "for as long as those before"),
    ("Every three seconds they go", "to make room for what follows"),
)


@dataclass(frozen=True)
class Film:
    """Frames [H, W, 3]: a picture that moves a pixel a frame, under lines or without."""

    frames: int
    size: tuple[int, int]
    with_lines: bool

    def __iter__(self) -> Iterator[Tensor]:
        picture, written = scene(*self.size), [lines(*self.size, words) for words in WORDS]
        for t in range(self.frames):
            now = picture.roll(t, 1)
            letters, opacity = written[t // (3 * RATE) % len(written)]
            yield now + opacity * (letters - now) if self.with_lines else now


def run(size: list[int], frames: int, engine: str, device: str) -> None:
    """Log a table of Markdown. Raises ClearError for a size too small for lines."""
    if min(size) < LEAST:
        raise ClearError(f"A film of {size[1]}x{size[0]} is too small for lines. Give --size at least {LEAST} {LEAST}.")
    rows = {}
    for name in BARS:
        film = Film(frames, (size[0], size[1]), name != BARE)
        rows[name] = rates(film, bundled_engine(engine, EngineOptions(), device), device)
        log.info("%s: %s", name, rows[name])
    log.info("%s", table(rows))


def rates(film: Film, engine: Engine, device: str) -> dict[str, float]:
    """Frames a second of a run: looked at, cleaned, and from file to file."""
    began: dict[str, float] = {}

    def on_progress(now: FilmProgress) -> None:
        began.setdefault(now.stage, time.perf_counter())

    with tempfile.TemporaryDirectory(prefix="bench_pace_") as name:
        source, target = Path(name) / "film.mp4", Path(name) / "clean.mp4"
        with VideoWriter(source, *film.size[::-1], RATE) as writer:
            for frame in film:
                writer.write(frame)
        prior = load_prior(BUNDLED, device)
        begun = time.perf_counter()
        options = RemoveFilmOptions()
        done = clean(Job(source, Path(name) / "work", lambda: target, engine, prior, options), on_progress)
        ended = time.perf_counter()
    if bool(done.changed) != film.with_lines:
        raise ClearError("The lines of the film were not found: choose a larger size, and more frames.")
    spans = {"looked at": began[CLEAN] - begun, "cleaned": began[JOIN] - began[CLEAN], "in all": ended - begun}
    return {name: round(film.frames / seconds, 2) for name, seconds in spans.items()}


def table(rows: dict[str, dict[str, float]]) -> str:
    names = ["looked at", "cleaned", "in all"]
    found = [f"| film | {' | '.join(names)} | bar |", "|" + "---|" * (len(names) + 2)]
    for name, row in rows.items():
        bars = ", ".join(f"{what} {least:g}" for what, least in BARS[name].items())
        cells = ("–" if (name, one) == (BARE, "cleaned") else f"{row[one]:.1f}" for one in names)
        found.append(f"| {name} | {' | '.join(cells)} | {bars} |")
    return f"Frames a second, on {torch.get_num_threads()} threads:\n\n" + "\n".join(found)
