"""What is measured and how: python -m clear_runtime bench COMMAND.

    removal      a removal on clips whose clean original is known, with and without the network
    fill         what each part of the fill is worth, on cases and on generated moving pictures
    compression  the same fill on clips that were compressed before, and are compressed after
    leftover     what a text detector still finds in cleaned films whose originals nobody has
    prior        a prior on held-back pictures, fonts and scripts
    rows         which rows of text are found, on generated clips of every kind
    lines        which lines are found, by script, width, height and style
    nano-lora    LoRAs of the bundled transformer
    recipes      what Stage II's loss may be made of, trained and scored on the bundled model
    from-film    what a LoRA that was made from a film alone is worth for it
    overlap      clean_overlap: windows that go on from one another, with and without
    train-lora   time and memory of Stage II on the real shape
    memory       what a removal holds beside its frames
    pace         frames a second of a film, with what is bundled
    film         seconds a frame, against DiffSynth's pipeline on the same weights
    codecs       what an encoding keeps of a film, with each codec
    startup      what the pack adds to ComfyUI's start
    prepare      everything that a machine without a network needs for `gpu`, in one folder
    gpu          the minutes in which a GPU is at hand: right, comfy, fast, trainable, better
    tables       the tables of a `gpu` run, into a Markdown file

COMMAND --help says more.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from ..data.synthetic.burn_style import BurnStyle
from ..errors import ClearError
from .arguments import count, device_name, settings
from .commands import Command, run_one_of

_DATA = "folder filled by clear_runtime.data.synthetic.sources"


def _removal(parser, bench) -> None:
    choices = [*bench.UNTOUCHED, bench.RESULT, *bench.BASELINES, *bench.methods(bench.STEPS)]
    parser.add_argument("cases", nargs="+", type=Path)
    parser.add_argument(
        "--columns",
        nargs="+",
        choices=choices,
        default=["subtitled input", *bench.methods(bench.STEPS)],
        metavar="COLUMN",
        help=f"what is compared, of: {'; '.join(choices)}",
    )
    parser.add_argument("--steps", type=int, default=bench.STEPS, help="sampler steps of the network")
    parser.add_argument(
        "--prior", type=Path, default=bench.BUNDLED, help="a Stage I file; default: the bundled light prior"
    )
    parser.add_argument("--lora", type=Path, help="a LoRA of the bundled base; default: the bundled one")
    parser.add_argument(
        "--ocr",
        action="store_true",
        help="also read what is left of the text, and compare with a text detector's boxes",
    )
    parser.add_argument("--ocr-every", type=int, default=8, metavar="N", help="read every N-th frame with a subtitle")
    parser.add_argument("--lpips", action="store_true", help="also the learned perceptual distance")
    _lpips_weights(parser)
    parser.add_argument("--device", type=device_name, default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--json", dest="figures_in", type=Path, metavar="FILE", help="also write the figures here")


def _fill(parser, bench) -> None:
    parser.add_argument("cases", nargs="*", type=Path)
    parser.add_argument("--pictures", nargs="+", type=Path, default=[], metavar="FILE", help="photographs to move over")
    parser.add_argument("--kinds", nargs="*", choices=bench.KINDS, default=list(bench.KINDS), metavar="KIND")
    parser.add_argument(
        "--size",
        nargs=3,
        type=count,
        default=bench.Size(),
        metavar=("FRAMES", "HEIGHT", "WIDTH"),
        help="of the moving pictures",
    )
    parser.add_argument("--grow", dest="pixels", type=int, default=bench.GROW, help="pixels around the true mask")
    parser.add_argument("--crf", dest="crfs", nargs="+", type=float, default=[], help="x264's, before; default: none")
    parser.add_argument("--columns", nargs="+", choices=bench.PARTS, default=list(bench.PARTS), metavar="COLUMN")
    _lpips_weights(parser)
    parser.add_argument("--json", dest="figures_in", type=Path, metavar="FILE", help="also write the figures here")


def _lpips_weights(parser) -> None:
    parser.add_argument(
        "--lpips-weights",
        type=Path,
        metavar="FILE",
        help="the learned perceptual distance, by torchvision's ImageNet weights of AlexNet in this file",
    )


def _compression(parser, bench) -> None:
    parser.add_argument("cases", nargs="+", type=Path)
    parser.add_argument("--crf", dest="crfs", nargs="+", type=float, default=list(bench.CRFS), help="x264's, before")
    parser.add_argument("--grow", dest="pixels", type=int, default=bench.GROW, help="pixels around the true mask")
    parser.add_argument("--json", dest="figures_in", type=Path, metavar="FILE", help="also write the figures here")


def _leftover(parser, bench) -> None:
    parser.add_argument("films", nargs="+", type=Path, metavar="SOURCE RESULT", help="each film, and its result")
    parser.add_argument("--area", default=bench.AREA, help="where the subtitle is; default: the lower third")
    parser.add_argument("--every", type=count, default=bench.EVERY, metavar="N", help="read every N-th frame")


def _prior(parser, bench) -> None:
    parser.add_argument("--data", type=Path, required=True, help=_DATA)
    parser.add_argument(
        "--prior", type=Path, default=bench.BUNDLED, help="a Stage I file; default: the bundled light prior"
    )
    parser.add_argument(
        "--count", type=int, default=40, help="frames per script; a tenth as many clips per speed of signs"
    )
    parser.add_argument("--scripts", nargs="+", choices=(*bench.TRAINED, *bench.UNSEEN), help="only these")
    parser.add_argument("--threads", type=int, help="CPU threads; default: torch's own choice")
    parser.add_argument("--out", type=Path, help="write the figures as JSON too")


def _rows(parser, bench) -> None:
    _of_finder(parser, bench, bench.RECIPES)


def _lines(parser, bench) -> None:
    parser.add_argument("--data", type=Path, required=True, help=_DATA)
    parser.add_argument("--count", type=count, default=4, metavar="N", help="clips of each kind")
    _of_finder(parser, bench, bench.KINDS)


def _of_finder(parser, bench, kinds) -> None:
    parser.add_argument(
        "--prior",
        dest="prior_file",
        type=Path,
        default=bench.BUNDLED,
        metavar="FILE",
        help="a Stage I file; default: the bundled light prior",
    )
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help=f"of: {'; '.join(kinds)}")
    parser.add_argument(
        "--without",
        nargs="+",
        default=(),
        metavar="RULE",
        choices=bench.SWITCHES,
        help=f"what each of these rules is worth, of: {'; '.join(bench.SWITCHES)}",
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="draw frames with the marks of each clip here")
    parser.add_argument("--json", dest="figures_in", type=Path, metavar="FILE", help="also write the figures here")


def _nano_lora(parser, bench) -> None:
    parser.add_argument("--data", type=Path, required=True, help=_DATA)
    parser.add_argument("loras", nargs="*", type=Path, help="LoRA files; default: the bundled one")


def _recipes(parser, bench) -> None:
    parser.add_argument("--data", type=Path, required=True, help=_DATA)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the runs, and recipes.md")
    parser.add_argument(
        "--recipes",
        nargs="+",
        choices=bench.RECIPES,
        default=tuple(bench.RECIPES),
        metavar="RECIPE",
        help=f"only these, of: {'; '.join(bench.RECIPES)}",
    )
    parser.add_argument("--steps", type=int, default=440, help="of each run")
    parser.add_argument("--clips", type=int, default=300, help="generated, to train on")
    parser.add_argument("--held", type=int, default=bench.HELD_BACK, help="clips that are scored")
    best = f"of the best {bench.BEST}; the others have one (default: %(default)s)"
    parser.add_argument("--seeds", type=int, default=bench.SEEDS, help=best)
    parser.add_argument(
        "--scored", type=int, nargs="+", default=bench.SCORED, metavar="STEPS", help="sampler steps (default: 1 5)"
    )
    parser.add_argument(
        "--into", type=Path, metavar="FILE", help=f"put the table into a file, between {' and '.join(bench.MARKS)}"
    )


def _style(text: str) -> BurnStyle:
    """An argument that names a file of a style's fields."""
    try:
        return BurnStyle(**settings(Path(text), BurnStyle))
    except ClearError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _from_film(parser, bench) -> None:
    parser.add_argument("films", nargs="+", type=Path, metavar="FILM", help="subtitled, of 25 frames or more")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the runs, and the films cleaned")
    parser.add_argument("--steps", type=count, default=200, help="of each training (default: %(default)s)")
    about = "a JSON file of BurnStyle's fields: the script and font of the lines that are burned in"
    parser.add_argument("--style", type=_style, default=bench.BurnStyle(), metavar="FILE", help=about)
    parser.add_argument("--ocr", action="store_true", help="also count what a text detector finds, before and after")
    parser.add_argument(
        "--into", type=Path, metavar="FILE", help=f"put the table into a file, between {' and '.join(bench.MARKS)}"
    )


