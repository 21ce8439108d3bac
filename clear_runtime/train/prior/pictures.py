"""Pictures of a Stage I run: its curves and examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image
from torch import Tensor

from ...media.pictures import loss_curves, overlay, row

COLOURS = {
    "total": (235, 235, 235),
    "region": (255, 140, 60),
    "adv": (110, 190, 255),
    "ortho": (150, 220, 120),
    "recon": (225, 130, 235),
}


def curves(history: Mapping[str, Sequence[float]], size: tuple[int, int] = (640, 280)) -> Image.Image:
    """Loss curves of the total and of each term: name -> a value for each step, all as long. What else a history holds
    is left out."""
    return loss_curves({name: values for name, values in history.items() if name in COLOURS}, COLOURS, size)


def example_panel(frame: Tensor, label: Tensor, mask: Tensor, width: int = 640) -> Image.Image:
    """A training frame [H, W, 3], its pseudo-label and the prior's mask [H, W] side by side, `width` pixels in all."""
    return row([frame, label[..., None].expand(-1, -1, 3), overlay(frame[None], mask[None])[0]], width)
