"""Fonts of this machine: by file, by family name, or by the letters that are needed; and which letters a font lacks."""

from __future__ import annotations

import logging
import os
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont, features

from ...errors import ClearError
from . import text
from .burn import load_font
from .scripts import SCRIPTS

log = logging.getLogger(__name__)

SUFFIXES = {".ttf", ".ttc", ".otf", ".otc"}
SAMPLES = {
    "latin": text.LATIN + text.LATIN.upper() + text.LATIN_MARKS,
    "cyrillic": text.CYRILLIC + text.CYRILLIC.upper(),
    "arabic": text.ARABIC,
    "chinese": text.HANZI[::20] + "，。？",
    "japanese": text.KANA + text.KANJI[::20],
    "korean": text.HANGUL[::20],
    "devanagari": text.DEVANAGARI,
    "thai": text.THAI,
}
"""Letters that a font for a script must have."""
_CJK = "Noto Sans CJK (Debian and Ubuntu: apt install fonts-noto-cjk)"
_CORE = "a Noto font (Debian and Ubuntu: apt install fonts-noto-core)"
INSTALL = {"chinese": _CJK, "japanese": _CJK, "korean": _CJK}
_BLOCKS = {"CJK": "chinese", "HIRAGANA": "japanese", "KATAKANA": "japanese", "HANGUL": "korean"}
_SHAPED = (
    "ARABIC",
    "HEBREW",
    "SYRIAC",
    "DEVANAGARI",
    "BENGALI",
    "GURMUKHI",
    "GUJARATI",
    "TAMIL",
    "TELUGU",
    "KANNADA",
    "MALAYALAM",
    "SINHALA",
    "THAI",
    "LAO",
    "KHMER",
    "MYANMAR",
    "TIBETAN",
)
"""First words of letters' Unicode names in scripts whose letters change with their neighbours or run from right to
left."""

# What people expect to see when they name no font: plain sans serif faces, then the CJK ones of their own script.
_PREFERRED = ("Arial", "Helvetica", "Segoe UI", "Noto Sans", "DejaVu Sans", "Liberation Sans", "Roboto", "Open Sans")
_PREFERRED_FOR = {
    "chinese": ("Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", "Source Han Sans SC"),
    "japanese": ("Yu Gothic", "Hiragino Sans", "Noto Sans CJK JP", "Source Han Sans"),
    "korean": ("Malgun Gothic", "Apple SD Gothic Neo", "Noto Sans CJK KR"),
    "arabic": ("Noto Sans Arabic", "Noto Naskh Arabic"),
    "thai": ("Noto Sans Thai",),
    "devanagari": ("Noto Sans Devanagari",),
}
# Fonts that have a box or nothing for every letter there is, and fonts of letters in frames or patterns.
_EXCLUDED = ("lastresort", "adobeblank", "adobenotdef", "emoji", "barcode")


@dataclass(frozen=True)
class Face:
    """One face of a font file; path None is the font inside Pillow, which has the letters of English alone."""

    path: str | None
    index: int
    family: str
    style: str

    @property
    def name(self) -> str:
        return self.family if self.style.lower() in ("regular", "book", "roman", "") else f"{self.family} {self.style}"

    @property
    def bold(self) -> bool:
        return (
            any(word in self.style.lower() for word in ("bold", "black", "heavy")) and "semi" not in self.style.lower()
        )

    @property
    def italic(self) -> bool:
        return any(word in self.style.lower() for word in ("italic", "oblique"))


