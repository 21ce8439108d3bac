"""Draw a block of overlaid text, and know exactly which pixels its letters cover.

The label of a text is its letters with outline, shadow and glow. A box behind them is drawn and not labelled: it
hides the scene in another way than letters do (one colour, straight edges), and is found and taken off by its edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

from .burn import MASK_FROM, load_font
from .looks import TextLook

SHADE_FROM = 0.12  # opacity from which on a blurred shadow or glow is labelled: fainter ones are not seen as the text's
FINE = 44  # letters of fewer pixels are drawn at twice their size and averaged down, as scaled video has them


class Glyphs(NamedTuple):
    """Text with its origin on the baseline, in pixels of the block. hot: the word of the moment. pictograph: drawn
    instead of letters."""

    text: str
    x: float
    y: float
    hot: bool = False
    pictograph: Image.Image | None = None


@dataclass(frozen=True)
class Overlay:
    """Text over a frame. picture: RGBA of its own size. letters: "L", opacity of what is labelled, same size. left,
    top: of both in the frame. rows: (left, top, right, bottom) of each row's letters in pixels of the frame. kind,
    size, tags: what was drawn. core: "L", opacity of the letters without outline, shadow and glow."""

    picture: Image.Image
    letters: Image.Image
    left: int
    top: int
    rows: tuple[tuple[float, float, float, float], ...]
    kind: str = "line"
    size: float = 0.0
    tags: frozenset = field(default_factory=frozenset)
    core: Image.Image | None = None

    def over(self, frame: Image.Image, strength: float = 1.0) -> None:
        """Draw over an RGB frame; `strength` 0..1 fades it."""
        alpha = self.picture.getchannel("A")
        frame.paste(self.picture.convert("RGB"), (self.left, self.top), _scaled(alpha, strength))

    def seen(self, before: Image.Image, after: Image.Image) -> Overlay:
        """With a label that leaves out what cannot be seen of outline, shadow and glow: black around letters on black.

        before, after: RGB frames without and with the text.
        """
        area = self.left, self.top, self.left + self.letters.width, self.top + self.letters.height
        changes = ImageChops.difference(before.crop(area), after.crop(area)).split()
        changed = reduce(ImageChops.lighter, changes).point(_CHANGED)
        return replace(
            self, letters=ImageChops.lighter(self.core or self.letters, ImageChops.darker(self.letters, changed))
        )

    def mark(self, mask: Image.Image, strength: float = 1.0, boxes: bool = False) -> None:
        """Add the opacity of the letters to a mask "L" of the frame's size. boxes: of everything that was drawn."""
        own = self.picture.getchannel("A") if boxes else self.letters
        own = _scaled(own, strength)
        mask.paste(
            ImageChops.lighter(own, mask.crop((self.left, self.top, self.left + own.width, self.top + own.height))),
            (self.left, self.top),
        )


def marked(mask: Image.Image) -> np.ndarray:
    """A mask "L" of opacities -> [H, W] bool."""
    return np.asarray(mask) > 255 * MASK_FROM


@lru_cache(maxsize=100_000)
def _lacks(path: str | None, index: int, letter: str) -> bool:
    """Whether a font draws its sign for a missing letter: a box, which would teach that boxes are text."""
    drawn, missing = (load_font(path, index, 20).getmask(c) for c in (letter, "\uffff"))
    return drawn.size == missing.size and bytes(drawn) == bytes(missing)


def writable(text: str, look: TextLook) -> str:
    """The letters of a text that the look's font has; all of them where it has hardly any."""
    left = "".join(c for c in text if c == " " or not _lacks(look.font, look.index, c)).strip()
    return left if len(left) > 1 else text


def scale_of(look: TextLook) -> int:
    return 2 if look.size < FINE else 1


def font_of(look: TextLook) -> ImageFont.FreeTypeFont:
    """At the size that it is drawn at: scale_of times the look's."""
    return load_font(look.font, look.index, max(4, round(look.size * scale_of(look))))


