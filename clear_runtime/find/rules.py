"""All rules by which text is found, and those of them that can be switched off, by name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..errors import ClearError
from .case import WhichRules
from .ends import EndRules
from .rows import RowRules
from .shots import ShotRules


@dataclass(frozen=True)
class Rules:
    """rows: what a row is. shots: where another shot begins. ends: when a row comes and goes. which: which of them are
    the subtitle."""

    rows: RowRules = field(default_factory=RowRules)
    shots: ShotRules = field(default_factory=ShotRules)
    ends: EndRules = field(default_factory=EndRules)
    which: WhichRules = field(default_factory=WhichRules)

    def without(self, name: str) -> Rules:
        """The same with one of SWITCHES off. Raises ClearError for another name."""
        if name not in SWITCHES:
            raise ClearError(f"There is no rule {name!r} to switch off. Choose from: {', '.join(SWITCHES)}.")
        of, fields = SWITCHES[name]
        return replace(self, **{of: replace(getattr(self, of), **fields)})


SWITCHES: dict[str, tuple[str, dict[str, object]]] = {
    "bars": ("rows", {"bars": 0}),
    "apart": ("rows", {"apart": False}),
    "sudden": ("shots", {"sudden": 0.0}),
    "moved": ("shots", {"moved": 2.0}),
    "dissolves": ("shots", {"dissolves": False}),
    "fades": ("shots", {"fades": False}),
    "picture tells": ("ends", {"asks": False}),
    "holds": ("ends", {"holds": False}),
    "passing": ("ends", {"passing": False}),
    "completes": ("ends", {"completes": False}),
    "stood": ("ends", {"stood": False}),
    "between": ("ends", {"between": False}),
    "keeps": ("which", {"keeps": 0.0}),
    "usual": ("which", {"usual": 0.0}),
    "looks": ("which", {"looks": 1}),
    "bottom": ("which", {"bottom": 2.0}),
    "rim": ("which", {"rim": 1.0}),
    "grain": ("which", {"grain": 1}),
    "slides": ("which", {"slides": 0.0}),
    "passed": ("which", {"passed": 0}),
    "gap": ("which", {"gap": 0.0}),
    "line": ("which", {"line": -1.0}),
    "dots": ("which", {"dots": False}),
    "moment": ("which", {"moment": False}),
    "about": ("which", {"about": False}),
    "paragraph": ("which", {"paragraph": 0}),
}
"""What each is called -> the dataclass in which it stands, and the fields with which it is off."""
