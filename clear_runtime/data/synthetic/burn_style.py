"""What Burn Subtitles' settings say: text, look, place and time of subtitles, independent of any frame's size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ...errors import ClearError
from .subtitle_file import FORMATS
from .system_fonts import SCRIPTS

LOOKS = ("as set", "random")
POSITIONS = ("bottom", "middle", "top")


@dataclass(frozen=True)
class BurnStyle:
    """Every field can be a JSON value. Raises ClearError for what cannot be burned."""

    file: str = ""  # a subtitle file; empty: random lines
    scripts: tuple[str, ...] = ("latin",)  # of the random lines
    look: str = "as set"  # or "random": font, size, colours, outline, shadow, box and opacity drawn from the seed
    font: str = ""  # a font file or an installed family; empty: an installed font that has the letters
    size: float = 5.5  # of the letters, per cent of the frame's height
    colour: str = "#ffffff"
    outline: float = 7.0  # width, per cent of the letters' size
    outline_colour: str = "#000000"
    shadow: float = 0.0  # distance, per cent of the letters' size
    box_opacity: float = 0.0  # 0: no box
    box_colour: str = "#000000"
    opacity: float = 1.0  # of all of it
    position: str = "bottom"
    margin: float = 5.0  # from the edge, per cent of the frame's height
    fade: float = 0.0  # seconds in which a line comes and goes
    seed: int = 0

    def __post_init__(self):
        object.__setattr__(self, "scripts", split_scripts(self.scripts))
        object.__setattr__(self, "font", self.font.strip())
        for name in ("colour", "outline_colour", "box_colour"):
            rgb(getattr(self, name), name)
        for name, low, high, unit in _LIMITS:
            if not low <= getattr(self, name) <= high:
                raise ClearError(
                    f"{name} is {getattr(self, name):g}; it goes from {low:g} to {f'{high:g} {unit}'.strip()}."
                )
        for name, choices in (("look", LOOKS), ("position", POSITIONS)):
            if getattr(self, name) not in choices:
                raise ClearError(f"{name} is {getattr(self, name)!r}; choose {' or '.join(choices)}.")
        if self.file and Path(self.file).suffix.lower() not in FORMATS:
            raise ClearError(
                f"{Path(self.file).name} is not a subtitle file that can be read. Give one of {', '.join(FORMATS)}."
            )


_LIMITS = (
    ("size", 1, 40, "per cent of the frame's height"),
    ("outline", 0, 40, "per cent of the letters' size"),
    ("shadow", 0, 40, "per cent of the letters' size"),
    ("box_opacity", 0, 1, ""),
    ("opacity", 0.05, 1, ""),
    ("margin", 0, 45, "per cent of the frame's height"),
    ("fade", 0, 10, "seconds"),
)


def rgb(text: str, name: str = "colour") -> tuple[int, int, int]:
    """#rrggbb or #rgb -> (red, green, blue) 0..255. Raises ClearError that names the setting."""
    digits = re.fullmatch(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})", text.strip())
    if not digits:
        raise ClearError(
            f"{name} is {text!r}, which is no colour. Write it as #rrggbb: #ffffff is white, #ffe14d yellow."
        )
    pairs = digits[1] if len(digits[1]) == 6 else "".join(c + c for c in digits[1])
    red, green, blue = (int(pairs[i : i + 2], 16) for i in (0, 2, 4))
    return red, green, blue


def split_scripts(scripts) -> tuple[str, ...]:
    """Names of scripts, as a sequence or parted by commas. Raises ClearError for one that is not known."""
    listed = scripts.split(",") if isinstance(scripts, str) else scripts
    names = tuple(dict.fromkeys(name.strip().lower() for name in listed if name.strip()))
    unknown = [name for name in names if name not in SCRIPTS]
    if unknown or not names:
        raise ClearError(
            f"There are no letters for {', '.join(unknown) or 'no script at all'}. Choose from {', '.join(SCRIPTS)}."
        )
    return names
