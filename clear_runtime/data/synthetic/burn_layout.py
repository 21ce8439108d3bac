"""Where a subtitle stands in a frame, in which font, and the pixels that it covers."""

from __future__ import annotations

import math
import random
import unicodedata
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ...errors import ClearError
from . import system_fonts
from .burn import Style, bounds, load_font, random_style, render
from .burn_style import BurnStyle, rgb
from .scripts import SCRIPTS
from .subtitle_file import FileLook, Line
from .system_fonts import Face

VISIBLE = 0.5 / 255  # an opacity below it changes no pixel of an 8-bit video
LEAST_SIZE = 6  # pixels of a letter
_SIDE = 0.04  # margin left and right, share of the frame's width
_DRAWN_FOR = 28  # pixels of a letter that random_style's widths are meant for


class TooSmall(ClearError):
    """Letters of too few pixels to be read."""


class TooLarge(ClearError):
    """Letters higher than the frame."""


@dataclass(frozen=True)
class Placed:
    """A subtitle with its place. first, stop, fade_in, fade_out: frames. centre: (x, y) of the letters in pixels."""

    first: int
    stop: int
    lines: tuple[str, ...]
    style: Style
    face: Face
    centre: tuple[float, float]
    zone: int | None  # -1 bottom, 0 middle, 1 top, None for a place of its own
    fade_in: int = 0
    fade_out: int = 0

    @property
    def rows(self) -> tuple[float, float]:
        """Top and bottom in pixels."""
        x0, y0, x1, y1 = bounds(list(self.lines), self.style)
        pad = self.style.size * (0.2 if self.style.box else 0.08)
        return self.centre[1] - (y1 - y0) / 2 - pad, self.centre[1] + (y1 - y0) / 2 + pad

    def strength(self, frame: int) -> float:
        return min(1.0, (frame - self.first + 1) / (self.fade_in + 1), (self.stop - frame) / (self.fade_out + 1))


@dataclass(frozen=True)
class Patch:
    """The part of a frame that a subtitle covers. colour [h, w, 3], opacity [h, w], float32 in 0..1."""

    top: int
    left: int
    colour: Tensor
    opacity: Tensor

    def burn_into(self, frame: Tensor, mask: Tensor, strength: float) -> None:
        """Change frame [H, W, 3] and mask [H, W] bool in place. What lies outside the mask keeps its bits."""
        rows, columns = (slice(at, at + side) for at, side in zip((self.top, self.left), self.opacity.shape))
        alpha = self.opacity * strength
        covered = alpha > VISIBLE
        part = frame[rows, columns]
        part[covered] = torch.lerp(part, self.colour, alpha[..., None])[covered]
        mask[rows, columns] |= covered


def patch(placed: Placed, width: int, height: int) -> Patch | None:
    """The pixels of a subtitle, cut where it leaves the frame; None where nothing of it is inside."""
    style, lines = placed.style, list(placed.lines)
    x0, y0, x1, y1 = bounds(lines, style)
    shadow = max(map(abs, style.shadow[:2])) + 3 * style.shadow[2] if style.shadow else 0
    margin = math.ceil(style.size * 0.5 + shadow + 3 * style.softness + (0.2 * (y1 - y0) if style.italic else 0)) + 2
    left, top = (
        math.floor(placed.centre[0] - (x1 - x0) / 2) - margin,
        math.floor(placed.centre[1] - (y1 - y0) / 2) - margin,
    )
    size = math.ceil(x1 - x0) + 2 * margin + 1, math.ceil(y1 - y0) + 2 * margin + 1
    layer = render(lines, style, *size, (placed.centre[0] - left, placed.centre[1] - top))
    rows, columns = (slice(max(0, -at), max(0, side - at)) for at, side in ((top, height), (left, width)))
    colour, opacity = layer.colour[rows, columns], layer.opacity[rows, columns]
    if not (opacity > VISIBLE).any():
        return None
    return Patch(
        max(0, top),
        max(0, left),
        torch.from_numpy(np.ascontiguousarray(colour)),
        torch.from_numpy(np.ascontiguousarray(opacity)),
    )


def rows_outside(placed: Placed, width: int, height: int) -> int:
    """How many rows of a subtitle have letters outside the frame, wholly or in part; outline, shadow and box do not
    count."""
    style, lines = placed.style, list(placed.lines)
    pitch = _pitch(style)
    x0, y0, x1, y1 = bounds(lines, style)
    left, top = placed.centre[0] - (x0 + x1) / 2, placed.centre[1] - (y0 + y1) / 2
    outside = 0
    for row, (a, b, c, d) in enumerate(bounds([line], style) for line in lines):
        shift = {"left": 0.0, "center": 0.5, "right": 1.0}[style.align] * (x1 - x0 - (c - a))
        edges = (
            left + a + shift + style.stroke,
            top + b + row * pitch + style.stroke,
            left + c + shift - style.stroke,
            top + d + row * pitch - style.stroke,
        )
        outside += edges[0] < -1 or edges[1] < -1 or edges[2] > width + 1 or edges[3] > height + 1
    return outside


