"""Subtitle files as lines with times and, where the file says so, with their own look and place."""

from __future__ import annotations

import html
import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import ClearError

log = logging.getLogger(__name__)

FORMATS = (".srt", ".ass", ".ssa", ".vtt")
_STYLED = (".ass", ".ssa")
_HEIGHT, _WIDTH = 288, 384  # pixels of the script's grid where the file names none: libass's
_COLUMNS = {
    "v4+": "Name Fontname Fontsize PrimaryColour SecondaryColour OutlineColour BackColour Bold Italic "
    "Underline StrikeOut ScaleX ScaleY Spacing Angle BorderStyle Outline Shadow Alignment MarginL MarginR MarginV "
    "Encoding",
    "v4": "Name Fontname Fontsize PrimaryColour SecondaryColour TertiaryColour BackColour Bold Italic "
    "BorderStyle Outline Shadow Alignment MarginL MarginR MarginV AlphaLevel Encoding",
}  # the order in which pysubs2 reads a style, whatever the Format line says
_OLD_ALIGNMENT = {"1": "1", "2": "2", "3": "3", "5": "7", "6": "8", "7": "9", "9": "4", "10": "5", "11": "6"}
"""Of the tag \\a, which counts as SSA did -> of \\an."""
_SHADED = 3  # BorderStyle of a box in the outline's colour


@dataclass(frozen=True)
class FileLook:
    """An .ass style. Sizes are shares of the frame's height, colours (red, green, blue) 0..255, opacities 0..1, margins
    shares of the frame's width (left, right) and height (vertical). size: of a line from ascender to descender, as .ass
    counts it. pixels: outline and shadow are pixels of the video instead of shares."""

    font: str
    size: float
    colour: tuple[int, int, int]
    opacity: float
    outline: float
    outline_colour: tuple[int, int, int]
    shadow: float
    shadow_colour: tuple[int, int, int, int]
    box: tuple[int, int, int, float] | None
    margins: tuple[float, float, float]
    pixels: bool = False


@dataclass(frozen=True)
class Line:
    """One subtitle. start, stop, fade (in, out): seconds. alignment: as digits lie on a number pad, 2 is bottom centre.
    position: (x, y) in shares of the frame, of the point that `alignment` names. look: None where the file has none."""

    start: float
    stop: float
    text: tuple[str, ...]
    alignment: int | None = None
    position: tuple[float, float] | None = None
    bold: bool = False
    italic: bool = False
    fade: tuple[float, float] | None = None
    look: FileLook | None = None


def read_lines(path: str | Path) -> list[Line]:
    """The lines of a subtitle file in order of time. Raises ClearError for what cannot be read, with the reason."""
    path = Path(path)
    try:
        # an optional package: videos are burned without a file too
        import pysubs2
        from pysubs2.exceptions import Pysubs2Error
    except ImportError as error:
        raise ClearError(
            "Reading subtitle files needs pysubs2. Install it with the Python that runs ComfyUI: python -m pip install "
            "pysubs2"
        ) from error
    if path.suffix.lower() not in FORMATS:
        raise ClearError(f"{path.name} is not a subtitle file that can be read. Give one of {', '.join(FORMATS)}.")
    if not path.is_file():
        raise ClearError(f"There is no file {path}. Check the path of the subtitle file.")
    text = re.sub("\r\n?", "\n", _decoded(path))
    if path.suffix.lower() == ".vtt":
        text = _without_times_inside(text)
    if path.suffix.lower() in _STYLED:
        text = _with_styles_in_order(text)
    try:
        subtitles = pysubs2.SSAFile.from_string(text, format_=path.suffix.lower()[1:])
    except (Pysubs2Error, ValueError, IndexError, KeyError) as error:
        raise ClearError(
            f"{path.name} is not a complete {path.suffix[1:]} file ({error}). Save it anew with a subtitle editor."
        ) from error
    lines = [line for event in subtitles.events if (line := _line(event, subtitles, path.suffix.lower()))]
    if not lines:
        raise ClearError(
            f"{path.name} has no lines of text with a beginning and an end. See in an editor what is in it, or leave "
            f"the file empty for random lines."
        )
    return sorted(lines, key=lambda line: (line.start, line.stop))


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise ClearError(
            f"{path.name} is not in UTF-8 (byte {error.start}). Open it in an editor and save it as UTF-8."
        ) from error


def _without_times_inside(text: str) -> str:
    """A .vtt without the times at which single words light up: pysubs2 takes a line with two of them for the beginning
    of a cue."""
    return re.sub(r"<[\d:.]+>", "", text)


def _with_styles_in_order(text: str) -> str:
    """An .ass or .ssa with the columns of its styles in the usual order, and no spaces around what stands in them."""
    out, columns, order = [], None, list[str]()
    for line in text.split("\n"):
        head, _, rest = line.partition(":")
        if line.startswith("["):
            columns = _COLUMNS.get(line.strip("[] \t").lower().removesuffix(" styles"))
            order = columns.split() if columns else []
        elif columns and head.strip().lower() == "format":
            named = [name.strip() for name in rest.split(",")]
            order = named if sorted(map(str.lower, named)) == sorted(columns.lower().split()) else order
            line = "Format:" + ",".join(columns.split())
        elif columns and head.strip().lower() == "style":
            fields = [field.strip() for field in rest.split(",")]
            if len(fields) == len(order):
                by_name = dict(zip(map(str.lower, order), fields))
                fields = [by_name[name] for name in columns.lower().split()]
            line = "Style:" + ",".join(fields)
        out.append(line)
    return "\n".join(out)


