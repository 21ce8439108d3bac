"""Which options a user meets where: on nodes, as flags and on help pages, all of them made from this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .find.marks import MarkOptions
from .option import Option, described, made_of
from .options import RemoveOptions


@dataclass(frozen=True)
class Shown:
    """An option as it is shown: `name` there, `field` in its dataclass, the default there, and what is said of it."""

    name: str
    field: str
    default: Any
    about: Option


@dataclass(frozen=True)
class Surface:
    """An options dataclass in one place where it is shown. defaults: by field, where they are not the dataclass's own.
    names: field -> the name there, where that is another; titles: field -> its Chinese name there. left_out: fields
    that only the command line shows."""

    of: type
    defaults: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()

    def shown(self) -> list[Shown]:
        """All options of the dataclass, in order."""
        return [
            Shown(self.names.get(one.name, one.name), one.name, self.defaults.get(one.name, one.default), about)
            for one, about in described(self.of)
        ]

    def on_nodes(self) -> list[Shown]:
        return [one for one in self.shown() if one.field not in self.left_out]

    def title(self, one: Shown) -> str:
        """Its Chinese name."""
        return self.titles.get(one.field, one.about.name_zh)

    def options(self, given: Mapping[str, Any]) -> Any:
        """The dataclass from values by the names there; what is not given, or None, is the default there. Raises
        ClearError for a name that there is not, and for a value that cannot work."""
        rest = {name: value for name, value in given.items() if value is not None}
        values = {one.field: rest.pop(one.name, one.default) for one in self.shown()}
        return made_of(self.of, {**values, **rest})


REMOVE = Surface(RemoveOptions, left_out=frozenset({"context", "max_pixels", "keep_change"}))
"""Remove Subtitles, and the command `remove`."""
MASK = Surface(
    MarkOptions,
    defaults={"grow": 0},  # the marks as the prior sees them: nothing is removed yet
    names={"subtitles_only": "temporal"},  # inputs of a node are never renamed
    titles={"subtitles_only": "利用时间信息"},
    left_out=frozenset({"subtitle_use"}),  # it has no such mask
)
"""Prior Mask, and the command `mask`."""
NODES = {"CLEAR_SubtitleRemove": REMOVE, "CLEAR_PriorMask": MASK}
"""Node -> the options among its inputs."""
