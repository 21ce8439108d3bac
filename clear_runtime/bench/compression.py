"""What is left of a subtitle in a video that was compressed before it was cleaned, and compressed again after.

    python -m clear_runtime bench compression CASE [CASE ...] [--crf CRF ...] [--grow PIXELS]

A CASE is a folder as of `bench removal`. Its subtitled frames are encoded at each of x264's constant rate factors and
read again; then the fill alone removes what the prior finds, and the result is encoded as `remove` does it by default.
Prints, for each case and factor: PSNR inside the subtitle grown by 3 pixels, before and after that encoding; the same,
encoded, where the fill was given the true mask grown by --grow pixels; PSNR outside, to the frames that were read; and
by how many pixels the marks were widened.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from ..fill.plain import fill
from ..film.store import CRF
from ..find.marks import Prior
from ..find.priors.checkpoints import load_prior
from ..frames.masks import grow
from ..media.video import read_frames
from ..media.writer import VideoWriter
from ..metrics import masked_psnr
from ..options import PREVIEW, RemoveOptions
from ..pipeline import find, replace
from .cases import BenchCase, read_case
from .figures import write_json
from .tables import table

log = logging.getLogger(__name__)

CRFS = (18, 23, 28)
GROW = 1


@dataclass(frozen=True)
class CompressedScores:
    """psnr: inside the grown subtitle before the result is encoded; stored: after it; true_mask: as stored, filled by
    the true mask; outside: as stored, to the frames as they were read, where there is no subtitle; all in dB. widened:
    pixels by which the marks of the rows that went were widened, a number each."""

    psnr: float
    stored: float
    true_mask: float
    outside: float
    widened: tuple[int, ...]


def stored(frames: Tensor, crf: float = CRF) -> Tensor:
    """Frames [T, H, W, 3] in 0..1 as x264 keeps them at a constant rate factor."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "stored.mp4"
        _, height, width, _ = frames.shape
        with VideoWriter(file, width, height, 25, crf) as writer:
            for frame in frames:
                writer.write(frame)
        return torch.stack(list(read_frames(file)))


def scores(case: BenchCase, crf: float, prior: Prior, pixels: int = GROW) -> CompressedScores:
    """One case at one constant rate factor."""
    options, given = RemoveOptions.of(output=PREVIEW), stored(case.subtitled, crf)
    finding = find(given, prior, options.marking)
    pairs = replace(finding.over(given), None, options, total=len(given), prior=prior)
    cleaned = torch.stack([frame for frame, _ in pairs])
    kept = stored(cleaned)
    best = stored(fill(given, grow(case.mask.float(), pixels)))
    return CompressedScores(
        masked_psnr(cleaned, case.clean, case.grown),
        masked_psnr(kept, case.clean, case.grown),
        masked_psnr(best, case.clean, case.grown),
        masked_psnr(kept, given, 1 - case.grown),
        tuple(finding.reach(one) for one in finding.found if finding.goes(one)),
    )


def run(cases: list[Path], crfs: Sequence[float] = CRFS, pixels: int = GROW, figures_in: Path | None = None) -> None:
    """Measure, and log the table; as the module's docstring says."""
    prior, rows = load_prior(), {}
    for case in map(read_case, cases):
        for crf in crfs:
            rows[f"{case.name}, crf {crf:g}"] = row = scores(case, crf, prior, pixels)
            log.info("%s at crf %g: %s", case.name, crf, row)
    columns = ["before encoding", "encoded", "encoded, true mask", "outside", "widened by"]
    cells = {name: [*_decibels(row), " ".join(map(str, row.widened))] for name, row in rows.items()}
    for crf in crfs:
        of = [row for name, row in rows.items() if name.endswith(f", crf {crf:g}")]
        means = [fmean(values) for values in zip(*(_values(row) for row in of))]
        cells[f"**mean, crf {crf:g}**"] = [f"{value:.2f}" for value in means] + [""]
    log.info("\n%s", table("PSNR in dB", columns, cells))
    if figures_in:
        write_json(figures_in, {name: asdict(row) for name, row in rows.items()})


def _values(row: CompressedScores) -> tuple[float, ...]:
    return row.psnr, row.stored, row.true_mask, row.outside


def _decibels(row: CompressedScores) -> Iterator[str]:
    return (f"{value:.2f}" for value in _values(row))
