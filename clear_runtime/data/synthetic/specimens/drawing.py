"""Text over a scene, frame by frame, with the exact pixels of what is subtitle and of what must stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from PIL import Image

from ..degrade import compressed
from ..layouts import moved
from ..letters import Glyphs, Overlay, draw_block, font_of, marked, scale_of
from ..looks import TextLook
from ..pairs import LEGIBLE
from ..system_fonts import covering, installed

CAPITAL = 0.72  # of an em
LEAST = 10  # pixels of an em: smaller letters cannot be read
QUALITY = 92  # of the JPEG that stands for a video's compression

Path = Callable[[int], tuple[float, float]]
"""Frame -> how far a text is to the right of and below its place, in shares of the frame's width and height."""


class Row(NamedTuple):
    """A row of subtitle letters that can be read in a frame. Edges in pixels, bottom and right just outside."""

    frame: int
    top: int
    left: int
    bottom: int
    right: int

    def of(self, masks):
        """Its part of masks [T, H, W]."""
        return masks[self.frame, self.top : self.bottom, self.left : self.right]


@dataclass(frozen=True)
class Specimen:
    """frames, clean: [T, H, W, 3] uint8, with and without the subtitles. subtitle: [T, H, W] bool, their letters with
    what can be seen of outline, shadow and glow. drawn: the same with the boxes behind them. stays: lettering that must
    not be touched. rows: all that can be read."""

    frames: np.ndarray
    clean: np.ndarray
    subtitle: np.ndarray
    drawn: np.ndarray
    stays: np.ndarray
    rows: Sequence[Row]


class ShownText(NamedTuple):
    """A text from frame `first` up to `stop`. fade: frames over which it comes and goes."""

    overlay: Overlay
    first: int
    stop: int
    fade: tuple[int, int]
    path: Path

    def strength(self, t: int) -> float:
        if not self.first <= t < self.stop:
            return 0.0
        return min(1.0, (t - self.first + 1) / (self.fade[0] + 1), (self.stop - t) / (self.fade[1] + 1))

    def at(self, t: int, width: int, height: int) -> Overlay:
        x, y = self.path(t)
        return _shifted(self.overlay, x * width, y * height) if x or y else self.overlay


class Drawing:
    """A scene [T, H, W, 3] uint8 that texts are laid over."""

    def __init__(self, scene: np.ndarray):
        self.scene = scene
        self.frames, self.height, self.width = scene.shape[:3]
        self._subtitles: list[ShownText] = []
        self._kept: list[ShownText] = []

    def text(
        self,
        *rows: str | Sequence[str | Image.Image],
        size: float,
        at: tuple[float, float] = (0.5, 0.86),
        anchor: float = 0.5,
        bold: bool = False,
        families: Sequence[str] = (),
        hot: int | None = None,
        column: bool = False,
        **look,
    ) -> Overlay:
        """Rows of text, each a string or words and pictographs one after another.

        size: of an em, share of the frame's height. at: where the block's middle goes, shares of width and height.
        anchor: which part of the block stands there, 0 its left end, 1 its right one. families: of fonts, the first
        that is installed is taken. hot: number of the word of the
        moment. column: letters one below the other. look: fields of Look; lengths in em. Raises ClearError where no
        font has the letters.
        """
        words = [[row] if isinstance(row, str) and hot is None else _split(row) for row in rows]
        letters = "".join(w for row in words for w in row if isinstance(w, str))
        face = next(filter(None, map(installed, families)), None) or covering(letters, bold)
        em = max(LEAST, size * self.height)
        drawn = TextLook(face.path, face.index, em, **_in_pixels(look, em))
        font, s = font_of(drawn), scale_of(drawn)
        pieces = _column(words[0][0], drawn) if column else _rows(words, drawn, hot)
        overlay = draw_block(pieces, drawn, (0, 0))
        left, right = min(r[0] for r in overlay.rows), max(r[2] for r in overlay.rows)
        if column:
            down = at[1] * self.height - (overlay.rows[0][1] + overlay.rows[0][3]) / 2
        else:  # by the baseline: letters without descenders stand as high as those with them
            first, last = pieces[0], pieces[-1]
            below = max((font.getbbox(p.text, anchor="ls")[3] for p in first if not p.pictograph), default=0) / s
            baseline = overlay.rows[0][3] - (max(below, 0.1 * em) if any(p.pictograph for p in first) else below)
            down = at[1] * self.height - ((last[0].y - first[0].y) / s - CAPITAL * em) / 2 - baseline
        return _by(overlay, at[0] * self.width - left - anchor * (right - left), down)

    def show(self, overlay: Overlay, first: int = 0, stop: int | None = None, fade=(0, 0), path: Path | None = None):
        """Lay a subtitle over the frames `first` <= t < `stop`."""
        self._subtitles.append(self._shown(overlay, first, stop, fade, path))

    def keep(self, overlay: Overlay, first: int = 0, stop: int | None = None, fade=(0, 0), path: Path | None = None):
        """Lay lettering over the frames that must not be touched."""
        self._kept.append(self._shown(overlay, first, stop, fade, path))

    def _shown(self, overlay, first, stop, fade, path) -> ShownText:
        return ShownText(overlay, first, self.frames if stop is None else stop, fade, path or (lambda t: (0.0, 0.0)))

    def specimen(self) -> Specimen:
        parts = [self._frame(t) for t in range(self.frames)]
        frames, clean, subtitle, drawn, stays = (np.stack(part) for part in list(zip(*parts))[:5])
        return Specimen(frames, clean, subtitle, drawn, stays & ~drawn, [row for part in parts for row in part[5]])

    def _frame(self, t: int):
        """The arrays of a Specimen for frame t, and its rows."""
        clean, size = Image.fromarray(self.scene[t]), (self.width, self.height)
        stays, subtitle, drawn = (Image.new("L", size) for _ in range(3))
        rows: list[Row] = []
        for shown in self._kept:
            if strength := shown.strength(t):
                overlay = shown.at(t, *size)
                overlay.over(clean, strength)
                overlay.mark(stays, strength)
        frame = clean.copy()
        for shown in self._subtitles:
            if strength := shown.strength(t):
                overlay, before = shown.at(t, *size), frame.copy()
                overlay.over(frame, strength)
                overlay.seen(before, frame).mark(subtitle, strength)
                overlay.mark(drawn, strength, boxes=True)
                rows += _legible_rows(t, overlay, np.asarray(before), np.asarray(frame))
        pictures = (np.asarray(compressed(picture, QUALITY, 2)) for picture in (frame, clean))
        return (*pictures, *(marked(mask) for mask in (subtitle, drawn, stays)), rows)