def draw_block(rows: list[list[Glyphs]], look: TextLook, centre: tuple[float, float], kind: str = "line") -> Overlay:
    """Rows of pieces, laid out by layouts in pixels of `font_of(look)`, with the middle of the block at `centre` of
    the frame."""
    s, font = scale_of(look), font_of(look)
    boxes = [_extent(row, font) for row in rows]
    x0, y0 = min(b[0] for b in boxes), min(b[1] for b in boxes)
    x1, y1 = max(b[2] for b in boxes), max(b[3] for b in boxes)
    reach = look.stroke + (look.glow[3] * 2.5 if look.glow else 0) + 3 * look.softness + 2
    if look.shadow:
        reach += max(abs(look.shadow[0]), abs(look.shadow[1])) + 2.5 * look.shadow[2]
    if look.box or look.hot_box:
        reach = max(reach, look.pad * look.size + 3 * look.softness + 2)
    if look.turn or look.italic:
        reach += 0.2 * (y1 - y0) / s + abs(math.sin(math.radians(look.turn))) * (x1 - x0) / s * 0.55
    margin = math.ceil(reach)
    width, height = math.ceil((x1 - x0) / s) + 2 * margin, math.ceil((y1 - y0) / s) + 2 * margin
    dx, dy = margin * s - x0, margin * s - y0
    picture, letters, core = _compose(
        [[p._replace(x=p.x + dx, y=p.y + dy) for p in row] for row in rows],
        [(a + dx, b + dy, c + dx, d + dy) for a, b, c, d in boxes],
        look,
        font,
        (width * s, height * s),
        s,
    )
    left, top = round(centre[0] - width / 2), round(centre[1] - height / 2)
    inside = tuple(
        (left + (a + dx) / s, top + (b + dy) / s, left + (c + dx) / s, top + (d + dy) / s) for a, b, c, d in boxes
    )
    return Overlay(picture, letters, left, top, inside, kind, look.size, look.tags, core)


def _extent(row: list[Glyphs], font) -> tuple[float, float, float, float]:
    size = font.size
    edges = [
        (p.x, p.y - size * 0.9, p.x + size, p.y + size * 0.1)
        if p.pictograph
        else tuple(a + b for a, b in zip(font.getbbox(p.text, anchor="ls"), (p.x, p.y, p.x, p.y)))
        for p in row
    ]
    return min(e[0] for e in edges), min(e[1] for e in edges), max(e[2] for e in edges), max(e[3] for e in edges)


def _written(pieces, font, size, stroke: int = 0) -> Image.Image:
    """Opacity of letters "L"; stroke: pixels by which they grow."""
    layer = Image.new("L", size)
    draw = ImageDraw.Draw(layer)
    for p in pieces:
        if p.pictograph is None:
            draw.text((p.x, p.y), p.text, fill=255, font=font, anchor="ls", stroke_width=stroke)
    return layer


def _compose(rows, boxes, look: TextLook, font, size, s: int) -> tuple[Image.Image, Image.Image, Image.Image]:
    """Layer by layer from the back: boxes, shadow, glow, outline, letters, pictographs -> RGBA, and the opacities "L"
    of what is labelled and of the letters alone, scaled down by s."""
    pieces = [p for row in rows for p in row]
    hot = [p for p in pieces if p.hot]
    core = _written([p for p in pieces if not (p.hot and look.hot_fill)], font, size)
    lit = _written(hot, font, size) if hot and look.hot_fill else None
    stroke = round(look.stroke * s)
    edge = _written(pieces, font, size, stroke) if stroke else None
    inner = ImageChops.lighter(core, lit) if lit else core.copy()
    body = edge or inner
    canvas = Image.new("RGBA", size, (*(look.stroke_fill if stroke else look.fill), 0))
    _boxes(canvas, boxes, hot, look, font, s)
    label = body.copy()
    for shade, colour in _shades(body, look, s):
        canvas = Image.alpha_composite(canvas, _solid(colour, shade))
        label = ImageChops.lighter(label, shade.point(_VISIBLE))
    if edge:
        canvas = Image.alpha_composite(canvas, _solid(look.stroke_fill, edge))
    canvas = Image.alpha_composite(
        canvas, _solid(look.fill, core) if look.second is None else _graded(look, core, boxes)
    )
    if lit and look.hot_fill is not None:
        canvas = Image.alpha_composite(canvas, _solid(look.hot_fill, lit))
    for p in pieces:
        if p.pictograph is not None:
            side = font.size
            sign = p.pictograph.resize((side, side), Image.Resampling.BILINEAR)
            at = round(p.x), round(p.y - side * 0.88)
            canvas.alpha_composite(sign, (max(0, at[0]), max(0, at[1])))
            for layer in (label, inner):
                own = layer.crop((*at, at[0] + side, at[1] + side))
                layer.paste(ImageChops.lighter(sign.getchannel("A"), own), at)
    return _finished([canvas, label, inner], look, s)


