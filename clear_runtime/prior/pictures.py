"""Pictures of Stage I: masks over frames, how much subtitle there is over time, and a training run's curves and examples."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

COLOURS = {"total": (235, 235, 235), "region": (255, 140, 60), "adv": (110, 190, 255), "ortho": (150, 220, 120), "recon": (225, 130, 235)}
_GROUND, _LINE, _INK = (24, 26, 30), (70, 74, 82), (200, 204, 210)
_LEFT, _BOTTOM, _TOP = 56, 26, 22  # margins of a plot, pixels


def overlay(frames: Tensor, masks: Tensor) -> Tensor:
    """Heat over the frames: [T, H, W, 3] in 0..1 and soft masks [T, H, W] -> [T, H, W, 3]. Faint marks are red, sure ones yellow."""
    soft = masks[..., None].to(frames.dtype).clamp(0, 1)
    heat = torch.cat([torch.ones_like(soft), soft, torch.zeros_like(soft)], -1)
    return frames + (heat - frames) * (0.7 * soft)


def share_plot(shares: Sequence[float], size: tuple[int, int] = (960, 240)) -> Image.Image:
    """How much of each frame is subtitle, in percent, over the frames. size: width and height in pixels."""
    percent = [100 * share for share in shares]
    top = max(1.0, max(percent, default=0) * 1.1)
    picture, draw, place = _axes(size, len(percent), 0.0, top, "% of the frame that is subtitle", "frame", "{:.1f}")
    points = [place(i, value) for i, value in enumerate(percent)]
    if points:
        draw.polygon([(points[0][0], place(0, 0)[1]), *points, (points[-1][0], place(0, 0)[1])], fill=(120, 80, 45))
        draw.line(points, fill=COLOURS["region"], width=2) if len(points) > 1 else draw.point(points, fill=COLOURS["region"])
    return picture


def curves(history: Mapping[str, Sequence[float]], size: tuple[int, int] = (640, 280)) -> Image.Image:
    """Loss curves on a logarithmic scale: name -> a value for each step, all as long."""
    longest = max(map(len, history.values()), default=0)
    logs = {name: np.log10(np.maximum(np.asarray(values, float), 1e-6)) for name, values in history.items() if len(values)}
    low, high = (min(v.min() for v in logs.values()), max(v.max() for v in logs.values())) if logs else (-1.0, 0.0)
    picture, draw, place = _axes(size, longest, low - 0.05, high + 0.05, "loss", "step", None)
    for i, (name, values) in enumerate(logs.items()):
        colour = COLOURS.get(name, _INK)
        columns = np.array_split(np.arange(len(values)), min(len(values), size[0]))  # a point is the mean of its steps
        points = [place(c.mean(), values[c].mean()) for c in columns]
        draw.line(points, fill=colour, width=2) if len(points) > 1 else draw.point(points, fill=colour)
        draw.text((_LEFT + 50 + 86 * i, 4), f"{name} {10 ** values[-1]:.3f}", fill=colour, font=_font())
    return picture


def example_panel(frame: Tensor, label: Tensor, mask: Tensor, width: int = 640) -> Image.Image:
    """A training frame [H, W, 3], its pseudo-label and the prior's mask [H, W] side by side, `width` pixels in all."""
    parts = [frame, label[..., None].expand(-1, -1, 3), overlay(frame[None], mask[None])[0]]
    row = torch.cat(parts, 1).permute(2, 0, 1)[None].float()
    height = max(1, round(row.shape[2] * width / row.shape[3]))
    return to_picture(F.interpolate(row, (height, width), mode="bilinear", antialias=True)[0].permute(1, 2, 0))


def stacked(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one width, one below the other."""
    whole = Image.new("RGB", (pictures[0].width, sum(p.height for p in pictures)), _GROUND)
    y = 0
    for picture in pictures:
        whole.paste(picture, (0, y))
        y += picture.height
    return whole


def to_picture(frame: Tensor) -> Image.Image:
    return Image.fromarray((frame.float().clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy())


def to_frames(picture: Image.Image) -> Tensor:
    """[1, H, W, 3] in 0..1."""
    return torch.from_numpy(np.asarray(picture.convert("RGB")).copy())[None].float() / 255


def _axes(size, count, low, high, title, unit, mark):
    """An empty plot of `count` places from `low` to `high`; the third thing returned gives the pixel of a place and a value."""
    width, height = size
    picture = Image.new("RGB", size, _GROUND)
    draw = ImageDraw.Draw(picture)
    right, bottom = width - 12, height - _BOTTOM

    def place(i: float, value: float) -> tuple[float, float]:
        return (_LEFT + (right - _LEFT) * i / max(1, count - 1), bottom - (bottom - _TOP) * (value - low) / max(1e-9, high - low))
    for k in range(5):
        value = low + (high - low) * k / 4
        y = place(0, value)[1]
        draw.line([(_LEFT, y), (right, y)], fill=_LINE)
        draw.text((4, y - 6), mark.format(value) if mark else f"{10 ** value:.3g}", fill=_INK, font=_font())
    draw.text((4, 4), title, fill=_INK, font=_font())
    draw.text((_LEFT, bottom + 7), "0" if count else f"no {unit}s", fill=_INK, font=_font())
    last = f"{unit} {max(0, count - 1)}"
    draw.text((right - draw.textlength(last, _font()), bottom + 7), last, fill=_INK, font=_font())
    return picture, draw, place


def _font():
    return ImageFont.load_default(12)
