"""Drawn scenes for specimens: textured pictures under a moving camera, still ones, cartoons, a street behind a railing,
a room, a letterboxed picture; and the demo clip. Each is a function of its seed -> [T, H, W, 3] uint8."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ....errors import ClearError
from ....media.video import read_frames

DEMO = Path(__file__).resolve().parents[4] / "assets" / "demo" / "bunny_clean.mp4"
GRAIN = 1.3  # levels of 255 by which a camera's pixels differ from frame to frame
Colour = tuple[int, int, int]
PARK: tuple[Colour, ...] = ((150, 180, 205), (96, 128, 74), (60, 84, 46), (128, 104, 76))
EVENING: tuple[Colour, ...] = ((58, 44, 70), (120, 70, 60), (36, 40, 58), (170, 110, 70))
SNOW: tuple[Colour, ...] = ((226, 232, 238), (205, 214, 224), (240, 240, 238), (188, 198, 206))
TOWN: tuple[Colour, ...] = ((140, 132, 124), (104, 96, 96), (168, 150, 128), (84, 92, 104))


class Size(NamedTuple):
    """Of a clip: frames, and pixels."""

    frames: int
    height: int
    width: int


def octaves(rng: np.random.Generator, height: int, width: int, coarsest: int = 4, levels: int = 6) -> np.ndarray:
    """Noise of ever finer grain [height, width], mean 0, about -1 to 1."""
    out = np.zeros((height, width), np.float32)
    for n in range(levels):
        cells = coarsest * 2**n
        grid = rng.standard_normal((cells + 2, max(2, cells * width // height) + 2)).astype(np.float32)
        fine = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
        out += np.asarray(fine) * 0.55**n
    return out * 0.45


def picture(seed: str, height: int, width: int, colours: Sequence[Colour] = PARK, busy: float = 1.0) -> Image.Image:
    """A landscape of sorts: a sky that darkens, ground, rounded things with light and shade, noise over all of it.
    busy: how strong the noise is."""
    draws, noise = random.Random(seed), np.random.default_rng(list(seed.encode()))
    sky, ground, dark, other = (np.array(c, np.float32) for c in colours)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    skyline = 0.42 + 0.08 * octaves(noise, 8, width, 3, 4)[:1]
    below = np.clip((y - skyline) * height / 4 + 0.5, 0, 1)[..., None]
    canvas = (sky * (1.08 - 0.3 * y[..., None])) * (1 - below) + (ground * (1.1 - 0.35 * y[..., None])) * below
    shapes = Image.fromarray(canvas.clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(shapes)
    for n in range(16):
        x, foot = draws.uniform(-0.05, 1.0) * width, draws.uniform(0.4, 1.05) * height
        size = draws.uniform(0.05, 0.22) * height * (0.5 + foot / height)
        base = dark if n % 2 else other
        for step in range(8):
            tone = tuple(int(v) for v in (base * (0.75 + 0.08 * step)).clip(0, 255))
            r = size * (1 - step / 9)
            pen.ellipse((x - r, foot - size - r * 0.9, x + r * draws.uniform(0.9, 1.3), foot - size + r), fill=tone)
    soft = np.asarray(shapes.filter(ImageFilter.GaussianBlur(height / 240)), np.float32)
    grain = octaves(noise, height, width)[..., None] * (26 * busy) + octaves(noise, height, width, 48, 3)[..., None] * (
        14 * busy
    )
    return Image.fromarray((soft + grain).clip(0, 255).astype(np.uint8))


def still(
    seed: str, size: Size, colours: Sequence[Colour] = PARK, busy: float = 1.0, grain: float = GRAIN
) -> np.ndarray:
    """One picture for all frames. grain: 0 for a slide."""
    return grainy(np.stack([np.asarray(picture(seed, *size[1:], colours, busy))] * size.frames), grain)


def pan(
    seed: str, size: Size, colours: Sequence[Colour] = PARK, busy: float = 1.0, speed: float = 0.004, shake: float = 0.0
) -> np.ndarray:
    """A camera that moves to the right. speed, shake: of the width, for each frame."""
    draws, (frames, height, width) = random.Random(seed), size
    far = int(abs(speed) * width * frames + 8 * shake * width) + 8
    whole = picture(seed, height + 16, width + far, colours, busy)
    out = []
    for t in range(frames):
        x = speed * width * t + draws.gauss(0, 1) * shake * width + (4 * shake * width)
        y = 8 + draws.gauss(0, 1) * shake * width * 0.5
        x, y = min(max(x, 0.0), far - 1.0), min(max(y, 0.0), 15.0)
        out.append(np.asarray(shifted(whole, x, y, width, height)))
    return grainy(np.stack(out))


def shifted(whole: Image.Image, x: float, y: float, width: int, height: int) -> Image.Image:
    """The part of a picture at a place between its pixels."""
    return whole.transform((width, height), Image.Transform.AFFINE, (1, 0, x, 0, 1, y), Image.Resampling.BILINEAR)


def grainy(clip: np.ndarray, grain: float = GRAIN, seed: int = 7) -> np.ndarray:
    """Frames with the noise of a camera, other noise in each."""
    if not grain:
        return clip
    noise = np.random.default_rng(seed)
    grey = lambda: noise.standard_normal((*clip.shape[1:3], 1), dtype=np.float32) * grain
    return np.stack([(frame + grey()).clip(0, 255).astype(np.uint8) for frame in clip])


def cartoon(seed: str, size: Size) -> np.ndarray:
    """A room in flat colours with black outlines, in which a head nods now and then, as cartoons are animated: every
    third frame is a new one."""
    draws, (frames, height, width) = random.Random(seed), size
    ink, edge = (28, 24, 34), max(1, round(height / 120))
    wall, floor = (236, 206, 160), (150, 96, 74)
    out: list[np.ndarray] = []
    for t in range(frames):
        if t % 3:
            out.append(out[-1])
            continue
        page = Image.new("RGB", (width, height), wall)
        pen = ImageDraw.Draw(page)
        pen.rectangle((0, 0.72 * height, width, height), fill=floor, outline=ink, width=edge)
        window = (0.08 * width, 0.12 * height, 0.34 * width, 0.5 * height)
        pen.rectangle(window, fill=(132, 196, 232), outline=ink, width=edge)
        pen.line((0.21 * width, window[1], 0.21 * width, window[3]), fill=ink, width=edge)
        nod = draws.uniform(-0.01, 0.01) * height
        x, y, r = 0.58 * width, 0.42 * height + nod, 0.16 * height
        pen.rounded_rectangle(
            (x - 1.3 * r, y + r, x + 1.3 * r, height), r, fill=(70, 110, 190), outline=ink, width=edge
        )
        pen.ellipse((x - r, y - r, x + r, y + r), fill=(250, 214, 180), outline=ink, width=edge)
        pen.pieslice((x - 1.1 * r, y - 1.2 * r, x + 1.1 * r, y + 0.6 * r), 180, 360, fill=(82, 48, 30), outline=ink)
        for eye in (-0.4, 0.4):
            pen.ellipse((x + eye * r - 0.12 * r, y - 0.1 * r, x + eye * r + 0.12 * r, y + 0.2 * r), fill=ink)
        pen.arc((x - 0.4 * r, y + 0.1 * r, x + 0.4 * r, y + 0.6 * r), 20, 160, fill=ink, width=edge)
        out.append(np.asarray(page))
    return np.stack(out)


def cut(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Half of one scene, then half of another."""
    middle = len(before) // 2
    return np.concatenate([before[:middle], after[middle:]])


