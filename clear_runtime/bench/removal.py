"""Score the bundled model on clips whose clean original is known, with and without its network.

    python -m clear_runtime bench removal CASE [CASE ...] [--columns COLUMN ...] [--ocr] [--lpips]
                                      [--lpips-weights FILE] [--lora FILE]

A CASE is a folder with input.mp4 (subtitled), clean.mp4 or clean.npy (uint8 [T, H, W, 3]), and mask.npy or mask.mp4
(the subtitle; without it, what differs between the two). Prints a table of how well the prior finds the subtitle, and a
table for each measure of the removal: the subtitled input, the fill alone (the same prior mask, no network), and the
network on both kinds of control. --columns chooses others, among them OpenCV's inpainting, and "result": the file
result.mp4 in the folder, whatever made it. All others are compared before any encoding of the result. The network needs
the extra `reference`; --ocr, --lpips and OpenCV's inpainting need the extra `evaluate`.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from ..engines.bundled import bundled_denoiser
from ..engines.lora import read_lora
from ..engines.nano import load as nano
from ..engines.nano.engine import nano_engine
from ..engines.nano.limits import STEPS
from ..engines.options import EngineOptions
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..metrics import Lpips, Overlap
from ..options import RemoveOptions
from ..pipeline import remove
from .baselines import BASELINES, baseline
from .cases import BenchCase, read_case
from .figures import write_json
from .masks import box_masks, prior_masks
from .ocr import load_reader
from .scores import Reading, Scores, score
from .tables import mask_table, removal_tables

log = logging.getLogger(__name__)

UNTOUCHED = {"subtitled input": "subtitled", "clean original": "clean"}  # column -> part of a case
RESULT = "result"


def methods(steps: int) -> dict[str, RemoveOptions]:
    """The ways of removal that are compared, by their column's name."""
    return {
        "fill alone": RemoveOptions.of(output="preview"),
        "nano, prefilled": RemoveOptions.of(steps=steps),
        "nano, as is": RemoveOptions.of(steps=steps, control="as is"),
    }


class Evaluation:
    """columns: names of UNTOUCHED, of BASELINES and of methods(), and RESULT. denoiser: None where none of them runs
    the network."""

    def __init__(
        self,
        columns: list[str],
        steps: int,
        prior,
        codec,
        denoiser,
        lpips: Lpips | None = None,
        read=None,
        every: int = 8,
    ):
        self.columns, self.options, self.prior = columns, methods(steps), prior
        self.engine = denoiser and nano_engine(codec, denoiser, EngineOptions(steps=steps))
        self.lpips, self.read, self.every = lpips, read, every

    def __call__(self, case: BenchCase) -> tuple[dict[str, Overlap], dict[str, Scores]]:
        """A case's row of the mask table, and of the tables of removal."""
        found = prior_masks(case, self.prior)
        reading = None
        if self.read:
            reading = Reading(case, self.read, self.every)
            found["OCR boxes"] = box_masks(case, reading.lines)
            log.info(
                "%s  read in the input: %s",
                case.name,
                max((text for seen in reading.before.values() for text in seen.texts), key=len),
            )
        log.info(
            "%s  %s",
            case.name,
            "   ".join(
                f"{way}: IoU {o['iou']:.3f}  F1 {o['f1']:.3f}" for way, o in ((w, x.report()) for w, x in found.items())
            ),
        )
        row = {}
        for column in self.columns:
            row[column] = score(case, self._frames(case, column), self.lpips, reading)
            log.info(
                "%s  %s  %s",
                case.name,
                column,
                "  ".join(f"{name} {value:.4g}" for name, value in asdict(row[column]).items() if value is not None),
            )
        return found, row

    def _frames(self, case: BenchCase, column: str) -> Tensor:
        if column in UNTOUCHED:
            return getattr(case, UNTOUCHED[column])
        if column == RESULT:
            return case.result()
        if column in BASELINES:
            return baseline(column, case, self.read)
        pairs = remove(case.subtitled, self.engine, self.prior, self.options[column], total=len(case.subtitled))
        return torch.stack([frame for frame, _ in pairs])


def run(
    cases: list[Path],
    columns: list[str],
    steps: int = STEPS,
    prior: Path = BUNDLED,
    lora: Path | None = None,
    ocr: bool = False,
    ocr_every: int = 8,
    lpips: bool = False,
    lpips_weights: Path | None = None,
    device: str = "cpu",
    figures_in: Path | None = None,
) -> None:
    """Measure folders of cases by columns, and log the tables; as the module's docstring says."""
    codec, denoiser = nano.load_bundled_codec(device), None
    if any(column.startswith("nano") for column in columns):
        denoiser = bundled_denoiser(device, read_lora(lora) if lora else None)
    evaluation = Evaluation(
        columns,
        steps,
        load_prior(prior, device),
        codec,
        denoiser,
        Lpips(device, lpips_weights) if lpips or lpips_weights else None,
        load_reader() if ocr else None,
        ocr_every,
    )
    found, rows = {}, {}
    for folder in cases:
        found[folder.name], rows[folder.name] = evaluation(read_case(folder))
    log.info("\n%s\n\n%s", mask_table(found), removal_tables(rows))
    if figures_in:
        figures = {
            case: {
                "masks": {way: o.report() for way, o in found[case].items()},
                "removal": {c: asdict(s) for c, s in rows[case].items()},
            }
            for case in rows
        }
        write_json(figures_in, figures)