def _overlap(parser, bench) -> None:
    parser.add_argument("cases", nargs="*", type=Path, metavar="CASE")
    kinds = bench.moving.KINDS
    parser.add_argument(
        "--kinds", nargs="*", choices=kinds, default=("pan", "still"), metavar="KIND", help=f"of: {'; '.join(kinds)}"
    )
    parser.add_argument(
        "--size", type=count, nargs=3, metavar=("FRAMES", "HEIGHT", "WIDTH"), default=bench.SIZE, help="of these"
    )
    parser.add_argument("--steps", type=count, default=bench.STEPS, help="of the sampler (default: %(default)s)")
    parser.add_argument(
        "--into", type=Path, metavar="FILE", help=f"put the table into a file, between {' and '.join(bench.MARKS)}"
    )


def _train_lora(parser, bench) -> None:
    parser.add_argument(
        "--crop", type=int, nargs=3, metavar=("FRAMES", "HEIGHT", "WIDTH"), help="default: both of the usual ones"
    )
    parser.add_argument("--steps", type=int, default=6, help="at least 3")
    parser.add_argument("--rank", type=int, default=64)
    parser.add_argument("--precision", choices=bench.DTYPES, default="bfloat16")
    parser.add_argument("--no-checkpointing", dest="checkpointing", action="store_false")


