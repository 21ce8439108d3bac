"""Train the bundled codec, and on it the bundled transformer with its CLEAR LoRA, one after the other.

python -m clear_runtime train-nano model --data FOLDER --run FOLDER --minutes 60 [--on-device]
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

from . import codec, transformer
from .run import add_device_arguments, add_run_arguments

WEIGHTS = "nano_codec.safetensors"
CODEC = 0.25
"""Share of the minutes that the codec has."""


def main(args) -> None:
    began, first = time.monotonic(), args.run / "codec"
    codec.main(_as_of(codec, args, first, CODEC * args.minutes))
    made = shutil.copy(first / WEIGHTS, args.run / WEIGHTS)
    left = args.minutes - (time.monotonic() - began) / 60
    transformer.main(_as_of(transformer, args, args.run, left, "--codec", made, "--every", args.every))


def _as_of(module, args, run: Path, minutes: float, *more) -> argparse.Namespace:
    """The module's own arguments."""
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    words = ["--data", args.data, "--run", run, "--minutes", minutes, "--workers", args.workers]
    words += ["--batch", args.batch, "--seed", args.seed, "--texts", args.texts, *more]
    return parser.parse_args([*map(str, words), *["--on-device"] * args.on_device])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run_arguments(parser, minutes=60, batch=12, rate=1e-3)
    add_device_arguments(parser)
    parser.add_argument("--every", type=float, default=1, help="minutes between the transformer's checkpoints")
