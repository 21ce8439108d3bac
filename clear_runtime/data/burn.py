"""Burn subtitles into frames with Pillow, and know exactly which pixels they cover."""
import random
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

MASK_FROM = 0.05  # a pixel belongs to the subtitle from this opacity on


@dataclass(frozen=True)
class Style:
    """How one subtitle looks. Sizes and offsets in pixels, colours as Pillow names them, opacities 0..1."""
    font: str | None = None          # a font file; None is Pillow's own, which has Latin letters only
    index: int = 0                   # of the face in a collection
    size: int = 24
    fill: tuple = (255, 255, 255)
    stroke: int = 2
    stroke_fill: tuple = (0, 0, 0)
    shadow: tuple | None = None      # (dx, dy, blur radius)
    shadow_fill: tuple = (0, 0, 0, 220)  # with its opacity, 0..255
    box: tuple | None = None         # (red, green, blue, opacity)
    opacity: float = 1.0
    italic: bool = False
    softness: float = 0.0            # blur radius of the finished layer: resized video is never crisp
    align: str = "center"            # of the lines among each other: left, center, right


@dataclass(frozen=True)
class Layer:
    """A rendered subtitle over a whole frame: colour [H, W, 3] and opacity [H, W], both float32 0..1."""
    colour: np.ndarray
    opacity: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        return self.opacity > MASK_FROM

    def over(self, frame: np.ndarray, strength: float = 1.0) -> np.ndarray:
        """frame [H, W, 3] uint8 -> the same with the subtitle over it; `strength` fades it in and out."""
        a = (self.opacity * strength)[..., None]
        return (frame * (1 - a) + self.colour * (255 * a) + 0.5).astype(np.uint8)


@lru_cache(maxsize=256)
def load_font(path: str | None, index: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=index) if path else ImageFont.load_default(size)


def bounds(lines: list[str], style: Style) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the letters with their outline, when the first line's top left corner is at (0, 0)."""
    return ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), "\n".join(lines), **_options(style))


def _options(style: Style) -> dict:
    return dict(font=load_font(style.font, style.index, style.size), stroke_width=style.stroke, align=style.align, spacing=max(2, style.size // 6))


def render(lines: list[str], style: Style, width: int, height: int, centre: tuple[float, float]) -> Layer:
    """Lines centred on `centre` (x, y in pixels) on an otherwise empty frame of width x height."""
    text, options = "\n".join(lines), _options(style)
    x0, y0, x1, y1 = bounds(lines, style)
    x, y = centre[0] - (x0 + x1) / 2, centre[1] - (y0 + y1) / 2
    layer = Image.new("RGBA", (width, height), (*style.fill, 0))
    if style.box:
        pad_x, pad_y = style.size * 0.35, style.size * 0.2
        ImageDraw.Draw(layer).rectangle((x + x0 - pad_x, y + y0 - pad_y, x + x1 + pad_x, y + y1 + pad_y),
                                        fill=(*style.box[:3], round(255 * style.box[3])))
    if style.shadow:
        dx, dy, blur = style.shadow
        shade = Image.new("RGBA", (width, height), (0, 0, 0, 0))
        ImageDraw.Draw(shade).multiline_text((x + dx, y + dy), text, fill=style.shadow_fill, stroke_fill=style.shadow_fill, **options)
        layer = Image.alpha_composite(layer, shade.filter(ImageFilter.GaussianBlur(blur)))
    words = Image.new("RGBA", (width, height), (*(style.stroke_fill if style.stroke else style.fill), 0))
    ImageDraw.Draw(words).multiline_text((x, y), text, fill=(*style.fill, 255), stroke_fill=(*style.stroke_fill, 255), **options)
    if style.italic:
        words = words.transform(words.size, Image.Transform.AFFINE, (1, 0.2, -0.2 * centre[1], 0, 1, 0), Image.Resampling.BILINEAR)
    layer = Image.alpha_composite(layer, words)
    if style.softness:
        # premultiplied, so that the colour of empty pixels does not bleed into the letters
        layer = layer.convert("RGBa").filter(ImageFilter.GaussianBlur(style.softness)).convert("RGBA")
    pixels = np.asarray(layer, dtype=np.float32) / 255
    return Layer(pixels[..., :3].copy(), pixels[..., 3] * style.opacity)


def random_style(rng: random.Random, fonts: list[tuple[str, int]], size: int) -> Style:
    """A look such as films, broadcasts and video sites use, at `size` pixels per em."""
    light = [(255, 255, 255)] * 6 + [(255, 240, 80), (255, 225, 77), (230, 230, 230), (120, 230, 255), (160, 255, 160), (255, 190, 200)]
    dark = [(0, 0, 0)] * 6 + [(30, 30, 30), (20, 20, 80), (90, 20, 20), (70, 40, 0)]
    fill, edge = rng.choice(light), rng.choice(dark)
    if rng.random() < 0.08:
        fill, edge = edge, fill
    elif rng.random() < 0.08:
        fill = tuple(rng.randrange(256) for _ in range(3))
    path, index = rng.choice(fonts)
    stroke = rng.choice((0, 1, 1, 2, 2, 2, 3)) if size >= 14 else rng.choice((0, 1, 1))
    style = Style(path, index, size, fill, stroke, edge, italic=rng.random() < 0.08,
                  softness=rng.choice((0, 0, 0, 0.4, 0.6, 0.9)), opacity=rng.choice((1, 1, 1, 1, 0.9, 0.75)))
    if rng.random() < 0.3 or (not stroke and rng.random() < 0.5):
        style = replace(style, shadow=(rng.randint(0, 2), rng.randint(1, 3), rng.choice((0, 0.7, 1.5, 3))))
    if rng.random() < 0.15:
        style = replace(style, box=(*rng.choice(dark), rng.choice((0.4, 0.6, 0.6, 0.8, 1.0))), stroke=min(stroke, 1))
    return style


def burn(frames: np.ndarray, track: list[tuple[int, int, Layer]], fade: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Burn layers over spans of frames.

    frames: [T, H, W, 3] uint8. track: (first, stop, layer), in frames. fade: frames over which a line comes and goes.
    Returns the subtitled frames and the exact mask [T, H, W] bool.
    """
    out, mask = frames.copy(), np.zeros(frames.shape[:3], bool)
    for first, stop, layer in track:
        for t in range(max(first, 0), min(stop, len(frames))):
            strength = min(1.0, (t - first + 1) / (fade + 1), (stop - t) / (fade + 1))
            out[t] = layer.over(out[t], strength)
            mask[t] |= layer.opacity * strength > MASK_FROM
    return out, mask
