"""Pictures of Stage I: how much subtitle there is over time, and a training run's curves and examples."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image
from torch import Tensor

from ..pictures import axes, loss_curves, overlay, row

COLOURS = {"total": (235, 235, 235), "region": (255, 140, 60), "adv": (110, 190, 255), "ortho": (150, 220, 120), "recon": (225, 130, 235)}

_TOPS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 14.0, 20.0, 30.0, 40.0, 60.0, 80.0, 100.0)  # per cent at a plot's upper edge: quarters of them have few digits


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
        draw.line(points, fill=COLOURS["region"], width=2)
    return picture


def curves(history: Mapping[str, Sequence[float]], size: tuple[int, int] = (640, 280)) -> Image.Image:
    """Loss curves of the total and of each term: name -> a value for each step, all as long. What else a history holds is left out."""
    return loss_curves({name: values for name, values in history.items() if name in COLOURS}, COLOURS, size)


def example_panel(frame: Tensor, label: Tensor, mask: Tensor, width: int = 640) -> Image.Image:
    """A training frame [H, W, 3], its pseudo-label and the prior's mask [H, W] side by side, `width` pixels in all."""
    return row([frame, label[..., None].expand(-1, -1, 3), overlay(frame[None], mask[None])[0]], width)
