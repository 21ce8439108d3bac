"""The light per-frame prior: a small U-Net that marks subtitle pixels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (24, 40, 72, 112, 144)
WIDE, CONTEXT = (24, 48, 96, 160, 224), (0, 0, 1, 2, 2)
"""A larger one, of 3.7 million parameters for 1.8 times the work: wide where the maps are small, and with dilated
convolutions there, so that what stands beside a letter helps to tell it."""
_DILATIONS = (2, 4, 1)  # of the first, second and third dilated convolution of a level
MULTIPLE = 2 ** len(WIDTHS)  # sides of the input: one unshuffle by two, then a halving between levels


class _Block(nn.Sequential):
    def __init__(self, inward: int, outward: int, stride: int = 1, dilation: int = 1):
        super().__init__(
            nn.Conv2d(inward, outward, 3, stride, dilation, dilation, bias=False),
            nn.BatchNorm2d(outward),
            nn.SiLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        conv = self[0]
        return F.silu(F.conv2d(x, *self.kernel(), conv.stride, conv.padding, conv.dilation), inplace=True)

    def kernel(self) -> tuple[Tensor, Tensor]:
        """(weight, bias) of the convolution with the normalisation as a part of it: one pass over the maps less, a
        quarter of the time on a CPU."""
        conv, norm, _ = self
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        return conv.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale


class _Enter(nn.Sequential):
    """Frames [N, 3, H, W] -> maps at half their size: sees 2x2 pixels as channels."""

    def __init__(self, width: int):
        super().__init__(nn.PixelUnshuffle(2), _Block(12, width), _Block(width, width))

    def forward(self, frames: Tensor) -> Tensor:
        if self.training:
            return super().forward(frames)
        weight, bias = self[1].kernel()
        # over the pixels themselves, in steps of two: to take them apart costs a CPU as long as to convolve them
        whole = rearrange(weight, "out (colours y x) rows columns -> out colours (rows y) (columns x)", y=2, x=2)
        return self[2](F.silu(F.conv2d(frames, whole, bias, 2, 2), inplace=True))


class _Joined(_Block):
    """Sees the maps of a level [N, a, H, W] beside those of the next coarser one [N, b, H/2, W/2], enlarged to theirs:
    each value four times."""

    def join(self, skip: Tensor, coarse: Tensor) -> Tensor:
        if self.training:
            return self(torch.cat([skip, F.interpolate(coarse, scale_factor=2.0, mode="nearest")], 1))
        weight, bias = self.kernel()
        own, others = weight.split([skip.shape[1], coarse.shape[1]], 1)
        x = F.conv2d(skip, own, bias, padding=1)
        # 3 x 3 weights over values that stand four times are sums of them over each value once: half of the time
        return F.silu(x.add_(F.conv_transpose2d(coarse, _over_pairs(others), stride=2, padding=1)), inplace=True)


def _over_pairs(weight: Tensor) -> Tensor:
    """3 x 3 weights [out, in, 3, 3] for maps of which each value stands four times, as those [in, out, 4, 4] of a
    transposed convolution in steps of two over each value once."""
    turned = weight.transpose(0, 1).flip(2, 3)
    tall = F.pad(turned, (0, 0, 1, 0)) + F.pad(turned, (0, 0, 0, 1))
    return (F.pad(tall, (1, 0)) + F.pad(tall, (0, 1))).contiguous()


class _Beside(nn.Module):
    """Adds what a dilated convolution sees; nothing at first."""

    def __init__(self, width: int, dilation: int):
        super().__init__()
        self.see = _Block(width, width, dilation=dilation)
        nn.init.zeros_(self.see[1].weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.see(x)


class LightPrior(nn.Module):
    """frames [N, 3, H, W] in 0..1, sides multiples of MULTIPLE -> logits of the subtitle mask [N, 1, H, W].

    The first layer sees 2x2 pixels as channels and the last one writes them back: strokes are two to four pixels wide,
    and half of the resolution carries them at a quarter of the cost.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS, context: tuple[int, ...] = (0,) * len(WIDTHS)):
        """widths: channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the frames' size. context: dilated convolutions at each
        of them."""
        super().__init__()
        self.widths, self.context = tuple(widths), tuple(context)
        self.enter = _Enter(widths[0])
        self.down = nn.ModuleList(nn.Sequential(_Block(a, b, 2), _Block(b, b)) for a, b in zip(widths, widths[1:]))
        self.up = nn.ModuleList(_Joined(a + b, a) for a, b in zip(widths, widths[1:]))
        self.leave = nn.Sequential(nn.Conv2d(widths[0], 4, 3, 1, 1), nn.PixelShuffle(2))
        self.beside = nn.ModuleList(
            nn.Sequential(*(_Beside(width, _DILATIONS[i % 3]) for i in range(count)))
            for width, count in zip(widths, context)
        )

    @property
    def BYTES_PER_PIXEL(self) -> int:
        """Of a frame that goes in, at the moment when most is held, in float32: the frame, all levels' maps, and in the
        last step up a map twice as large, both joined, and what comes out. So it is while it is trained; else it is
        less."""
        maps = sum(width / 4 ** (level + 1) for level, width in enumerate(self.widths))
        last = (self.widths[1] + self.widths[0] + self.widths[1] + self.widths[0]) / 4
        return round(4 * (3 + maps + last))

    @classmethod
    def of_shapes(cls, shapes: Mapping[str, tuple[int, ...]]) -> LightPrior:
        """An untrained one of the widths that a file's tensors have. Raises ValueError for shapes that no LightPrior
        has."""
        names = ["enter.1.0.weight", *(f"down.{level}.0.0.weight" for level in range(len(WIDTHS) - 1))]
        if any(len(shapes.get(name, ())) != 4 for name in names):
            raise ValueError("no light prior")
        count = lambda level: len({name.split(".")[2] for name in shapes if name.startswith(f"beside.{level}.")})
        return cls(tuple(int(shapes[name][0]) for name in names), tuple(map(count, range(len(WIDTHS)))))

    def encode(self, frames: Tensor) -> list[Tensor]:
        """The maps of every level, at 1/2, 1/4, 1/8, 1/16 and 1/32 of the frames' size."""
        features = [self.beside[0](self.enter(frames.mul(2).sub_(1)))]
        for step, beside in zip(self.down, self.beside[1:]):
            features.append(beside(step(features[-1])))
        return features

    def decode(self, features: list[Tensor]) -> Tensor:
        """Maps of every level -> logits."""
        *skips, x = features
        for step, skip in zip(reversed(self.up), reversed(skips)):
            x = step.join(skip, x)
        return self.leave(x)

    def forward(self, frames: Tensor) -> Tensor:
        return self.decode(self.encode(frames))