def _line(event, subtitles, ending: str) -> Line | None:
    plain = (
        html.unescape(event.plaintext) if ending == ".vtt" else event.plaintext
    )  # the format writes & as &amp; and < as &lt;
    text = tuple(re.sub(r"[\x00-\x1f]", " ", part).strip() for part in plain.split("\n"))
    text = tuple(part for part in text if part)
    drawing = re.search(r"\\p[1-9]", event.text)  # vector graphics, whose commands would read as letters
    if event.is_comment or drawing or not text or event.end <= event.start:
        return None
    width, height = _grid(subtitles.info)
    tags = _tags(event.text)
    line = Line(
        event.start / 1000, event.end / 1000, text, bold=tags.get("b", "0") != "0", italic=tags.get("i", "0") == "1"
    )
    if "an" in tags and tags["an"] in "123456789":
        line = replace(line, alignment=int(tags["an"]))
    if "pos" in tags and len(place := _numbers(tags["pos"])) == 2:
        line = replace(line, position=(place[0] / width, place[1] / height))
    if "fad" in tags and len(fade := _numbers(tags["fad"])) == 2:
        line = replace(line, fade=(max(0.0, fade[0] / 1000), max(0.0, fade[1] / 1000)))
    if ending not in _STYLED:
        return line
    style = subtitles.styles.get(event.style) or subtitles.styles.get("Default")
    if style is None:
        return line
    return replace(
        line,
        alignment=line.alignment or int(style.alignment),
        bold=tags["b"] != "0" if "b" in tags else bool(style.bold),
        italic=tags["i"] == "1" if "i" in tags else bool(style.italic),
        look=_look(event, style, tags, subtitles.info, width, height),
    )


def _look(event, style, tags: dict[str, str], info: dict, width: float, height: float) -> FileLook:
    """What the style says, with the line's own tags in place of it."""
    unscaled = str(info.get("ScaledBorderAndShadow", "yes")).lower() == "no"
    unit = 1.0 if unscaled else height
    number = lambda tag, otherwise: (_numbers(tags.get(tag, "")) or [otherwise])[0]
    primary, edge, back = style.primarycolor, style.outlinecolor, style.backcolor
    edge_colour = _colour(tags.get("3c")) or (edge.r, edge.g, edge.b)
    margins = (
        (event.marginl or style.marginl) / width,
        (event.marginr or style.marginr) / width,
        (event.marginv or style.marginv) / height,
    )
    boxed = style.borderstyle == _SHADED
    return FileLook(
        tags.get("fn", "").strip() or style.fontname,
        max(0.0, number("fs", style.fontsize)) / height,
        _colour(tags.get("c") or tags.get("1c")) or (primary.r, primary.g, primary.b),
        1 - primary.a / 255,
        0.0 if boxed else max(0.0, number("bord", style.outline)) / unit,
        edge_colour,
        max(0.0, number("shad", style.shadow)) / unit,
        (back.r, back.g, back.b, 255 - back.a),
        (*edge_colour, 1 - edge.a / 255) if boxed else None,
        margins,
        unscaled,
    )


def _grid(info: dict) -> tuple[float, float]:
    """Width and height that positions and sizes count in. A file that gives one side means a 4:3 frame."""
    width, height = ((_numbers(str(info.get(key, ""))) or [0.0])[0] for key in ("PlayResX", "PlayResY"))
    if width <= 0 and height <= 0:
        return _WIDTH, _HEIGHT
    if width <= 0:
        return height * 4 / 3, height
    return width, height if height > 0 else width * 3 / 4


def _tags(text: str) -> dict[str, str]:
    """Override tags that hold for the whole line: those before its first letter, and the ones that never hold for
    less."""
    found: dict[str, str] = {}
    for block in re.finditer(r"\{([^}]*)\}", text):
        first = not re.sub(r"\{[^}]*\}", "", text[: block.start()]).strip()
        lasting = re.sub(
            r"\\t\((?:[^()]|\([^()]*\))*\)?", "", block[1]
        )  # what \t holds comes later, or little by little
        for name, value in re.findall(
            r"\\(pos|fad|an|a|fn|fs|bord|shad|1c|3c|c|b|i)(?=[^a-zA-Z]|(?<=\\fn))(\([^)]*\)|[^\\]*)", lasting
        ):
            if name == "a":
                found.setdefault("an", _OLD_ALIGNMENT.get(value.strip(), ""))
            elif name in ("pos", "fad", "an"):
                found.setdefault(name, value.strip())  # of several, libass takes the first
            elif first:
                found[name] = value.strip()
    return found


def _numbers(value: str) -> list[float]:
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", value)]


def _colour(value: str | None) -> tuple[int, int, int] | None:
    """&HBBGGRR& -> (red, green, blue)."""
    digits = re.search(r"&H([0-9A-Fa-f]+)", value or "")
    if not digits:
        return None
    bgr = int(digits[1], 16) & 0xFFFFFF
    return bgr & 0xFF, bgr >> 8 & 0xFF, bgr >> 16
