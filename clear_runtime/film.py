"""File to file: a video without its subtitles, frame by frame, with its sound, at its own times."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .engines.engine import Engine
from .errors import ClearError
from .find.marks import Prior
from .find.report import Report
from .media.steady import FileFrames
from .media.video import read_facts
from .media.writer import VISUALLY_LOSSLESS_CRF, VideoWriter
from .options import RemoveOptions
from .pipeline import OnProgress, remove

ENDINGS = (".mp4", ".mov", ".mkv")

OnFrame = Callable[[int, int | None], None]
"""(frames written, frames in all or None where the file does not say); what it raises ends the run."""


@dataclass(frozen=True)
class Cleaned:
    """What was done with a file. changed: frames in which something was replaced. fps: frames per second. seconds: of
    work."""

    source: str
    output: str
    frames: int
    changed: int
    width: int
    height: int
    fps: float
    seconds: float


def require_new(path: Path) -> None:
    """Raise ClearError where a file is already there, there is no folder for it, or no file can have its name."""
    try:
        there = path.exists()
    except OSError as error:
        raise ClearError(f"No file can be called {path.name} ({error.strerror}). Choose a shorter name.") from error
    if there:
        raise ClearError(f"{path} exists already. Nothing is overwritten: move it away, or choose another name.")
    if not path.absolute().parent.is_dir():
        raise ClearError(f"There is no folder {path.parent}. Make it, or choose another place.")


def require_output(path: Path) -> None:
    """Raise ClearError for an output that cannot become a video, or that is there already."""
    if path.suffix.lower() not in ENDINGS:
        raise ClearError(f"{path.name}: the output has to end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}.")
    require_new(path)


def remove_from_file(
    source: Path,
    target: Path,
    engine: Engine | None,
    prior: Prior | None,
    options: RemoveOptions = RemoveOptions(),
    crf: float = VISUALLY_LOSSLESS_CRF,
    on_frame: OnFrame | None = None,
    on_progress: OnProgress | None = None,
    report: Report | None = None,
) -> Cleaned:
    """Write `source` without its subtitles to `target`: as many frames, of the same size, at the same times, with the
    first audio stream. The file appears when it is whole. engine, prior, options, on_progress, report: as
    pipeline.remove takes them. crf: x264's constant rate factor, 0 (lossless) to 51.

    Raises ClearError for a source that cannot be read, and before any work for a target that exists.
    """
    require_output(target)
    facts, began = read_facts(source), time.monotonic()
    changed, frames = 0, FileFrames(source, facts)
    results = remove(
        frames, engine, prior, options, total=facts.frames, on_progress=on_progress, report=report or Report()
    )
    with VideoWriter(
        target, facts.width, facts.height, facts.fps, crf=crf, colour=facts.colour, beside=source, like=facts
    ) as writer:
        for frame, mask in results:
            writer.write(frame, frames.times.popleft())
            changed += bool(mask.any())
            if on_frame is not None:
                on_frame(writer.frames, facts.frames)
    return Cleaned(
        str(source),
        str(target),
        writer.frames,
        changed,
        facts.width,
        facts.height,
        float(facts.fps),
        round(time.monotonic() - began, 2),
    )