def street(seed: str, size: Size, speed: float = 0.012) -> np.ndarray:
    """What a camera sees that follows a skater: a row of houses, and in front of it a railing that passes faster. There
    is no lettering in it."""
    draws, (frames, height, width) = random.Random(seed), size
    houses = picture(seed, height + 8, round(width * (1.2 + speed * frames)), TOWN, 0.8)
    pen, x = ImageDraw.Draw(houses), 0.0
    while x < houses.width:
        wide, top = draws.uniform(0.2, 0.4) * width, draws.uniform(0.05, 0.25) * height
        tone = tuple(round(c * draws.uniform(0.8, 1.1)) for c in draws.choice(TOWN))
        pen.rectangle((x, top, x + wide, 0.62 * height), fill=tone)
        for i in range(int(wide / (0.06 * width))):
            for j in range(4):
                left, high = x + (0.3 + i) * 0.06 * width, top + (0.06 + 0.11 * j) * height
                pen.rectangle((left, high, left + 0.03 * width, high + 0.07 * height), (38, 44, 56), (190, 190, 186))
        x += wide
    houses = houses.filter(ImageFilter.GaussianBlur(height / 300))
    railing = Image.new("RGBA", (round(width * (1.2 + 2 * speed * frames)), height), (0, 0, 0, 0))
    bars, step, thick = ImageDraw.Draw(railing), 0.022 * width, max(1, round(0.006 * width))
    for k in range(int(railing.width / step) + 1):
        bars.line((k * step, 0.6 * height, k * step, 0.86 * height), fill=(30, 30, 34, 255), width=thick)
    for y in (0.6, 0.66, 0.86):
        bars.line((0, y * height, railing.width, y * height), fill=(214, 214, 210, 255), width=thick + 1)
    out = []
    for t in range(frames):
        shake = (draws.gauss(0, 0.0012) * width, 4 + draws.gauss(0, 0.003) * height)
        x = speed * width * t
        frame = shifted(houses, max(0.0, x + shake[0]), shake[1], width, height).convert("RGBA")
        frame.alpha_composite(shifted(railing, 2 * x, 0, width, height))
        pen, body = ImageDraw.Draw(frame), (0.45 + 0.05 * np.sin(t / 9)) * width
        pen.ellipse((body, 0.4 * height, body + 0.07 * height, 0.47 * height), fill=(206, 160, 130))
        pen.rounded_rectangle((body - 0.02 * width, 0.47 * height, body + 0.06 * width, 0.8 * height), 8, (160, 40, 44))
        out.append(np.asarray(frame.convert("RGB")))
    return grainy(np.stack(out))


