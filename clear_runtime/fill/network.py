"""What lies behind letters that no frame shows, from the picture around them: a small network over the smooth fill.

It adds to the smooth continuation (harmonic.py) what that lacks: edges that go on, and texture. A U-Net of residual
blocks without normalisation, so that a picture's brightness goes through as it is; trained by `train-nano fill`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..checkpoint import read_tensors
from ..errors import ClearError
from ..frames.precision import halves
from ..weights import FOLDER

BUNDLED = FOLDER / "nano_fill.safetensors"
WIDTHS = (32, 64, 128)
"""Channels at a half, a quarter and an eighth of the size."""
DILATIONS = (1, 2, 4, 8, 1)
"""Of the blocks at an eighth of the size: they see 240 pixels to each side."""
MULTIPLE = 8
"""Pixels that both sides of its input are multiples of."""


class _Block(nn.Module):
    """Adds two convolutions; nothing at first."""

    def __init__(self, width: int, dilation: int = 1):
        super().__init__()
        self.inner = nn.Conv2d(width, width, 3, 1, dilation, dilation)
        self.outer = nn.Conv2d(width, width, 3, 1, 1)
        nn.init.zeros_(self.outer.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.outer(F.silu(self.inner(F.silu(x))))


class FillNet(nn.Module):
    """smooth [N, 3, H, W] in 0..1, the picture with its holes filled smoothly; holes [N, 1, H, W], 1 where. Sides are
    multiples of MULTIPLE. Returns the picture with other holes, [N, 3, H, W], not clamped; outside of them it is the
    input's."""

    def __init__(self, widths: tuple[int, int, int] = WIDTHS, dilations: tuple[int, ...] = DILATIONS):
        super().__init__()
        fine, middle, coarse = widths
        self.enter = nn.Conv2d(16, fine, 3, 1, 1)
        self.fine = _Block(fine)
        self.to_middle = nn.Conv2d(fine, middle, 2, 2)
        self.middle = nn.Sequential(_Block(middle), _Block(middle))
        self.to_coarse = nn.Conv2d(middle, coarse, 2, 2)
        self.coarse = nn.Sequential(*[_Block(coarse, dilation) for dilation in dilations])
        self.from_coarse = nn.Conv2d(coarse, 4 * middle, 1)
        self.back_middle = nn.Sequential(_Block(middle), _Block(middle))
        self.from_middle = nn.Conv2d(middle, 4 * fine, 1)
        self.back_fine = nn.Sequential(_Block(fine), _Block(fine))
        self.leave = nn.Conv2d(fine, 12, 3, 1, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, smooth: Tensor, holes: Tensor) -> Tensor:
        fine = self.fine(self.enter(F.pixel_unshuffle(torch.cat([smooth - 0.5, holes], 1), 2)))
        middle = self.middle(self.to_middle(fine))
        coarse = self.coarse(self.to_coarse(middle))
        middle = self.back_middle(middle + F.pixel_shuffle(self.from_coarse(coarse), 2))
        fine = self.back_fine(fine + F.pixel_shuffle(self.from_middle(middle), 2))
        return smooth + holes * F.pixel_shuffle(self.leave(F.silu(fine)), 2).float()


class Painter:
    """A FillNet for pictures of any size, on any device."""

    def __init__(self, net: FillNet):
        # the layout in which convolutions are fastest, on a CPU too
        self.net = net.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    @torch.no_grad()
    def __call__(self, smooth: Tensor, known: Tensor) -> Tensor:
        """smooth [N, 3, h, w] in 0..1, filled smoothly where known [N, 1, h, w] bool is False -> the same shape, known
        pixels as they are. Paints no value of a channel that is beyond all known ones, so that an even picture stays
        even."""
        height, width = smooth.shape[-2:]
        pad = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
        own = F.pad(smooth.float(), pad, mode="replicate").contiguous(memory_format=torch.channels_last)
        holes = F.pad((~known).float(), pad)
        with torch.autocast(smooth.device.type, torch.bfloat16, enabled=halves(smooth.device)):
            made = self.net(own, holes)
        least, most = (
            torch.where(known, smooth, end).flatten(2) for end in (smooth.new_tensor(1.0), smooth.new_tensor(0.0))
        )
        bounds = least.amin(2)[..., None, None], most.amax(2)[..., None, None]
        return torch.where(known, smooth, made[..., :height, :width].clamp(*bounds))


def load_painter(path: Path = BUNDLED, device: str | torch.device = "cpu") -> Painter:
    """A FillNet from its file. Raises ClearError for a file that is none, or that cannot be read."""
    stored = read_tensors(path)
    with torch.device("meta"):  # first weights are drawn, and nobody else's random numbers are to be disturbed
        net = FillNet()
    if {name: value.shape for name, value in net.state_dict().items()} != {k: v.shape for k, v in stored.items()}:
        raise ClearError(f"{path.name} is no fill network. Choose one that `train-nano fill` wrote.")
    net.load_state_dict({name: value.to(device, torch.float32) for name, value in stored.items()}, assign=True)
    return Painter(net)


@lru_cache(2)
def bundled_painter(device: torch.device) -> Painter:
    """The bundled one, read once for each device."""
    return load_painter(device=device)
