"""Stage I as it is trained: the prior, and beside it what takes the content out of it and is thrown away afterwards."""
from typing import NamedTuple

from torch import Tensor, nn
from torch.func import functional_call

from .light import LightPrior

EIGHTH = 2
"""Which of a prior's maps is F_sub: the one at 1/8 of the frame's size. Both priors list theirs from 1/2 downwards."""


class Outputs(NamedTuple):
    """What the losses need. f_sub, f_content [N, C, H/8, W/8]; logits [N, 1, H, W]; reconstruction [N, 3, H, W] in 0..1;
    leak, confusion [N, 1, H/8, W/8]: see losses.adv."""
    f_sub: Tensor
    f_content: Tensor
    logits: Tensor
    reconstruction: Tensor
    leak: Tensor
    confusion: Tensor


class StageOne(nn.Module):
    """Subtitled frames [N, 3, H, W] in 0..1, sides multiples of 32 -> Outputs.

    prior: E_sub and the mask decoder, with `encode(frames) -> maps` and `decode(maps) -> logits`; this is what is kept.
    content: E_content, frames -> F_content, as many channels as F_sub has.
    """

    def __init__(self, prior: nn.Module, content: nn.Module, channels: int):
        super().__init__()
        self.prior, self.content = prior, content
        self.reconstruct, self.discriminator = _Reconstruct(channels), _discriminator(channels)

    def forward(self, frames: Tensor) -> Outputs:
        maps, f_content = self.prior.encode(frames), self.content(frames)
        fixed = {name: value.detach() for name, value in self.discriminator.named_parameters()}
        return Outputs(maps[EIGHTH], f_content, self.prior.decode(maps), self.reconstruct(f_content),
                       self.discriminator(f_content.detach()), functional_call(self.discriminator, fixed, (f_content,)))


def light_stage_one(prior: LightPrior | None = None) -> StageOne:
    """A light prior, a new one where none is given, with a content encoder of its size."""
    prior = prior or LightPrior()
    channels = prior.widths[EIGHTH]
    return StageOne(prior, _LightContent(channels), channels)


def _conv(inward: int, outward: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inward, outward, 3, stride, 1, bias=False), nn.GroupNorm(8, outward), nn.SiLU(inplace=True))


class _LightContent(nn.Sequential):
    def __init__(self, channels: int):
        super().__init__(nn.PixelUnshuffle(2), _conv(12, 32), _conv(32, 48, 2), _conv(48, 64, 2), _conv(64, 64), nn.Conv2d(64, channels, 1))

    def forward(self, frames: Tensor) -> Tensor:
        return super().forward(frames * 2 - 1)


class _Reconstruct(nn.Sequential):
    """F_content alone -> the clean frame: no skips, or it would copy what it should paint over."""

    def __init__(self, channels: int):
        steps, width = [], channels
        for _ in range(3):
            narrower = max(16, width // 2 // 8 * 8)
            steps += [_conv(width, narrower), nn.Upsample(scale_factor=2, mode="nearest")]
            width = narrower
        super().__init__(*steps, nn.Conv2d(width, 3, 3, 1, 1), nn.Sigmoid())


def _discriminator(channels: int) -> nn.Sequential:
    """Reads the mask from F_content, as logits at 1/8. Without normalisation: it judges each frame by itself."""
    return nn.Sequential(nn.Conv2d(channels, 64, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(64, 64, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(64, 1, 1))