def _split(row: str | Sequence) -> list:
    return row.split(" ") if isinstance(row, str) else list(row)


def _in_pixels(look: dict, em: float) -> dict:
    """Fields of a Look with lengths in em -> in pixels."""
    out = dict(look)
    if "stroke" in look:
        out["stroke"] = max(1.0, look["stroke"] * em)
    if look.get("shadow"):
        dx, dy, blur, opacity = look["shadow"]
        out["shadow"] = (max(1.0, dx * em), max(1.0, dy * em), blur * em, opacity)
    if look.get("glow"):
        out["glow"] = (*look["glow"][:3], max(1.0, look["glow"][3] * em))
    return out


def _rows(rows: Sequence[Sequence], look: TextLook, hot: int | None) -> list[list[Glyphs]]:
    """Pieces of each row on baselines one pitch apart, in pixels of the look's font."""
    font, s = font_of(look), scale_of(look)
    em, gap = look.size * s, font_of(look).getlength(" ")
    pitch = em * look.leading + (1.4 * look.pad * em if look.box == "row" else 0)
    laid, ends, number = [], [], 0
    for n, row in enumerate(rows):
        pieces, x = [], 0.0
        for word in row:
            for part in list(word) if look.spacing and isinstance(word, str) else [word]:
                if isinstance(part, str):
                    pieces.append(Glyphs(part, x, n * pitch, number == hot))
                    x += font.getlength(part) + look.spacing * em
                else:
                    pieces.append(Glyphs("", x, n * pitch, pictograph=part))
                    x += font.size
            x, number = x + gap, number + 1
        laid.append([p for p in pieces if p.pictograph or p.text.strip()])
        ends.append(x - gap)
    return [
        [p._replace(x=p.x + (max(ends) - end) * look.align) for p in row] for row, end in zip(laid, ends, strict=True)
    ]


def _column(text: str, look: TextLook) -> list[list[Glyphs]]:
    font, em = font_of(look), look.size * scale_of(look)
    return [[Glyphs(c, (em - font.getlength(c)) / 2, (n + 0.88) * em * 1.08) for n, c in enumerate(text)]]


def _by(overlay: Overlay, right: float, down: float) -> Overlay:
    """The same that much further, in whole pixels."""
    return moved(
        overlay, overlay.left + overlay.picture.width / 2 + right, overlay.top + overlay.picture.height / 2 + down
    )


def _shifted(overlay: Overlay, right: float, down: float) -> Overlay:
    """The same that much further, between the pixels too."""
    x, y = int(np.floor(right)), int(np.floor(down))
    matrix = (1, 0, x - right, 0, 1, y - down)
    slide = lambda layer: layer.transform(layer.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    parts = {name: slide(getattr(overlay, name)) for name in ("letters", "core")}
    return _by(replace(overlay, picture=slide(overlay.picture.convert("RGBa")).convert("RGBA"), **parts), x, y)


def _legible_rows(t: int, overlay: Overlay, before: np.ndarray, after: np.ndarray) -> list[Row]:
    """The rows of a text that can be read in a frame, for what their letters change in it."""
    height, width = after.shape[:2]
    core = Image.new("L", (width, height))
    core.paste(overlay.core or overlay.letters, (overlay.left, overlay.top))
    opacity = np.asarray(core)
    rows = []
    for a, b, c, d in overlay.rows:
        row = Row(t, max(0, int(b)), max(0, int(a)), min(height, int(d) + 1), min(width, int(c) + 1))
        part = np.s_[row.top : row.bottom, row.left : row.right]
        inside = opacity[part] > min(128, int(opacity[part].max(initial=1)) * 0.6)
        change = np.abs(after[part].astype(np.int16) - before[part]).max(-1)
        if inside.any() and change[inside].mean() >= LEGIBLE:
            rows.append(row)
    return rows
