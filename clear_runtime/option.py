"""An option: a dataclass field with its help, its bounds and its choices beside it.

Tooltips of the nodes, flags of the command line and the tables of the help pages are made from these, and the bounds
are checked by them. So an option is added in one place, and used in another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass
from functools import cache
from types import NoneType
from typing import Any, get_args, get_type_hints

from .errors import ClearError

AUTO = "auto"
"""What a choice is that the user leaves open: presets.py says what it comes to."""


@dataclass(frozen=True)
class Option:
    """help: what it does, in its unit; a node's tooltip and a flag's help. more: what a help page says beyond that.
    zh, more_zh: the same in Chinese; name_zh: what it is called there. unit: of a number, or what a text names (a
    file). low, high: the least and the greatest value that works, where there are any; over, under: bounds that do not
    work themselves, an `under` of infinity for whatever is finite. least, most, step: of a node's widget, where a value
    beyond them works but nobody wants it; fine: values between two steps are as good, and none is rounded. choices: the
    words it can be. parts: name -> option, of a tuple of several things."""

    help: str
    zh: str = ""
    name_zh: str = ""
    more: str = ""
    more_zh: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    over: float | None = None
    under: float | None = None
    least: float | None = None
    most: float | None = None
    step: float | None = None
    fine: bool = False
    choices: tuple[str, ...] = ()
    parts: Mapping[str, Option] = field(default_factory=dict)


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
            names = {f.name for f in fields(part)} | {f.name for f, _ in described(part)}
            own = {name: rest.pop(name) for name in names if name in rest}
            nested = any(part_of(f) is not None for f in fields(part))
            parts[one.name] = made_of(part, own) if nested else part(**own)
    if rest:
        raise ClearError(
            f"There is no option {', '.join(rest)}. There are {', '.join(f.name for f, _ in described(of))}."
        )
    return of(**parts)


_hints = cache(get_type_hints)
"""They are read as code, which ComfyUI's start would feel."""


def kinds_of(of: Any) -> dict[str, type]:
    """Option -> its type: that of its values, where it is a tuple of them, and of what it is where it may be None."""
    found, hints = {}, _hints(of)
    for one in fields(of):
        if "option" in one.metadata:
            found[one.name] = _kind(hints[one.name])
        elif (part := part_of(one)) is not None and is_dataclass(part):
            found |= kinds_of(part)
    return found


def _kind(hint: Any) -> type:
    inner = [part for part in get_args(hint) if part not in (NoneType, ...)]
    return _kind(inner[0]) if inner else hint


def require_valid(options: Any) -> None:
    """Raise ClearError for a value of an options dataclass that is none of its choices or out of its bounds. What is
    None is left to others: it is decided later."""
    for one in fields(options):
        if "option" not in one.metadata:
            continue
        about, value = one.metadata["option"], getattr(options, one.name)
        if not about.parts:
            _require_valid(one.name, value, about)
            continue
        if len(value) != len(about.parts):
            raise ClearError(f"{one.name} has {len(value)} values. It is made of {', '.join(about.parts)}.")
        for (name, part), number in zip(about.parts.items(), value):
            _require_valid(f"{name} of {one.name}", number, part)


def _require_valid(name: str, value: Any, about: Option) -> None:
    if about.choices and value not in about.choices:
        raise ClearError(f'{name} is "{value}". Choose one of: {", ".join(about.choices)}.')
    if isinstance(value, (int, float)) and not _within(value, about):
        finite = "finite " if about.under == math.inf else ""
        raise ClearError(f"{name} is {value}. Use a {finite}value {_bounds(about)}.")


def _bounds(about: Option) -> str:
    said = [] if about.low is None else [f"of at least {about.low:g}"]
    said += [] if about.over is None else [f"above {about.over:g}"]
    if about.high is not None:
        said.append(f"at most {about.high:g}" if said else f"of at most {about.high:g}")
    said += [] if about.under in (None, math.inf) else [f"below {about.under:g}"]
    return " and ".join(said)


def _within(value: float, about: Option) -> bool:
    """Whether a number keeps the bounds; no number (NaN) keeps none."""
    return (
        (about.low is None or value >= about.low)
        and (about.over is None or value > about.over)
        and (about.high is None or value <= about.high)
        and (about.under is None or value < about.under)
    )


def in_words(value: Any, on: str = "on", off: str = "off") -> str:
    """A default as it is read by people; several words stand with commas between, as a node has them."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return {True: on, False: off}[value] if isinstance(value, bool) else str(value)
