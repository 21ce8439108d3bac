"""The bundled codec: 4 frames x 4 x 4 pixels to 16 channels, causal, a linear transform with a small network on top.

The factors are its own (Wan's VAE has 8 x 8): with 4 x 4 a token of the transformer covers 8 x 8 pixels, about the
width of a stroke, and the transform loses almost nothing, so that what is left to learn is the picture and not its
code.
"""

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from ...wan import CHANNELS, GROUP

SPATIAL, TEMPORAL = 4, GROUP
BLOCK = TEMPORAL * SPATIAL * SPATIAL * 3
"""Values of a block: what becomes one latent cell."""
LEAST_GAIN = 0.05
"""Of the mean: no channel is free of cost, however little it moves pixels."""


def to_blocks(frames: Tensor) -> Tensor:
    """frames [N, T, 3, H, W] in 0..1, T = 4k + 1 -> blocks [N, k + 1, 192, H/4, W/4] in -1..1; frame 0 fills a block
    alone."""
    padded = torch.cat([frames[:, :1].expand(-1, TEMPORAL - 1, -1, -1, -1), frames], 1) * 2 - 1
    return rearrange(padded, "n (t k) c (h p) (w q) -> n t (k c p q) h w", k=TEMPORAL, p=SPATIAL, q=SPATIAL)


def from_blocks(blocks: Tensor) -> Tensor:
    """The inverse of to_blocks: blocks [N, k + 1, 192, H/4, W/4] -> frames [N, 4k + 1, 3, H, W]."""
    frames = rearrange(blocks, "n t (k c p q) h w -> n (t k) c (h p) (w q)", k=TEMPORAL, p=SPATIAL, q=SPATIAL)
    return (frames[:, TEMPORAL - 1 :] + 1) / 2


class _Residual(nn.Module):
    """3x3 convolutions over a latent frame and the one before it: causal, with a memory of one step."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.inner, self.outer = nn.Conv2d(2 * width, width, 3, 1, 1), nn.Conv2d(width, width, 3, 1, 1)
        nn.init.zeros_(self.outer.weight)

    def forward(self, x: Tensor) -> Tensor:
        n = len(x)
        y = rearrange(F.silu(self.norm(rearrange(x, "n t c h w -> (n t) c h w"))), "(n t) c h w -> n t c h w", n=n)
        before = torch.cat([y[:, :1], y[:, :-1]], 1)
        y = self.inner(rearrange(torch.cat([y, before], 2), "n t c h w -> (n t) c h w"))
        return x + rearrange(self.outer(F.silu(y)), "(n t) c h w -> n t c h w", n=n)


class _Side(nn.Module):
    """One direction: out = linear(x) + share * network(x)."""

    def __init__(self, inward: int, outward: int, width: int, depth: int):
        super().__init__()
        self.linear = nn.Conv2d(inward, outward, 1)
        self.enter, self.leave = nn.Conv2d(inward, width, 3, 1, 1), nn.Conv2d(width, outward, 3, 1, 1)
        self.blocks = nn.Sequential(*[_Residual(width) for _ in range(depth)])
        nn.init.normal_(self.leave.weight, std=1e-3)  # at first it is its linear part, nearly
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor) -> Tensor:
        flat = rearrange(x, "n t c h w -> (n t) c h w")
        y = self.blocks(rearrange(self.enter(flat), "(n t) c h w -> n t c h w", n=len(x)))
        out = self.linear(flat) + self.leave(rearrange(y, "n t c h w -> (n t) c h w"))
        return rearrange(out, "(n t) c h w -> n t c h w", n=len(x))


class NanoCodecNet(nn.Module):
    """frames [N, T, 3, H, W] in 0..1 <-> latents [N, 16, t, h, w] of zero mean and unit variance by channel."""

    def __init__(
        self, encoder_width: int = 64, encoder_depth: int = 2, decoder_width: int = 96, decoder_depth: int = 4
    ):
        super().__init__()
        self.encoder = _Side(BLOCK, CHANNELS, encoder_width, encoder_depth)
        self.decoder = _Side(CHANNELS, BLOCK, decoder_width, decoder_depth)
        self.register_buffer("mean", torch.zeros(CHANNELS))
        self.register_buffer("std", torch.ones(CHANNELS))

    def encode(self, frames: Tensor) -> Tensor:
        z = rearrange(self.encoder(to_blocks(frames)), "n t c h w -> n c t h w")
        return (z - self._column(self.mean)) / self._column(self.std)

    def decode(self, latents: Tensor) -> Tensor:
        z = latents * self._column(self.std) + self._column(self.mean)
        return from_blocks(self.decoder(rearrange(z, "n c t h w -> n t c h w")))

    @staticmethod
    def _column(values: Tensor) -> Tensor:
        return values.view(1, -1, 1, 1, 1)

    @torch.no_grad()
    def gain(self) -> Tensor:
        """How strongly each latent channel moves pixels, as a weight on its squared error: [16] of mean about 1, never
        under LEAST_GAIN."""
        gain = self.decoder.linear.weight.square().sum((0, 2, 3)) * self.std.square()
        return (gain / gain.mean()).clamp_min(LEAST_GAIN)

    @torch.no_grad()
    def start_from(self, blocks: Tensor) -> None:
        """Principal components of blocks [M, 192] as both linear parts, whitened: the best linear codec is the starting
        point."""
        mean = blocks.mean(0)
        values, vectors = torch.linalg.eigh(torch.cov((blocks - mean).T.double()))
        scale, basis = values[-CHANNELS:].flip(0).sqrt().float(), vectors[:, -CHANNELS:].flip(1).float()
        down = basis.T / scale[:, None]
        self.encoder.linear.weight.copy_(down[..., None, None])
        self.encoder.linear.bias.copy_(-down @ mean)
        self.decoder.linear.weight.copy_((basis * scale)[..., None, None])
        self.decoder.linear.bias.copy_(mean)


class NanoCodec:
    """NanoCodecNet as the runtime's Codec: frames [T, H, W, 3] <-> latents [1, 16, t, h, w] in model space."""

    spatial, temporal = SPATIAL, TEMPORAL

    def __init__(self, net: NanoCodecNet, device: str | torch.device = "cpu"):
        self.net, self.device = net.eval().to(device), torch.device(device)

    @torch.inference_mode()
    def encode(self, frames: Tensor) -> Tensor:
        video = rearrange(frames.float().to(self.device), "t h w c -> 1 t c h w")
        return self.net.encode(video).cpu()

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        video = self.net.decode(latents.float().to(self.device))
        return rearrange(video.clamp_(0, 1), "1 t c h w -> t h w c").cpu()
