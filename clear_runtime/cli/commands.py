"""A command that is one of several under a name, such as `bench removal`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from ..errors import ending_in_words
from .arguments import log_to_terminal


class Command(NamedTuple):
    """module: of the runtime, imported when the command is called, for each brings what it needs alone. function: of
    that module; it is called with the arguments by name. add_arguments(parser, module): the flags; None for a function
    that takes the list of words itself."""

    module: str
    function: str
    add_arguments: Callable[[argparse.ArgumentParser, ModuleType], None] | None = None


def run_one_of(commands: Mapping[str, Command], prog: str, about: str | None, argv: list[str], stopped: str) -> None:
    """Run the command that argv begins with. stopped: what Ctrl-C says."""
    name, *rest = argv or ["--help"]
    if name in ("-h", "--help"):
        raise SystemExit(about)
    if name not in commands:
        raise SystemExit(f"There is no command {name}. {prog} has {', '.join(commands)}.")
    command = commands[name]
    module = import_module(f"..{command.module}", __package__)
    function = getattr(module, command.function)
    log_to_terminal()
    with ending_in_words(stopped):
        if command.add_arguments is None:
            return function(rest)
        parser = argparse.ArgumentParser(
            prog=f"{prog} {name}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        command.add_arguments(parser, module)
        function(**vars(parser.parse_args(rest)))