def _pitch(style: Style) -> float:
    """Pixels from one row to the next."""
    return bounds(["A", "A"], style)[3] - bounds(["A"], style)[3]


class Layout:
    """Lines -> their place and font in frames of one size. notes: what differs from what a file asks for."""

    def __init__(self, style: BurnStyle, width: int, height: int, fps: float, seed: int | str):
        self.style, self.width, self.height, self.fps, self.seed = style, width, height, fps, seed
        self.notes: list[str] = []
        self._looks: dict[str, tuple[Style, Face]] = {}
        self._check_size(style.size / 100 * height)

    def place(self, line: Line, script: str | None = None) -> Placed:
        """script: of random lines; of a file's, the letters decide. Raises ClearError for letters that the font
        lacks."""
        system_fonts.require_shaping("".join(line.text))
        look, face = (
            self._from_file(line, line.look) if line.look and self.style.look == "as set" else self._look(line, script)
        )
        sides = (
            (line.look.margins[0] * self.width, line.look.margins[1] * self.width)
            if line.look
            else (_SIDE * self.width,) * 2
        )
        margin = line.look.margins[2] * self.height if line.look else self.style.margin / 100 * self.height
        at = line.alignment or {"bottom": 2, "middle": 5, "top": 8}[self.style.position]
        look = replace(look, align=("left", "center", "right")[(at - 1) % 3])
        lines = tuple(part for text in line.text for part in wrapped(text, look, self.width - sum(sides)))
        centre = self._centre(lines, look, at, line.position, sides, margin)
        fade = line.fade if line.fade is not None else (self.style.fade,) * 2
        zone = None if line.position else (at - 1) // 3 - 1
        return Placed(
            self.frame(line.start),
            self.frame(line.stop),
            lines,
            look,
            face,
            centre,
            zone,
            *(round(f * self.fps) for f in fade),
        )

    def frame(self, seconds: float) -> int:
        """The first frame that is shown at this time or later."""
        return math.ceil(seconds * self.fps - 1e-3)

    def face_for(self, line: Line, script: str | None) -> Face:
        if self.style.font:
            face = system_fonts.find(self.style.font, line.bold, line.italic)
            lacking = system_fonts.missing(face, "".join(line.text))
            if lacking:
                raise ClearError(
                    f"{face.name} has no {system_fonts.named(lacking)}, which stand in {' '.join(line.text)[:60]!r}. "
                    "Choose another font, or none: then one that has the letters is looked for."
                )
            return face
        if script:
            return system_fonts.for_script(script)[0]
        return system_fonts.covering("".join(line.text), line.bold, line.italic)

    def _look(self, line: Line, script: str | None) -> tuple[Style, Face]:
        if self.style.look == "random":
            return self._random_look(line, script)
        face, s = self.face_for(line, script), self.style
        size = round(s.size / 100 * self.height)
        distance = s.shadow / 100 * size
        return Style(
            face.path,
            face.index,
            size,
            rgb(s.colour),
            round(s.outline / 100 * size),
            rgb(s.outline_colour),
            (distance, distance, distance / 2) if distance else None,
            box=(*rgb(s.box_colour), s.box_opacity) if s.box_opacity else None,
            opacity=s.opacity,
            italic=line.italic and not face.italic,
        ), face

    def _random_look(self, line: Line, script: str | None) -> tuple[Style, Face]:
        """One look for each script and seed, in another font where that one lacks a letter of a file's line."""
        key = script or system_fonts.script_of("".join(line.text))
        if key not in self._looks:
            rng = random.Random(f"{self.seed} look {key}")
            faces = (
                [system_fonts.find(self.style.font)]
                if self.style.font
                else system_fonts.for_script(key)
                if key in SCRIPTS
                else [self.face_for(line, script)]
            )
            size = max(LEAST_SIZE, round(self.style.size / 100 * self.height * rng.uniform(0.75, 1.25)))
            style = random_style(rng, [(str(i), i) for i in range(len(faces))], size)
            face, scale = faces[style.index], max(1.0, size / _DRAWN_FOR)
            self._looks[key] = (
                replace(
                    style,
                    font=face.path,
                    index=face.index,
                    stroke=round(style.stroke * scale),
                    softness=style.softness * scale,
                    shadow=style.shadow and tuple(n * scale for n in style.shadow),
                ),
                face,
            )
        style, face = self._looks[key]
        if not system_fonts.has_all(face, "".join(line.text)):
            face = self.face_for(line, None)
            style = replace(style, font=face.path, index=face.index)
        return replace(style, italic=style.italic or line.italic), face

    def _from_file(self, line: Line, look: FileLook) -> tuple[Style, Face]:
        face = system_fonts.installed(look.font.lstrip("@"), line.bold, line.italic) if look.font else None
        if face is None or system_fonts.missing(face, "".join(line.text)):
            found = self.face_for(line, None)
            name = look.font or "The font"
            if face is None:
                self.note(f"{name} is not installed; {found.name} stands in for it.")
            else:
                self.note(f"{name} lacks letters; {found.name} stands in for it.")
            face = found
        # .ass counts a size from ascender to descender, a font file from its em
        ascent, descent = load_font(face.path, face.index, 100).getmetrics()
        size = round(look.size * self.height * 100 / (ascent + descent))
        self._check_size(size)
        unit = 1.0 if look.pixels else self.height
        distance = look.shadow * unit
        return Style(
            face.path,
            face.index,
            size,
            look.colour,
            round(look.outline * unit),
            look.outline_colour,
            (distance, distance, 0) if distance >= 0.5 else None,
            shadow_fill=look.shadow_colour,
            box=look.box,
            opacity=self.style.opacity * look.opacity,
            italic=line.italic and not face.italic,
        ), face

    def _centre(self, lines, style, at, position, sides, margin) -> tuple[float, float]:
        x0, y0, x1, y1 = bounds(list(lines), style)
        font = load_font(style.font, style.index, style.size)
        # rows have the height of the font, not of the letters that happen to stand in them, so that lines do not jump
        block = _pitch(style) * (len(lines) - 1) + sum(font.getmetrics())
        column, row = (at - 1) % 3, (at - 1) // 3
        if position:
            x, y = position[0] * self.width, position[1] * self.height
            left, top = x - (0, 0.5, 1)[column] * (x1 - x0), y - (1, 0.5, 0)[row] * block
        else:
            room = self.width - sum(sides) - (x1 - x0)
            left, top = (
                sides[0] + (0, 0.5, 1)[column] * room,
                (self.height - margin - block, (self.height - block) / 2, margin)[row],
            )
        return left + (x1 - x0) / 2, top + (y0 + y1) / 2

    def _check_size(self, size: float) -> None:
        if size < LEAST_SIZE:
            raise TooSmall(
                f"Letters of {size:.1f} pixels in frames of {self.width}x{self.height} cannot be read; they need "
                f"{LEAST_SIZE}. Choose a larger size."
            )
        if (
            size > self.height
        ):  # each letter is a row of its own then, and the rows are drawn before they are cut: gigabytes
            raise TooLarge(
                f"Letters of {size:.0f} pixels do not fit into frames of {self.width}x{self.height}. Choose a smaller "
                f"size."
            )

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def wrapped(text: str, style: Style, width: float) -> list[str]:
    """A line in as many as it takes to fit into `width` pixels: broken at spaces, and inside a word that is wider than
    that."""
    font = load_font(style.font, style.index, style.size)
    fits = lambda part: font.getlength(part) + 2 * style.stroke <= width
    out, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if fits(joined):
            line = joined
            continue
        if line:
            out.append(line)
        while not fits(word) and len(word) > 1:
            cut = next((n for n in range(len(word) - 1, 1, -1) if fits(word[:n])), 1)
            while cut < len(word) and unicodedata.category(word[cut]).startswith("M"):  # a mark stays with its letter
                cut += 1
            out.append(word[:cut])
            word = word[cut:]
        line = word
    return [*out, *([line] if line else [])]


def apart(placed: list[Placed]) -> list[Placed]:
    """Lines in order of time; where two of one zone would cover each other, the later one moves towards the middle."""
    done: list[Placed] = []
    showing: list[Placed] = []
    for line in placed:
        showing = [other for other in showing if other.stop > line.first]
        if line.zone is not None:
            for top, bottom in sorted(
                (other.rows for other in showing if other.zone == line.zone), reverse=line.zone == -1
            ):
                own = line.rows
                if own[0] < bottom and top < own[1]:
                    shift = top - own[1] if line.zone == -1 else bottom - own[0]
                    line = replace(line, centre=(line.centre[0], line.centre[1] + shift))
        showing.append(line)
        done.append(line)
    return done
