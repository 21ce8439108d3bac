"""How fast removals were on this machine: what a node can say of the time as soon as its film is chosen.

Kept in ComfyUI's user folder as seconds for a million pixels of a frame, by what painted; each run replaces what the
one before it had left.
"""

from __future__ import annotations

import json
import logging

from ...clear_runtime.atomic import WholeFile
from .files import user_file

log = logging.getLogger(__name__)

FILE = "clear_pace.json"
LEAST = 5.0
"""Seconds and millions of pixels from which a run tells something: a smaller one is mostly the loading of weights."""
ROUGH = {"fill": 1.2, "nano": 1.3}
"""Before the first run, without a graphics card: the bundled clip on two idle cores (`python run.py demo`, and `remove
--engine fill`). For a model on a card nobody knows yet."""


def kind_of(painter: str, steps: int) -> str:
    """What paints, as far as the time depends on it. painter: "nano", "model", or nothing for the fill alone."""
    return f"model {steps}" if painter == "model" else painter or "fill"


def remember(kind: str, frames: int, pixels: int, seconds: float) -> None:
    """A run of so many frames of so many pixels."""
    if seconds < LEAST or frames * pixels < LEAST * 1e6:
        return
    path, known = user_file(FILE), _known()
    known[kind] = seconds / (frames * pixels / 1e6)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with WholeFile(path) as part:
            part.write_text(json.dumps(known), encoding="utf-8")
    except OSError as error:  # a run is no worse for it
        log.warning("%s could not be written (%s)", path, error)


def expected(kind: str, frames: int, pixels: int, on_cpu: bool) -> tuple[float | None, bool]:
    """Seconds for so many frames, None where nobody knows, and whether a run here has shown it."""
    known = _known().get(kind)
    each = known if known is not None else ROUGH.get(kind) if on_cpu else None
    return (None if each is None else each * frames * pixels / 1e6), known is not None


def _known() -> dict[str, float]:
    try:
        told = json.loads(user_file(FILE).read_text(encoding="utf-8"))
        return {str(kind): float(each) for kind, each in told.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
