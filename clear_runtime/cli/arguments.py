"""What the commands share: flags made of options, options in a JSON file, names of devices."""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import get_args, get_origin, get_type_hints

import torch

from ..catalogue import Surface
from ..device import require_device
from ..errors import ClearError
from ..option import in_words

log = logging.getLogger(__name__)

_WORDS = {int: "a whole number", float: "a number", str: "text", NoneType: "null"}


def options_of(args: argparse.Namespace, of: type):
    """An object of the dataclass `of`: with the values of the JSON file `args.config`, if one is named, and over them
    those of args."""
    stored = settings(args.config, of) if args.config else {}
    given = {f.name: getattr(args, f.name) for f in fields(of) if getattr(args, f.name, None) is not None}
    return of(**{**stored, **given})


def settings(path: Path, of: type) -> dict:
    """The fields of a dataclass that a JSON file names, in their own types; what is a dataclass itself is an object in
    the file, and need not name all of its fields either. Raises ClearError for a file that is no such thing."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ClearError(f"{path} cannot be read as JSON ({error}).") from error
    return _fields(content, of, path.name)


def _fields(content, of: type, where: str) -> dict:
    known, kinds = {f.name: f for f in fields(of)}, get_type_hints(of)
    if not isinstance(content, dict):
        raise ClearError(f'{where} must hold one object: {{"name": value, ...}} with names out of {", ".join(known)}.')
    unknown = set(content) - set(known)
    if unknown:
        raise ClearError(
            f"{where} has options that are not known: {', '.join(sorted(unknown))}. There are {', '.join(known)}."
        )
    return {
        name: _value(value, kinds[name], known[name].default, f"{where}: {name}") for name, value in content.items()
    }


def _value(value, kind, default, where: str):
    if isinstance(kind, type) and is_dataclass(kind):
        return kind(**_fields(value, kind, where))
    if not _alike(value, kind):
        like = (
            " or ".join(_WORDS[part] for part in get_args(kind))
            if default in (None, MISSING)
            else f"like {json.dumps(default)}"
        )
        raise ClearError(f"{where} is {value!r}; it should be {like}.")
    return tuple(value) if isinstance(value, list) else value


def _alike(value, kind) -> bool:
    """Whether a JSON value can stand for a field's type: a list for a tuple of one kind, a whole number for any number,
    true and false for a bool alone."""
    parts = get_args(kind)
    if get_origin(kind) is tuple:
        return (
            isinstance(value, list)
            and (parts[-1] is ... or len(value) == len(parts))
            and all(_alike(one, parts[0]) for one in value)
        )
    if parts:  # one of several
        return any(_alike(value, part) for part in parts)
    return isinstance(value, (int, float) if kind is float else kind) and isinstance(value, bool) == (kind is bool)


def log_to_terminal(main: bool = True) -> None:
    """Show what is logged here; of several processes the main one shows it, and the others their warnings. By the
    pack's own logger: modelscope, which DiffSynth imports, silences the root's handlers where several processes are
    connected."""
    logger = logging.getLogger(__name__.partition(".")[0])
    logger.setLevel(logging.INFO if main else logging.WARNING)
    if not logger.hasHandlers():
        logger.addHandler(logging.StreamHandler())


def device_name(text: str) -> str:
    """An argument that names a device that is there."""
    try:
        device = torch.device(text)
        require_device(device)
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"there is no device {text!r}; name cpu or cuda") from error
    except ClearError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return str(device)


def count(text: str) -> int:
    """An argument that counts something: a whole number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 1 or more")
    return int(text)


def add_options(parser, surface: Surface) -> None:
    """A flag for each option of a surface: --flag and --no-flag where it is a switch, several values behind one flag
    where it is a tuple. What is not given stays None, so that options_given and options_of can tell."""
    for one in surface.shown():
        about, flag = one.about, "--" + one.name.replace("_", "-")
        says = about.help
        if one.default is not None:
            default = " ".join(map(str, one.default)) if isinstance(one.default, tuple) else in_words(one.default)
            says += f" (default: {default})"
        common = dict(dest=one.name, help=says.replace("%", "%%"))
        if one.kind is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, **common)
        elif about.choices:
            parser.add_argument(flag, choices=about.choices, metavar=about.unit.upper() or None, **common)
        elif about.parts:
            names = tuple(part.upper() for part in about.parts)
            parser.add_argument(flag, type=one.kind, nargs=len(names), metavar=names, **common)
        else:
            several = dict(nargs="+") if isinstance(one.default, tuple) else {}
            metavar = (about.unit or "number").upper()
            parser.add_argument(flag, type=one.kind, metavar=metavar, **several, **common)


def options_given(args: argparse.Namespace, surface: Surface):
    """The surface's dataclass from the flags that add_options made. Raises ClearError for a value that cannot work."""
    return surface.options({one.name: getattr(args, one.name) for one in surface.shown()})
