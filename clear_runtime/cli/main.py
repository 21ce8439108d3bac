"""python -m clear_runtime COMMAND: one command line for everything that works without ComfyUI."""

import sys
from importlib import import_module

COMMANDS = {
    "remove": "remove",
    "mask": "mask",
    "train-prior": "train_prior",
    "train-lora": "train_lora",
    "train-nano": "train_nano",
    "bench": "bench",
}
"""Command -> the module of this folder that holds its main(argv); imported when it is called, for each brings what it
needs alone."""


def main(argv: list[str] | None = None) -> None:
    command, *rest = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if command not in COMMANDS:
        raise SystemExit(
            f"usage: python -m clear_runtime COMMAND ...\n\nCOMMAND is one of: {', '.join(COMMANDS)}. COMMAND --help "
            f"says more."
        )
    import_module(f".{COMMANDS[command]}", __package__).main(rest)