def folders() -> list[Path]:
    """Where this system keeps its fonts."""
    home = Path.home()
    if sys.platform == "win32":
        found = [
            Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts",
            Path(os.environ.get("LOCALAPPDATA", home)) / "Microsoft" / "Windows" / "Fonts",
        ]
    elif sys.platform == "darwin":
        found = [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library" / "Fonts"]
    else:
        shared = [Path(p) for p in os.environ.get("XDG_DATA_DIRS", "/usr/local/share:/usr/share").split(":") if p]
        found = [
            home / ".fonts",
            Path(os.environ.get("XDG_DATA_HOME", home / ".local" / "share")) / "fonts",
            *(p / "fonts" for p in shared),
        ]
    return [folder for folder in found if folder.is_dir()]


def faces() -> tuple[Face, ...]:
    """Every face that is installed, in order of path. Pillow's own comes last."""
    return _faces(tuple(folders()))


@lru_cache(maxsize=4)
def _faces(where: tuple[Path, ...]) -> tuple[Face, ...]:
    files = sorted({p for folder in where for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES})
    family, style = load_font(None, 0, 16).getname()
    return (
        *(
            face
            for file in files
            if not any(word in file.name.lower().replace("-", "") for word in _EXCLUDED)
            for face in _faces_of(file)
        ),
        Face(None, 0, family or "", style or ""),
    )


def _look_again() -> None:
    """Whoever was told to install a font need not start the program anew: the next call sees it."""
    _faces.cache_clear()


def _faces_of(file: Path) -> list[Face]:
    found = []
    for index in range(64 if file.suffix.lower() in (".ttc", ".otc") else 1):
        try:
            family, style = ImageFont.truetype(str(file), 16, index=index).getname()
        except OSError as error:  # past the last face, or a font of fixed sizes
            if not index:
                log.debug("%s: %s", file.name, error)
            break
        found.append(Face(str(file), index, family or file.stem, style or ""))
    return found


def find(name: str, bold: bool = False, italic: bool = False) -> Face:
    """The face of a font file, or of an installed family: its bold or italic one where wanted and there. Raises
    ClearError."""
    path = Path(name).expanduser()
    if path.suffix.lower() in SUFFIXES:
        inside = _faces_of(path) if path.is_file() else []
        if not inside:
            raise ClearError(
                f"{name} {'is not a font that can be read' if path.exists() else 'is no file'}. Name a .ttf, .otf or "
                f".ttc file, or an installed family."
            )
        return inside[0]
    found = installed(name, bold, italic)
    if found is None:
        near = sorted({face.family for face in faces() if name.casefold().split()[0] in face.family.casefold()})[:8]
        _look_again()
        raise ClearError(
            f"No font of the family {name!r} is installed. "
            + (f"There are {', '.join(near)}." if near else "Name a font file, or leave the name empty.")
        )
    return found


def installed(name: str, bold: bool = False, italic: bool = False) -> Face | None:
    """The face of an installed family, as find chooses it; None where there is no such family."""
    wanted = name.strip().casefold()
    family = [face for face in faces() if wanted in (face.family.casefold(), face.name.casefold())]
    if not family:
        return None
    exact = [face for face in family if face.name.casefold() == wanted != face.family.casefold()]
    return min(exact or family, key=lambda face: (face.bold != bold, face.italic != italic, *_plainness(face)))


def for_script(script: str) -> list[Face]:
    """Upright faces that have a script's letters, the plainest first. Pillow's own stands in for Latin. Raises
    ClearError."""
    if script not in SCRIPTS:
        raise ClearError(f"There are no letters for {script!r}. Choose from {', '.join(SCRIPTS)}.")
    found = list(_with_letters(faces(), script))
    if not found and script == "latin":
        found = [face for face in faces() if face.path is None]
    if not found:
        _look_again()
        raise ClearError(
            f"No installed font has the letters of {script}. Install {INSTALL.get(script, _CORE)}, or name a font file."
        )
    return found


def covering(letters: str, bold: bool = False, italic: bool = False) -> Face:
    """The plainest installed face that has all of some letters. Raises ClearError that names those that no font has."""
    script = script_of(letters)
    ordered = _ordered(script)
    for face in (
        sorted(ordered, key=lambda face: (face.bold != bold, face.italic != italic)) if bold or italic else ordered
    ):
        if has_all(face, letters):
            return face
    lacking = min((missing(face, letters) for face in faces()), key=len)
    _look_again()
    raise ClearError(
        f"No installed font has all letters of {letters.strip()[:60]!r}; the nearest lacks {named(lacking)}. "
        f"Install {INSTALL.get(script, _CORE)}, or name a font file."
    )


@lru_cache(maxsize=32)
def _in_order(where: tuple[Face, ...], script: str) -> tuple[Face, ...]:
    return tuple(sorted((face for face in where if face.path), key=lambda face: _plainness(face, script))) + tuple(
        f for f in where if not f.path
    )


@lru_cache(maxsize=32)
def _with_letters(where: tuple[Face, ...], script: str) -> tuple[Face, ...]:
    """Every random line asks for these again."""
    return tuple(face for face in _in_order(where, script) if has_all(face, SAMPLES[script]))


def _ordered(script: str) -> tuple[Face, ...]:
    return _in_order(faces(), script)


def _plainness(face: Face, script: str = "") -> tuple:
    liked = [*_PREFERRED_FOR.get(script, ()), *_PREFERRED]
    rank = liked.index(face.family) if face.family in liked else len(liked)
    return face.bold, face.italic, rank, "sans" not in face.family.lower(), face.name != face.family, face.path or ""


def script_of(letters: str) -> str:
    """The script that most of some letters are of, by the first words of their Unicode names; kana makes a line
    Japanese."""
    words = [_block(c) for c in letters if c.isalpha()]
    found = [_BLOCKS.get(word, word.lower()) for word in words]
    if "japanese" in found:
        return "japanese"
    return max(sorted(set(found)), key=found.count, default="latin")


def missing(face: Face, letters: Iterable[str]) -> str:
    """The letters that a face has no glyph for, each once. Spaces and marks that are never drawn do not count."""
    return "".join(c for c in dict.fromkeys(letters) if _drawn(c) and not _has(face, c))


def has_all(face: Face, letters: Iterable[str]) -> bool:
    """Whether nothing is missing; looks no further than the first letter that is."""
    return all(_has(face, c) for c in letters if _drawn(c))


def named(letters: str) -> str:
    """Letters as an error shows them: at most twelve, with their numbers."""
    return ", ".join(f"{c} (U+{ord(c):04X})" for c in letters[:12]) + (
        f" and {len(letters) - 12} more" if len(letters) > 12 else ""
    )


def require_shaping(letters: str) -> None:
    """Raises ClearError where letters must be joined, stacked or run from right to left and Pillow cannot do it
    here."""
    shaped = sorted({_block(c) for c in letters} & set(_SHAPED))
    if shaped and not features.check("raqm"):
        raise ClearError(
            f"{', '.join(word.capitalize() for word in shaped)} letters cannot be joined as they should: this Pillow "
            "has no text layout (Raqm). Install FriBiDi (Debian and Ubuntu: apt install libfribidi0; macOS: brew "
            "install fribidi) and start again."
        )


def _drawn(c: str) -> bool:
    return not c.isspace() and unicodedata.category(c) not in ("Cc", "Cf") and not "\ufe00" <= c <= "\ufe0f"


def _block(c: str) -> str:
    return unicodedata.name(c, "").split(" ")[0]


@lru_cache(maxsize=16)  # fonts hold files open
def _probe(face: Face) -> tuple:
    font = (
        ImageFont.truetype(face.path, 24, index=face.index, layout_engine=ImageFont.Layout.BASIC)
        if face.path
        else ImageFont.load_default(24)
    )
    return font, _shape(font, "\U0010ffff")  # a number that is no letter: what the font draws for letters it lacks


@cache
def _known(face: Face) -> dict[str, bool]:
    return {}


def _has(face: Face, c: str) -> bool:
    known = _known(face)
    if c not in known:
        font, lacking = _probe(face)
        known[c] = _shape(font, c) != lacking
    return known[c]


def _shape(font, c: str) -> tuple:
    return font.getbbox(c), bytes(font.getmask(c))