def room(seed: str, size: Size) -> np.ndarray:
    """A studio with a still camera: a wall, a table before it, and a speaker whose head moves a little."""
    draws, (frames, height, width) = random.Random(seed), size
    noise = octaves(np.random.default_rng(list(seed.encode())), height, width)[..., None]
    out = []
    for t in range(frames):
        page = Image.new("RGB", (width, height), (44, 52, 74))
        pen = ImageDraw.Draw(page)
        for k in range(6):
            x = k * width / 6
            pen.rectangle((x, 0, x + width / 12, 0.62 * height), fill=(50, 60, 86))
        lean = 0.012 * width * np.sin(t / 7 + draws.uniform(0, 0.1))
        x, y, r = 0.5 * width + lean, 0.36 * height, 0.11 * height
        pen.rounded_rectangle((x - 2 * r, y + r, x + 2 * r, height), r, fill=(36, 38, 44))
        pen.polygon([(x - 0.5 * r, y + r), (x + 0.5 * r, y + r), (x, y + 2.2 * r)], fill=(228, 228, 230))
        pen.ellipse((x - 0.8 * r, y - 1.05 * r, x + 0.8 * r, y + 1.05 * r), fill=(214, 170, 142))
        pen.pieslice((x - 0.9 * r, y - 1.25 * r, x + 0.9 * r, y + 0.5 * r), 180, 360, fill=(50, 38, 32))
        pen.rectangle((0, 0.72 * height, width, height), fill=(126, 84, 54))
        pen.rectangle((0, 0.72 * height, width, 0.735 * height), fill=(170, 120, 82))
        soft = np.asarray(page.filter(ImageFilter.GaussianBlur(height / 300)), np.float32)
        out.append((soft + 6 * noise).clip(0, 255).astype(np.uint8))
    return grainy(np.stack(out))


def letterboxed(clip: np.ndarray, share: float = 0.12) -> np.ndarray:
    """Black bars above and below, each of this share of the height."""
    bar, out = round(share * clip.shape[1]), clip.copy()
    out[:, :bar] = out[:, -bar:] = 0
    return out


def demo(size: Size) -> np.ndarray:
    """The bundled film, clean. Raises ClearError where the file is missing."""
    if not DEMO.is_file():
        raise ClearError(f"The demo clip is missing ({DEMO.name}). Take the folder assets/demo from the repository.")
    frames = [Image.fromarray((f * 255).round().byte().numpy()) for f in islice(read_frames(DEMO), size.frames)]
    return np.stack([np.asarray(f.resize((size.width, size.height), Image.Resampling.BILINEAR)) for f in frames])
