"""An option: a dataclass field with its help, its bounds and its choices beside it.

Tooltips of the nodes, flags of the command line and the tables of the help pages are made from these, and the bounds
are checked by them. So an option is added in one place, and used in another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields, is_dataclass
from typing import Any

from .errors import ClearError


@dataclass(frozen=True)
class Option:
    """help: what it does, in its unit; a node's tooltip and a flag's help. more: what a help page says beyond that.
    zh, more_zh: the same in Chinese; name_zh: what it is called there. unit: of a number. low, high: the least and the
    greatest value that works, where there are any. least, most, step: of a node's widget, where a value beyond them
    works but nobody wants it. choices: the words it can be."""

    help: str
    zh: str = ""
    name_zh: str = ""
    more: str = ""
    more_zh: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    least: float | None = None
    most: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()


def option(default: Any, help: str, **about) -> Any:
    """A field of an options dataclass; `about` as in Option."""
    return field(default=default, metadata={"option": Option(help, **about)})


def described(of: Any) -> Iterator[tuple[Field, Option]]:
    """The options of a dataclass, those of its parts among them, in order."""
    for one in fields(of):
        if "option" in one.metadata:
            yield one, one.metadata["option"]
        elif is_dataclass(part := part_of(one)):
            yield from described(part)


def part_of(one: Field) -> Any:
    """The dataclass that stands for a group of options in another, or None for any other field."""
    return one.default_factory if isinstance(one.default_factory, type) else None


def made_of(of: type, values: dict[str, Any]) -> Any:
    """An options dataclass from options by name, whatever part of it each belongs to.

    Raises ClearError for a name that no part has.
    """
    parts, rest = {}, dict(values)
    for one in fields(of):
        part = part_of(one)
        if "option" in one.metadata and one.name in rest:
            parts[one.name] = rest.pop(one.name)
        elif part is not None:
            own = {name: rest.pop(name) for name in [f.name for f in fields(part)] if name in rest}
            parts[one.name] = part(**own)
    if rest:
        raise ClearError(
            f"There is no option {', '.join(rest)}. There are {', '.join(f.name for f, _ in described(of))}."
        )
    return of(**parts)


def require_valid(options: Any) -> None:
    """Raise ClearError for a value of an options dataclass that is none of its choices or out of its bounds."""
    for one in fields(options):
        if "option" not in one.metadata:
            continue
        about, value = one.metadata["option"], getattr(options, one.name)
        if about.choices and value not in about.choices:
            raise ClearError(f'{one.name} is "{value}". Choose one of: {", ".join(about.choices)}.')
        low, high = (-math.inf if about.low is None else about.low), (math.inf if about.high is None else about.high)
        if isinstance(value, (int, float)) and not low <= value <= high:
            raise ClearError(
                f"{one.name} is {value}. Use a value of at least {low:g}"
                + (f" and at most {high:g}." if high < math.inf else ".")
            )


def in_words(value: Any, on: str = "on", off: str = "off") -> str:
    """A default as it is read by people."""
    return {True: on, False: off}[value] if isinstance(value, bool) else str(value)