def _memory(parser, bench) -> None:
    parser.add_argument("way", choices=bench.WAYS)
    parser.add_argument("--size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), default=(720, 1280))
    parser.add_argument("--frames", type=int, default=81)


def _codecs(parser, bench) -> None:
    parser.add_argument("film", type=Path, nargs="?", default=bench.DEMO, help="default: the bundled clip")
    parser.add_argument("--crf", type=float, default=bench.CLOSE, help="default: %(default)s")


def _pace(parser, bench) -> None:
    parser.add_argument("--size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), default=(720, 1280))
    parser.add_argument("--frames", type=count, default=300, help="of each film (default: %(default)s)")
    parser.add_argument("--engine", choices=bench.ENGINES, default="fill", help="default: %(default)s")
    parser.add_argument("--device", type=device_name, default="cpu")


def _film(parser, bench) -> None:
    parser.add_argument("--size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), default=(480, 832))
    parser.add_argument("--frames", type=int, default=81, help="with lines (default: %(default)s)")
    every = tuple(bench.BARS)
    parser.add_argument("--clips", nargs="+", choices=every, default=every, metavar="CLIP", help="of %(choices)s")
    parser.add_argument("--real-shape", action="store_true", help="Wan2.1 1.3B's; else a small one")
    parser.add_argument("--device", type=device_name, default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--json", dest="figures_in", type=Path, metavar="FILE", help="also write the figures here")


COMMANDS = {
    "removal": Command("bench.removal", "run", _removal),
    "fill": Command("bench.fill", "run", _fill),
    "compression": Command("bench.compression", "run", _compression),
    "leftover": Command("bench.leftover", "run", _leftover),
    "prior": Command("bench.prior", "run", _prior),
    "rows": Command("bench.rows", "run", _rows),
    "lines": Command("bench.lines", "run", _lines),
    "nano-lora": Command("bench.nano_lora", "run", _nano_lora),
    "recipes": Command("bench.recipes", "run", _recipes),
    "from-film": Command("bench.from_film", "run", _from_film),
    "overlap": Command("bench.overlap", "run", _overlap),
    "train-lora": Command("bench.train_lora", "run", _train_lora),
    "memory": Command("bench.memory", "run", _memory),
    "pace": Command("bench.pace", "run", _pace),
    "film": Command("bench.film", "run", _film),
    "codecs": Command("bench.codecs", "run", _codecs),
    "startup": Command("bench.startup", "main"),
    "prepare": Command("bench.prepare", "main"),
    "gpu": Command("bench.gpu.runner", "main"),
    "tables": Command("bench.report", "main"),
}


def main(argv: list[str] | None = None) -> None:
    run_one_of(COMMANDS, "python -m clear_runtime bench", __doc__, sys.argv[2:] if argv is None else argv, "Stopped.")
