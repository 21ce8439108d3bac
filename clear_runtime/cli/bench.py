"""What is measured and how: python -m clear_runtime bench COMMAND.

    prepare    everything that a machine without a network needs for `gpu`, in one folder
    gpu        the minutes in which a GPU is at hand: right, fast, trainable, better
    tables     the tables of a `gpu` run, into a Markdown file

COMMAND --help says more.
"""

from __future__ import annotations

import sys
from importlib import import_module

COMMANDS = {"prepare": "prepare", "gpu": "gpu.runner", "tables": "report"}
"""Command -> the module of clear_runtime/bench that holds its main(argv)."""


def main(argv: list[str] | None = None) -> None:
    command, *rest = (sys.argv[2:] if argv is None else argv) or ["--help"]
    if command not in COMMANDS:
        raise SystemExit(__doc__)
    import_module(f"clear_runtime.bench.{COMMANDS[command]}").main(rest)
