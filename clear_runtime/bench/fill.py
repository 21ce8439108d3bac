"""What each part of the fill is worth, with the true mask.

    python -m clear_runtime bench fill [CASE ...] [--pictures FILE ...] [--kinds KIND ...] [--grow PIXELS]
                                   [--size FRAMES HEIGHT WIDTH] [--crf CRF ...] [--columns COLUMN ...]
                                   [--lpips-weights FILE]

A CASE is a folder as of `bench removal`. Beside the cases, pictures are seen through a moving camera (a drawn
landscape, or the photographs that are named), with a line of text that stays while the picture moves. Columns, each
with all of what stands before it: the smooth continuation of the surroundings; true pixels from the same place in other
frames; true pixels along the motion; what the network paints; texture from the surroundings; the scene's colour where
the letters' has run into it; no specks around letters; more of the detail that is there, which a removal does not have.
--columns chooses among them; --crf encodes every clip first, by each of x264's constant rate factors. Prints tables of
PSNR, texture, what the texture that is missing would cost, and flicker inside the subtitle grown by 3 pixels, of LPIPS
in the box around it where AlexNet's weights are given, and of the seconds that a frame takes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from ..fill.bleed import without_bleed
from ..fill.plain import fill
from ..fill.ringing import without_ringing
from ..frames.masks import grow
from ..metrics import Lpips, flicker, masked_psnr, texture_cost, texture_energy
from .cases import BenchCase, read_case
from .compression import stored
from .figures import write_json
from .moving import KINDS, Size, drawn_scene, moving_case, photograph
from .tables import table

log = logging.getLogger(__name__)

PARTS: dict[str, dict[str, bool]] = {
    "harmonic": {"still": False, "motion": False, "network": False, "texture": False},
    "+ still": {"motion": False, "network": False, "texture": False},
    "+ motion": {"network": False, "texture": False},
    "+ network": {"texture": False},
    "+ texture": {},
    "+ colour": {"colour": True},
    "+ specks": {"colour": True, "specks": True},
    "+ detail": {"colour": True, "specks": True, "detail": True},
}
"""Column -> what of the fill is off; whether the letters' colour is taken out of the picture around them (bleed.py),
and specks (ringing.py); and of what a removal does not have, on."""
GROW = 1
MEASURES = {
    "psnr": ("PSNR in dB", "{:.2f}"),
    "texture": ("texture", "{:.2f}"),
    "unrelated": ("dB that unrelated detail up to a texture of 0.8 costs at least", "{:.2f}"),
    "lpips": ("LPIPS of the subtitle's box", "{:.4f}"),
    "flicker": ("flicker", "{:.2f}"),
    "seconds": ("seconds a frame", "{:.2f}"),
}


@dataclass(frozen=True)
class FillScores:
    """psnr in dB, flicker in 0..255 and texture (high-pass energy as a share of the truth's) inside the subtitle grown
    by 3 pixels; unrelated: dB that it costs at least to bring the texture to 0.8 by detail that is not the truth's;
    seconds that one waits for a frame; lpips of the subtitle's box, None: not measured."""

    psnr: float
    texture: float
    unrelated: float
    flicker: float
    seconds: float
    lpips: float | None = None


def scores(
    case: BenchCase,
    pixels: int = GROW,
    lpips: Lpips | None = None,
    colour: bool = False,
    specks: bool = False,
    **parts: Any,
) -> FillScores:
    """One way to fill a case's true mask, grown by so many pixels."""
    holes = grow(case.mask.float(), pixels)
    began = time.perf_counter()
    seen = without_bleed(case.subtitled, holes > 0)[0] if colour else case.subtitled
    seen = without_ringing(seen, holes > 0)[0] if specks else seen
    filled = fill(seen, holes, **parts)
    seconds = (time.perf_counter() - began) / len(holes)
    levels = (filled.clamp(0, 1) * 255).round() / 255
    of = (levels, case.clean, case.grown)
    perceived = lpips(*of) if lpips else None
    return FillScores(masked_psnr(*of), texture_energy(*of), texture_cost(*of), 255 * flicker(*of), seconds, perceived)


def generated(kinds: Sequence[str], pictures: Sequence[Path], size: Size = Size()) -> Iterator[BenchCase]:
    """Each kind of movement over each picture, or over a drawn one."""
    for scene in [photograph(file) for file in pictures] or [drawn_scene()]:
        for kind in kinds:
            yield moving_case(kind, scene, size)


def encoded(cases: Iterable[BenchCase], crfs: Sequence[float]) -> Iterator[tuple[str, BenchCase]]:
    """Each case by its name, as it is, or as it comes out of x264 at each constant rate factor."""
    for case in cases:
        if not crfs:
            yield case.name, case
        for crf in crfs:
            yield f"{case.name}, crf {crf:g}", replace(case, subtitled=stored(case.subtitled, crf))


def run(
    cases: list[Path],
    pictures: list[Path],
    kinds: Sequence[str] = KINDS,
    pixels: int = GROW,
    figures_in: Path | None = None,
    size: Sequence[int] = Size(),
    lpips_weights: Path | None = None,
    crfs: Sequence[float] = (),
    columns: Sequence[str] = tuple(PARTS),
) -> None:
    """Measure, and log the tables; as the module's docstring says. The rows of one kind are means over pictures;
    size: of the generated clips."""
    lpips = Lpips(weights=lpips_weights) if lpips_weights else None
    rows: dict[str, list[dict[str, FillScores]]] = {}
    for name, case in encoded([*map(read_case, cases), *generated(kinds, pictures, Size(*size))], crfs):
        row = {part: scores(case, pixels, lpips, **PARTS[part]) for part in columns}
        rows.setdefault(name, []).append(row)
        log.info("%s  %s", name, "  ".join(f"{part} {one.psnr:.2f} dB" for part, one in row.items()))
    means = {name: {part: _mean([row[part] for row in found]) for part in columns} for name, found in rows.items()}
    folders = {path.name for path in cases}
    given = [name for name in means if name.partition(", crf ")[0] in folders]
    for title, names in (("cases", given), ("generated", [name for name in means if name not in given])):
        if names:
            log.info("\n%s", _tables(title, {name: means[name] for name in names}))
    if figures_in:
        figures = {name: {part: asdict(one) for part, one in row.items()} for name, row in means.items()}
        write_json(figures_in, figures)


def _mean(of: Sequence[FillScores]) -> FillScores:
    lpips = [one.lpips for one in of if one.lpips is not None]
    return FillScores(
        fmean(one.psnr for one in of),
        fmean(one.texture for one in of),
        fmean(one.unrelated for one in of),
        fmean(one.flicker for one in of),
        fmean(one.seconds for one in of),
        fmean(lpips) if lpips else None,
    )


def _tables(title: str, rows: dict[str, dict[str, FillScores]]) -> str:
    columns = list(next(iter(rows.values())))
    rows = {**rows, "**mean**": {part: _mean([row[part] for row in rows.values()]) for part in columns}}
    values = {name: {part: asdict(one) for part, one in row.items()} for name, row in rows.items()}
    return "\n\n".join(
        table(
            f"{title}: {words}",
            columns,
            {name: [form.format(row[part][measure]) for part in columns] for name, row in values.items()},
        )
        for measure, (words, form) in MEASURES.items()
        if all(one[measure] is not None for row in values.values() for one in row.values())
    )
