"""What pictures of both stages share: heat over frames, plots, and the way between pictures and tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from ..atomic import WholeFile
from ..errors import ClearError

GROUND, LINE, INK = (24, 26, 30), (70, 74, 82), (200, 204, 210)
"""Colours of a plot's background, of its lines and of its letters, dark as ComfyUI's canvas is."""
SHARE = (255, 140, 60)
"""Colour of the curve of how much is marked."""
LEFT, BOTTOM, TOP, _RIGHT = 56, 26, 30, 12  # margins of a plot, pixels
LETTERS = 12  # pixels of an em in plots
_TINY = 1e-6  # a loss of 0 has no logarithm
DECADES = 4
"""Of a loss plot, at most: an example without a subtitle has next to no loss, and would press all else together."""

_TOPS = (
    1.0,
    2.0,
    3.0,
    4.0,
    5.0,
    6.0,
    8.0,
    10.0,
    14.0,
    20.0,
    30.0,
    40.0,
    60.0,
    80.0,
    100.0,
)  # per cent at a plot's upper edge: quarters of them have few digits

Place = Callable[[float, float], tuple[float, float]]


def overlay(frames: Tensor, masks: Tensor) -> Tensor:
    """Heat over the frames: [T, H, W, 3] in 0..1 and soft masks [T, H, W] -> [T, H, W, 3]. Faint marks are red, sure
    ones yellow."""
    soft = masks[..., None].to(frames.dtype).clamp(0, 1)
    heat = torch.cat([torch.ones_like(soft), soft, torch.zeros_like(soft)], -1)
    return frames + (heat - frames) * (0.7 * soft)


def mask_picture(path: Path) -> Tensor:
    """A picture as a mask [1, H, W] in 0..1: how bright each pixel is, over black. Raises ClearError for a file that is
    none."""
    try:
        with Image.open(path) as picture:
            drawn = picture.convert("RGBA")
    except OSError as error:
        raise ClearError(
            f"{path} cannot be read as a picture ({error}). Give a PNG that is white where it shall hold."
        ) from error
    over_black = Image.alpha_composite(Image.new("RGBA", drawn.size, "black"), drawn)
    return torch.from_numpy(np.array(over_black.convert("L"), dtype=np.float32) / 255)[None]


def row(parts: Sequence[Tensor], width: int) -> Image.Image:
    """Frames [H, W, 3] of one size side by side, `width` pixels in all."""
    joined = rearrange(list(parts), "part h w c -> 1 c h (part w)").float()
    height = max(1, round(joined.shape[2] * width / joined.shape[3]))
    small = F.interpolate(joined, (height, width), mode="bilinear", antialias=True)
    return to_picture(rearrange(small, "1 c h w -> h w c"))


def loss_curves(
    history: Mapping[str, Sequence[float | None]],
    colours: Mapping[str, tuple[int, int, int]],
    size: tuple[int, int] = (640, 280),
) -> Image.Image:
    """Loss curves on a logarithmic scale: name -> a value for each step, all as long; a step without one (None, NaN)
    leaves a gap. Bold, and as the number behind a name: the mean of the last twentieth of the steps; faint behind it
    the steps themselves, which jump from example to example."""
    longest = max(map(len, history.values()), default=0)
    steps = {name: np.maximum(numbers(values), _TINY) for name, values in history.items() if len(values)}
    means = {name: trailing_mean(values, max(1, longest // 20)) for name, values in steps.items()}
    known = {name: values[np.isfinite(values)] for name, values in means.items()}
    some = [values for values in known.values() if len(values)]
    low, high = (np.log10([min(v.min() for v in some), max(v.max() for v in some)])) if some else (-1.0, 0.0)
    low, high = max(low, high - DECADES) - 0.1, high + 0.1
    picture, draw, place = axes(size, longest, low, high, "loss", "step", None, first=1)
    for name, values in steps.items():
        draw_line(draw, place, np.log10(values).clip(low, high), mixed(colours.get(name, INK), GROUND, 0.7), size[0], 1)
    for i, (name, values) in enumerate(means.items()):
        colour = colours.get(name, INK)
        draw_line(draw, place, np.log10(values).clip(low, high), colour, size[0])
        draw.text(
            (LEFT + 50 + 86 * i, 4),
            f"{name} {known[name][-1]:.3f}" if len(known[name]) else name,
            fill=colour,
            font=font(),
        )
    return picture


def numbers(values: Sequence[float | None]) -> np.ndarray:
    """Values as floats; NaN for each that is missing (None) or no finite number."""
    found = np.array([np.nan if value is None else value for value in values], float)
    return np.where(np.isfinite(found), found, np.nan)


def trailing_mean(values: np.ndarray, span: int) -> np.ndarray:
    """The mean of each value and those before it, `span` in all, or as many as there are; NaN where the value itself is
    NaN."""
    known = np.isfinite(values)
    sums, counts = (np.concatenate([[0.0], np.cumsum(of)]) for of in (np.where(known, values, 0.0), known))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - span)
    return np.where(known, (sums[ends] - sums[starts]) / np.maximum(1, counts[ends] - counts[starts]), np.nan)


def mixed(colour: tuple[int, int, int], other: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    """A colour with `share` of another in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other))
    return red, green, blue


