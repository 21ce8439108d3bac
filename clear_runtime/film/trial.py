"""How long a film will take here, by cleaning a moment of it: what nobody can know from the file alone."""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from itertools import islice
from pathlib import Path

from ..find.report import Report
from .clean import Cleaning
from .layout import Piece
from .store import Store

WINDOW = 9
"""Frames that are painted for it."""
PASSING = 24
"""Frames that pass through for it."""


def rates(cleaning: Cleaning, store: Store, folder: Path) -> tuple[float, float]:
    """Seconds for a frame that is painted and for one that passes through, each with what it takes to write it. Where
    nothing is painted, the first is 0. Writes into `folder`, and leaves nothing there."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="trial_") as place:
        small = cleaning.with_window(min(WINDOW, cleaning.options.windows.window))
        first = next((piece for piece in small.pieces() if piece.works), None)
        passing = _timed(small, store, Path(place) / "passing", Piece(0, min(PASSING, cleaning.plan.stop), False))
        if first is None or first.stop is None:
            return 0.0, passing
        moment = Piece(first.first, min(first.stop, first.first + WINDOW), True)
        return _timed(small, store, Path(place) / "painted", moment), passing


def _timed(cleaning: Cleaning, store: Store, path: Path, piece: Piece) -> float:
    """Seconds a frame of a piece."""
    count, source = 0, cleaning.source
    with closing(cleaning.frames_of([piece], piece.first, Report())) as frames:
        begun = time.monotonic()
        with store.segment(path.with_suffix(store.ending(source)), source) as writer:
            for done in islice(frames, PASSING):
                writer.write(done.shown, done.pixels, done.mask)
                count += 1
    return (time.monotonic() - begun) / max(1, count)
