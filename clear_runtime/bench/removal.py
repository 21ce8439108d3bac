"""Score the bundled model on clips whose clean original is known, with and without its network.

    python -m clear_runtime.bench.removal CASE [CASE ...]
        [--columns COLUMN ...] [--ocr] [--lpips] [--prior FILE] [--lora FILE]

A CASE is a folder with input.mp4 (subtitled), clean.mp4 or clean.npy (uint8 [T, H, W, 3]), and mask.npy or mask.mp4
(the subtitle; without it, what differs between the two). Prints a table of how well the prior finds the subtitle, and a
table for each measure of the removal: the subtitled input, the fill alone (the same prior mask, no network), and the
network on both kinds of control. --columns chooses others, among them OpenCV's inpainting, and "result": the file
result.mp4 in the folder, whatever made it. All others are compared before any encoding of the result. The network needs
the extra `reference`; --ocr, --lpips and OpenCV's inpainting need the extra `evaluate`.
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from ..engines.denoiser import DiffSynthDenoiser
from ..engines.lora import read_lora
from ..engines.nano import load as nano
from ..engines.nano.engine import nano_engine
from ..engines.nano.limits import STEPS
from ..errors import ending_in_words
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..metrics import Lpips, Overlap
from ..options import RemoveOptions
from ..pipeline import remove
from .baselines import BASELINES, baseline
from .cases import Case, read_case
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
        self.engine = denoiser and nano_engine(codec, denoiser, steps)
        self.lpips, self.read, self.every = lpips, read, every

    def __call__(self, case: Case) -> tuple[dict[str, Overlap], dict[str, Scores]]:
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

    def _frames(self, case: Case, column: str) -> Tensor:
        if column in UNTOUCHED:
            return getattr(case, UNTOUCHED[column])
        if column == RESULT:
            return case.result()
        if column in BASELINES:
            return baseline(column, case, self.read)
        pairs = remove(case.subtitled, self.engine, self.prior, self.options[column], total=len(case.subtitled))
        return torch.stack([frame for frame, _ in pairs])


def main(args) -> None:
    prior, codec, denoiser = load_prior(args.prior, args.device), nano.load_bundled_codec(args.device), None
    if any(column.startswith("nano") for column in args.columns):
        lora = read_lora(args.lora) if args.lora else nano.lora_state()
        denoiser = DiffSynthDenoiser.from_state(
            {k: v.float() for k, v in nano.transformer_state_dict().items()},
            nano.prompt_embedding(),
            {k: v.float() for k, v in lora.items()},
            device=args.device,
        )
    evaluation = Evaluation(
        args.columns,
        args.steps,
        prior,
        codec,
        denoiser,
        Lpips(args.device) if args.lpips else None,
        load_reader() if args.ocr else None,
        args.ocr_every,
    )
    found, rows = {}, {}
    for folder in args.cases:
        found[folder.name], rows[folder.name] = evaluation(read_case(folder))
    log.info("\n%s\n\n%s", mask_table(found), removal_tables(rows))
    if args.json:
        figures = {
            case: {
                "masks": {way: o.report() for way, o in found[case].items()},
                "removal": {c: asdict(s) for c, s in rows[case].items()},
            }
            for case in rows
        }
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    choices = [*UNTOUCHED, RESULT, *BASELINES, *methods(STEPS)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", type=Path)
    parser.add_argument(
        "--columns",
        nargs="+",
        choices=choices,
        default=["subtitled input", *methods(STEPS)],
        metavar="COLUMN",
        help=f"what is compared, of: {'; '.join(choices)}",
    )
    parser.add_argument("--steps", type=int, default=STEPS, help="sampler steps of the network")
    parser.add_argument("--prior", type=Path, default=BUNDLED, help="a Stage I file; default: the bundled light prior")
    parser.add_argument("--lora", type=Path, help="a LoRA of the bundled base; default: the bundled one")
    parser.add_argument(
        "--ocr",
        action="store_true",
        help="also read what is left of the text, and compare with a text detector's boxes",
    )
    parser.add_argument("--ocr-every", type=int, default=8, metavar="N", help="read every N-th frame with a subtitle")
    parser.add_argument("--lpips", action="store_true", help="also the learned perceptual distance")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    with ending_in_words("Stopped."):
        main(parser.parse_args())
