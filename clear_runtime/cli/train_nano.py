"""Train the bundled model from scratch: python -m clear_runtime train-nano COMMAND.

    prior         the light prior
    codec         the small VAE
    transformer   the network and its CLEAR LoRA, on that codec
    model         codec and transformer, one after the other
    fill          what the fill paints where no frame shows what is there

COMMAND --help says more.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from ..errors import ending_in_words
from .arguments import log_to_terminal

COMMANDS = ("prior", "codec", "transformer", "model", "fill")
"""Modules of train/nano with add_arguments(parser) and main(args)."""


def main(argv: list[str] | None = None) -> None:
    name, *rest = (sys.argv[2:] if argv is None else argv) or ["--help"]
    if name not in COMMANDS:
        raise SystemExit(__doc__)
    module = import_module(f"..train.nano.{name}", __package__)
    parser = argparse.ArgumentParser(
        prog=f"python -m clear_runtime train-nano {name}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    log_to_terminal()
    with ending_in_words("Stopped. The same command goes on from the last checkpoint."):
        module.main(parser.parse_args(rest))