def _finished(layers: list[Image.Image], look: TextLook, s: int) -> tuple[Image.Image, Image.Image, Image.Image]:
    """layers: RGBA, and opacities "L" that go the same way."""
    # premultiplied, so that the colour of empty pixels does not bleed into the letters
    layers = [layers[0].convert("RGBa"), *layers[1:]]
    if look.italic:
        shear = (1, 0.2, -0.1 * layers[0].height, 0, 1, 0)
        layers = [x.transform(x.size, Image.Transform.AFFINE, shear, Image.Resampling.BILINEAR) for x in layers]
    if look.turn:
        layers = [x.rotate(look.turn, Image.Resampling.BILINEAR) for x in layers]
    if s > 1:
        layers = [x.reduce(s) for x in layers]
    if look.softness:
        layers = [x.filter(ImageFilter.GaussianBlur(look.softness)) for x in layers]
    canvas, label, inner = layers
    canvas = canvas.convert("RGBA")
    if look.opacity < 1:
        canvas.putalpha(_scaled(canvas.getchannel("A"), look.opacity))
        label, inner = _scaled(label, look.opacity), _scaled(inner, look.opacity)
    return canvas, label, inner


def _shades(body: Image.Image, look: TextLook, s: int):
    """(opacity "L", colour) of the glow and of the shadow."""
    if look.glow:
        blurred = body.filter(ImageFilter.GaussianBlur(look.glow[3] * s))
        yield blurred.point(_DENSER), look.glow[:3]
    if look.shadow:
        dx, dy, blur, opacity = look.shadow
        shade = ImageChops.offset(body, round(dx * s), round(dy * s))
        yield _scaled(shade.filter(ImageFilter.GaussianBlur(blur * s)) if blur else shade, opacity), look.shadow_fill


def _boxes(canvas: Image.Image, boxes, hot, look: TextLook, font, s: int) -> None:
    draw, pad, radius = ImageDraw.Draw(canvas), look.pad * look.size * s, look.rounded * look.size * s
    if look.box:
        opacity = round(255 * look.box_fill[3])
        rows = (
            boxes
            if look.box == "row"
            else [
                (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
            ]
        )
        for a, b, c, d in rows:
            draw.rounded_rectangle(
                (a - pad, b - pad * 0.7, c + pad, d + pad * 0.7), radius, fill=(*look.box_fill[:3], opacity)
            )
    if look.hot_box:
        for p in hot:
            a, b, c, d = _extent([p], font)
            draw.rounded_rectangle((a - pad, b - pad * 0.7, c + pad, d + pad * 0.7), radius, fill=(*look.hot_box, 255))


def _solid(colour: tuple, alpha: Image.Image) -> Image.Image:
    layer = Image.new("RGBA", alpha.size, (*colour, 0))
    layer.putalpha(alpha)
    return layer


def _graded(look: TextLook, alpha: Image.Image, boxes) -> Image.Image:
    """Every row from the one colour at its top to the other at its foot."""
    layer = Image.new("RGB", alpha.size, look.fill)
    ramp = Image.linear_gradient("L")
    if look.halves:
        ramp = ramp.point([0] * 128 + [255] * 128)
    ramp = ImageOps.colorize(ramp, look.fill, look.second or look.fill)
    for a, b, c, d in boxes:
        layer.paste(ramp.resize((max(1, math.ceil(c - a)) + 12, max(1, math.ceil(d - b)))), (int(a) - 6, int(b)))
    layer.putalpha(alpha)
    return layer


_CHANGED = [255 if v >= 6 else 0 for v in range(256)]  # levels of 255 from which on a change is one
_VISIBLE = [v if v >= 255 * SHADE_FROM else 0 for v in range(256)]
_DENSER = [min(255, round(v * 1.8)) for v in range(256)]


def _scaled(alpha: Image.Image, factor: float) -> Image.Image:
    return alpha if factor >= 1 else alpha.point([round(v * factor) for v in range(256)])