def draw_line(
    draw: ImageDraw.ImageDraw, place: Place, values: np.ndarray, colour: tuple[int, int, int], most: int, width: int = 2
) -> None:
    """One curve of at most `most` points, `width` pixels wide; where there are more steps, a point is the mean of its
    own. It is broken where values are NaN, and a point with no neighbour is a dot."""
    columns = np.array_split(np.arange(len(values)), min(len(values), most))
    known = [c[np.isfinite(values[c])] for c in columns]
    for there, run in groupby(zip(columns, known), lambda pair: len(pair[1]) > 0):
        if not there:
            continue
        points = [place(c.mean(), values[k].mean()) for c, k in run]
        if len(points) > 1:
            draw.line(points, fill=colour, width=width)
        else:
            draw_dot(draw, points[0], colour, width)


def draw_dot(
    draw: ImageDraw.ImageDraw, point: tuple[float, float], colour: tuple[int, int, int], radius: int = 2
) -> None:
    x, y = point
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def axes(
    size: tuple[int, int],
    count: int,
    low: float,
    high: float,
    title: str,
    unit: str,
    mark: str | None,
    lines: int = 5,
    first: int = 0,
) -> tuple[Image.Image, ImageDraw.ImageDraw, Place]:
    """An empty plot of `count` places from `low` to `high`; the third thing returned gives the pixel of a place and a
    value.

    mark: how a value is written at its line, None for a power of ten. unit: what a place is; empty for no row of places
    below. first: what the first place is called.
    """
    width, height = size
    picture = Image.new("RGB", size, GROUND)
    draw = ImageDraw.Draw(picture)
    right, bottom = width - _RIGHT, height - (BOTTOM if unit else 8)

    def place(i: float, value: float) -> tuple[float, float]:
        return (
            LEFT + (right - LEFT) * i / max(1, count - 1),
            bottom - (bottom - TOP) * (value - low) / max(1e-9, high - low),
        )

    for k in range(lines):
        value = low + (high - low) * k / (lines - 1)
        y = place(0, value)[1]
        draw.line([(LEFT, y), (right, y)], fill=LINE)
        draw.text((4, y - 6), mark.format(value) if mark else f"{10**value:.3g}", fill=INK, font=font())
    draw.text((4, 4), title, fill=INK, font=font())
    if unit:
        last = f"{unit} {first + count - 1}"
        names = [f"no {unit}s"] if not count else [last] if count == 1 else [str(first), last]
        draw.text((LEFT, bottom + 7), names[0], fill=INK, font=font())
        for name in names[1:]:
            draw.text((right - draw.textlength(name, font()), bottom + 7), name, fill=INK, font=font())
    return picture, draw, place


def stacked(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one width, one below the other."""
    whole = Image.new("RGB", (pictures[0].width, sum(p.height for p in pictures)), GROUND)
    y = 0
    for picture in pictures:
        whole.paste(picture, (0, y))
        y += picture.height
    return whole


def to_picture(frame: Tensor) -> Image.Image:
    return Image.fromarray((frame.float().clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy())


def to_preview(frame: Tensor, side: int) -> Image.Image:
    """A frame [H, W, 3] no larger than `side` pixels, and at least a pixel on each side: of one that is a thousand
    times as wide as high nothing would be left."""
    picture = to_picture(frame)
    scale = min(1.0, side / max(picture.size))
    width, height = (max(1, round(one * scale)) for one in picture.size)
    return picture.resize((width, height), Image.Resampling.BILINEAR)


def write_picture(path: Path, picture: Image.Image) -> None:
    """Write a PNG that appears under its name only when it is whole. Raises OSError where the disk does not take it."""
    with WholeFile(path) as part:
        picture.save(part, "PNG")


def to_frames(picture: Image.Image) -> Tensor:
    """[1, H, W, 3] in 0..1."""
    return torch.from_numpy(np.asarray(picture.convert("RGB")).copy())[None].float() / 255


def font():
    return ImageFont.load_default(LETTERS)


def share_plot(shares: Sequence[float], size: tuple[int, int] = (960, 240)) -> Image.Image:
    """How much of each frame is subtitle, in percent, over the frames. size: width and height in pixels."""
    percent = [100 * share for share in shares]
    top = next((top for top in _TOPS if top >= 1.1 * max(percent, default=0)), _TOPS[-1])
    picture, draw, place = axes(size, len(percent), 0.0, top, "% of the frame that is subtitle", "frame", "{:g}")
    points = [place(i, value) for i, value in enumerate(percent)]
    if len(points) == 1:  # a frame alone has no line to be drawn: its value goes over the whole width
        points.append(place(1, percent[0]))
    if points:
        draw.polygon([(points[0][0], place(0, 0)[1]), *points, (points[-1][0], place(0, 0)[1])], fill=(120, 80, 45))
        draw.line(points, fill=SHARE, width=2)
    return picture
