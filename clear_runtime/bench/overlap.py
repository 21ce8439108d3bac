"""Whether windows that go on from one another paint better: `clean_overlap`, with and without.

    python -m clear_runtime bench overlap [CASE ...] [--kinds KIND ...] [--steps N] [--into docs/benchmarks.md]

A CASE is a folder as of `bench removal`; the kinds are generated clips as of `bench fill`. Each is cleaned by the
bundled model in short windows, so that there are borders: shown the subtitled frames as they are, where it paints all
by itself, and prefilled, as it is used. By the true mask, so that nothing but the painting differs. PSNR in dB and
flicker in 0..255 inside the subtitle grown by 3 pixels; flicker at borders is that of the frames in which one window
goes over into the next.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from ..engines.bundled import bundled_denoiser
from ..engines.codec import Codec
from ..engines.denoiser import Denoiser
from ..engines.nano import load
from ..engines.nano.engine import nano_engine
from ..errors import ClearError
from ..find.options import ONLY
from ..frames.windows import plan
from ..metrics import flicker, masked_psnr
from ..options import KEEP, PRIOR, RemoveOptions
from ..pipeline import remove
from . import moving
from .cases import BenchCase, read_case
from .report import around
from .report import into as put_into
from .tables import table

log = logging.getLogger(__name__)
MARKS = "<!-- overlap:begin -->", "<!-- overlap:end -->"
"""Between which the table stands in a file."""
WINDOW, OVERLAP = 17, 9
"""Frames; a window and what two share, as short as a clip of 40 frames with some borders needs."""
SIZE = moving.Size(41)
"""Of the generated clips."""
STEPS = 5
"""The paper's; in one, nothing can be gone on from."""
SHOWN = ("as is", "prefilled")
OFF, ON = WAYS = "without", "with"
MEASURES = ("PSNR", "flicker", "flicker at borders")


@dataclass(frozen=True)
class OverlapScores:
    """PSNR in dB, flicker and flicker at borders in 0..255, inside the grown mask."""

    psnr: float
    flicker: float
    borders: float

    def cells(self) -> list[float]:
        return [self.psnr, self.flicker, self.borders]


def at_borders(frames: int, window: int = WINDOW, overlap: int = OVERLAP) -> Tensor:
    """[frames - 1] bool: for each pair of neighbouring frames, whether one window goes over into the next there. Raises
    ClearError for a clip that fits into one window."""
    out, windows = torch.zeros(frames - 1, dtype=torch.bool), plan(frames, window, overlap)
    for before, after in zip(windows, windows[1:]):
        out[after.start - 1 : before.stop] = True
    if not out.any():
        raise ClearError(f"A clip of {frames} frames has no border between windows; {window + 1} and more have.")
    return out


def run(
    cases: list[Path],
    kinds: Sequence[str] = ("pan", "still"),
    size: Sequence[int] = SIZE,
    steps: int = STEPS,
    into: Path | None = None,
) -> dict[str, dict[str, OverlapScores]]:
    """Measure; logs the table, and returns its rows: clip and control -> with and without. size: of the generated
    clips. into: a file whose table is replaced at the end. Raises ClearError before the first clip for a file without
    a place for the table."""
    if into is not None:
        around(into, MARKS)
    if not cases and not kinds:
        raise ClearError("There is no clip to compare on. Name a case, or one of the kinds of generated clips.")
    codec, denoiser = load.load_bundled_codec("cpu"), bundled_denoiser("cpu")
    rows: dict[str, dict[str, OverlapScores]] = {}
    for case in _cases(cases, kinds, moving.Size(*size)):
        for shown in SHOWN:
            row = {way: score(case, codec, denoiser, shown, steps, way == ON) for way in WAYS}
            rows[f"{case.name}, {shown}"] = row
            log.info("%s, %s  %s", case.name, shown, "  ".join(f"{way} {one}" for way, one in row.items()))
    text = overlap_table(rows)
    log.info("\n%s", text)
    if into is not None:
        put_into(into, f"{steps} steps, windows of {WINDOW} frames that share {OVERLAP}.\n\n{text}\n", MARKS)
    return rows


def score(case: BenchCase, codec: Codec, denoiser: Denoiser, shown: str, steps: int, on: bool) -> OverlapScores:
    """One clip, cleaned in one way."""
    options = RemoveOptions.of(
        **dict(window=WINDOW, overlap=OVERLAP, steps=steps, control=shown, clean_overlap=on),
        **dict(subtitle_use=ONLY, mask_from=PRIOR, second_look=False, boxes=KEEP),
    )
    borders = at_borders(len(case.clean))  # a clip that has none is refused before it is painted
    engine = nano_engine(codec, denoiser, options.engine)
    pairs = remove(iter(case.subtitled), engine, None, options, subtitle=case.grown)
    of = (torch.stack([frame for frame, _ in pairs]), case.clean, case.grown)
    return OverlapScores(masked_psnr(*of), 255 * flicker(*of), 255 * flicker(*of, borders))


def overlap_table(rows: dict[str, dict[str, OverlapScores]]) -> str:
    """As Markdown: clips by measure and way, and the means of each control."""
    columns = [f"{measure}, {way}" for measure in MEASURES for way in WAYS]
    cells = {
        name: [one for pair in zip(*(row[way].cells() for way in WAYS)) for one in pair] for name, row in rows.items()
    }
    for shown in SHOWN:
        same = [values for name, values in cells.items() if name.endswith(f", {shown}")]
        cells[f"**mean, {shown}**"] = [fmean(column) for column in zip(*same)]
    return table("clip", columns, {name: [f"{one:.2f}" for one in values] for name, values in cells.items()})


def _cases(folders: Sequence[Path], kinds: Sequence[str], size: moving.Size) -> Iterator[BenchCase]:
    yield from map(read_case, folders)
    for kind in kinds:
        yield moving.moving_case(kind, moving.drawn_scene(), size)
