"""The light per-frame prior: a small U-Net that marks subtitle pixels."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (24, 40, 72, 112, 144)
MULTIPLE = 2 ** len(WIDTHS)  # sides of the input: one unshuffle by two, then a halving between levels


class _Block(nn.Sequential):
    def __init__(self, inward: int, outward: int, stride: int = 1):
        super().__init__(
            nn.Conv2d(inward, outward, 3, stride, 1, bias=False), nn.BatchNorm2d(outward), nn.SiLU(inplace=True)
        )


class LightPrior(nn.Module):
    """frames [N, 3, H, W] in 0..1, sides multiples of MULTIPLE -> logits of the subtitle mask [N, 1, H, W].

    The first layer sees 2x2 pixels as channels and the last one writes them back: strokes are two to four pixels wide,
    and half of the resolution carries them at a quarter of the cost.
    """

    BYTES_PER_PIXEL = 180
    """Of a frame that goes in, at the moment when most is held, in float32: counted from the shapes of all layers'
    tensors."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS):
        super().__init__()
        self.enter = nn.Sequential(nn.PixelUnshuffle(2), _Block(12, widths[0]), _Block(widths[0], widths[0]))
        self.down = nn.ModuleList(nn.Sequential(_Block(a, b, 2), _Block(b, b)) for a, b in zip(widths, widths[1:]))
        self.up = nn.ModuleList(_Block(a + b, a) for a, b in zip(widths, widths[1:]))
        self.leave = nn.Sequential(nn.Conv2d(widths[0], 4, 3, 1, 1), nn.PixelShuffle(2))

    def encode(self, frames: Tensor) -> list[Tensor]:
        """The maps of every level, at 1/2, 1/4, 1/8, 1/16 and 1/32 of the frames' size."""
        features = [self.enter(frames * 2 - 1)]
        for step in self.down:
            features.append(step(features[-1]))
        return features

    def decode(self, features: list[Tensor]) -> Tensor:
        """Maps of every level -> logits."""
        *skips, x = features
        for step, skip in zip(reversed(self.up), reversed(skips)):
            x = step(torch.cat([skip, F.interpolate(x, scale_factor=2.0, mode="nearest")], 1))
        return self.leave(x)

    def forward(self, frames: Tensor) -> Tensor:
        return self.decode(self.encode(frames))
