"""Moving scenes to burn subtitles onto: photographs under a moving camera, things that move in them, and painted
scenes.

Every scene is a function of a random generator, so a data set is a seed.
"""

import math
import random
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .burn import load_font
from .negatives import draw_bars
from .scripts import TRAINED
from .text import random_line

LARGEST = 1920  # pictures are kept at this width: enough for every crop, and small enough to keep all in memory
SPRITE = 256  # pixels of a sprite's longer side, kept likewise
# share of scenes with lettering of their own: rare, for no single frame tells an upright sign from overlaid text
SIGNS = 0.03


class Pictures:
    """Pictures and sprites, decoded when first used and kept at half-size steps for clean minification."""

    def __init__(self, pictures: list[Path], sprites: list[Path]):
        self.paths, self.sprite_paths = pictures, sprites
        self._levels: dict[Path, list[Image.Image]] = {}
        self._sprites: dict[Path, Image.Image] = {}

    def levels(self, path: Path) -> list[Image.Image]:
        if path not in self._levels:
            picture = Image.open(path).convert("RGB")
            picture.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
            levels = [picture]
            while min(levels[-1].size) > 160:
                levels.append(levels[-1].reduce(2))
            self._levels[path] = levels
        return self._levels[path]

    def sprite(self, rng: random.Random, size: int) -> Image.Image:
        path = rng.choice(self.sprite_paths)
        if path not in self._sprites:
            sprite = Image.open(path).convert("RGBA")
            sprite.thumbnail((SPRITE, SPRITE), Image.Resampling.LANCZOS)
            self._sprites[path] = sprite
        sprite = self._sprites[path].copy()
        sprite.thumbnail((size, size), Image.Resampling.BILINEAR)
        return sprite.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else sprite


def _camera(rng: random.Random, frames: int):
    """A smooth path: offsets in frame widths, zoom factor and angle per frame. A third of the shots stand still."""
    if rng.random() < 0.35:
        return [(0.0, 0.0, 1.0, 0.0)] * frames
    speed = rng.choice((0.002, 0.005, 0.01, 0.02))
    vx, vy = rng.gauss(0, speed), rng.gauss(0, speed * 0.4)
    zoom, turn = rng.gauss(0, 0.0025), rng.gauss(0, 0.002)
    shake = rng.choice((0, 0, 0, 0.001, 0.003))
    return [
        (vx * t + rng.gauss(0, shake), vy * t + rng.gauss(0, shake), math.exp(zoom * t), turn * t)
        for t in range(frames)
    ]


def _shoot(picture_levels, rng, frames, height, width):
    """A picture seen through a moving camera -> list of PIL frames."""
    full = picture_levels[0]
    fit = min(full.width / width, full.height / height)
    scale = fit * math.exp(
        rng.uniform(math.log(min(0.25, 0.8 / fit) if fit > 1 else 0.5), math.log(0.95))
    )  # source pixels per frame pixel
    level = min(int(max(0.0, math.log2(max(scale, 1.0)))), len(picture_levels) - 1)
    source = picture_levels[level]
    scale /= 2**level
    cx, cy = rng.uniform(0.3, 0.7) * source.width, rng.uniform(0.25, 0.75) * source.height
    out, path = [], _camera(rng, frames)
    if frames == 1:  # no camera moves in it: scaling alone is half the time
        w, h = min(scale * width, source.width), min(scale * height, source.height)
        x0, y0 = min(max(0.0, cx - w / 2), source.width - w), min(max(0.0, cy - h / 2), source.height - h)
        return [source.resize((width, height), Image.Resampling.BICUBIC, (x0, y0, x0 + w, y0 + h))]
    for dx, dy, zoom, angle in path:
        s, c, n = scale * zoom, math.cos(angle), math.sin(angle)
        x0 = cx + dx * width * scale - s * (c * width / 2 - n * height / 2)
        y0 = cy + dy * width * scale - s * (n * width / 2 + c * height / 2)
        out.append(
            source.transform(
                (width, height), Image.Transform.AFFINE, (s * c, -s * n, x0, s * n, s * c, y0), Image.Resampling.BICUBIC
            )
        )
    return out


def _painted(rng: random.Random, height: int, width: int) -> Image.Image:
    """A flat or shaded drawing: gradients, shapes with outlines, stripes, noise, as cartoons and titles have them."""
    colour = lambda: tuple(rng.randrange(256) for _ in range(3))
    w, h = width * 2, height * 2
    top, bottom = np.array(colour(), np.float32), np.array(colour(), np.float32)
    along = np.linspace(0, 1, h, dtype=np.float32)[:, None, None]
    ground = top * (1 - along) + bottom * along + np.zeros((1, w, 1), np.float32)
    if rng.random() < 0.5:
        coarse = np.random.default_rng(rng.randrange(2**32)).normal(
            0, rng.uniform(5, 40), (max(2, h // rng.choice((4, 8, 16, 40))), max(2, w // rng.choice((4, 8, 16, 40))))
        )
        ground += np.asarray(Image.fromarray(coarse.astype(np.float32)).resize((w, h), Image.Resampling.BICUBIC))[
            ..., None
        ]
    picture = Image.fromarray(ground.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.randrange(3, 40)):
        x, y, size = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(4, h * 0.8)
        edge, thick = rng.choice(((0, 0, 0), colour())), rng.choice((0, 1, 3, 5))
        kind = rng.randrange(4)
        if kind == 0:
            draw.ellipse((x, y, x + size * rng.uniform(0.3, 2), y + size), fill=colour(), outline=edge, width=thick)
        elif kind == 1:
            draw.rectangle((x, y, x + size * rng.uniform(0.3, 3), y + size), fill=colour(), outline=edge, width=thick)
        elif kind == 2:
            points = [(x + rng.uniform(-size, size), y + rng.uniform(-size, size)) for _ in range(rng.randrange(3, 7))]
            draw.polygon(points, fill=colour(), outline=edge)
        else:
            draw.line(
                [(x, y), (x + rng.uniform(-w, w), y + rng.uniform(-h, h))], fill=colour(), width=rng.randrange(1, 12)
            )
    return picture.filter(ImageFilter.BoxBlur(rng.choice((0.5, 1, 2))))


def _write_sign(picture: Image.Image, rng: random.Random, fonts) -> Image.Image:
    """Text that belongs to the scene (signs, labels): turned, and a little out of focus, as overlaid text is not."""
    script = rng.choice(TRAINED)
    path, index = rng.choice(fonts[script])
    size = rng.randrange(14, 70)
    text = random_line(rng, script, rng.randrange(3, 12))
    font = load_font(path, index, size)
    box = ImageDraw.Draw(picture).textbbox((0, 0), text, font=font)
    w, h = int(box[2] - box[0]) + size, int(box[3] - box[1]) + size
    ground, ink = [tuple(rng.randrange(256) for _ in range(3)) for _ in range(2)]
    sign = Image.new("RGBA", (w, h), (*ground, 255 if rng.random() < 0.7 else 0))
    ImageDraw.Draw(sign).text((size // 2 - box[0], size // 2 - box[1]), text, font=font, fill=(*ink, 255))
    sign = sign.rotate(rng.choice((-1, 1)) * rng.uniform(10, 40), Image.Resampling.BICUBIC, expand=True).filter(
        ImageFilter.BoxBlur(rng.uniform(0.5, 1.5))
    )
    picture = picture.copy()
    picture.paste(
        sign,
        (
            rng.randrange(-w // 2, max(1, picture.width - w // 2)),
            rng.randrange(-h // 2, max(1, picture.height - h // 2)),
        ),
        sign,
    )
    return picture


def random_scene(
    rng: random.Random, pictures: Pictures, frames: int, height: int, width: int, signs=None
) -> np.ndarray:
    """A scene [T, H, W, 3] uint8. `signs`: fonts by script; where given, a few scenes carry text of their own."""
    if rng.random() < 0.12:
        levels = [_painted(rng, height, width)]
    else:
        levels = pictures.levels(rng.choice(pictures.paths))
    signed = bool(signs) and rng.random() < SIGNS
    if signed:
        levels = [_write_sign(levels[min(1, len(levels) - 1)], rng, signs)]
    shots = _shoot(levels, rng, frames, height, width)
    if frames > 4 and rng.random() < 0.04:  # a cut
        at = rng.randrange(1, frames)
        shots[at:] = _shoot(pictures.levels(rng.choice(pictures.paths)), rng, frames - at, height, width)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        sprite = pictures.sprite(rng, rng.randrange(24, max(40, int(height * 1.2))))
        x, y = rng.uniform(-0.1, 1) * width, rng.uniform(-0.2, 0.9) * height
        vx, vy = rng.gauss(0, 2.5), rng.gauss(0, 1)
        for t, shot in enumerate(shots):
            shot.paste(sprite, (round(x + vx * t), round(y + vy * t)), sprite)
    if rng.random() < 0.12:  # out of focus, as the ground behind a speaker is
        coarse = rng.choice((2, 2, 3, 4, 6))
        shots = [shot.reduce(coarse).resize(shot.size, Image.Resampling.BICUBIC) for shot in shots]
    if rng.random() < 0.05:
        bars = rng.getrandbits(32)
        for shot in shots:
            draw_bars(random.Random(bars), shot)
    return _film(np.stack([np.asarray(s) for s in shots]), rng, mirrored=not signed and rng.random() < 0.5)


def _film(clip: np.ndarray, rng: random.Random, mirrored: bool) -> np.ndarray:
    """Exposure, its drift, grain, and darker corners; other sides and colours of the same picture."""
    gain, drift, lift = math.exp(rng.gauss(-0.05, 0.3)), rng.choice((0, 0, 0.004)), rng.gauss(0, 12)
    if rng.random() < 0.15:  # a night scene
        gain *= rng.uniform(0.15, 0.5)
    grain = rng.choice((0, 0, 0, 1.5, 3, 5))
    if mirrored:
        clip = clip[:, :, ::-1]
    if rng.random() < 0.1:
        clip = clip[..., rng.sample(range(3), 3)]
    if rng.random() < 0.07:
        clip = np.repeat(clip.mean(-1, keepdims=True).astype(np.uint8), 3, -1)
    levels = np.arange(256, dtype=np.float32)
    out = np.stack(
        [(levels * gain * (1 + drift * t) + lift).clip(0, 255).astype(np.uint8)[frame] for t, frame in enumerate(clip)]
    )
    if rng.random() < 0.04:
        y, x = (np.linspace(-1, 1, n, dtype=np.float32) ** 2 for n in clip.shape[1:3])
        out = (out * np.exp(-rng.uniform(0.3, 1.2) * (y[:, None] + x))[None, ..., None]).astype(np.uint8)
    if grain:
        noise = np.random.default_rng(rng.randrange(2**32)).standard_normal(clip.shape[:3] + (1,), dtype=np.float32)
        out = (out + grain * noise).clip(0, 255).astype(np.uint8)
    return out
