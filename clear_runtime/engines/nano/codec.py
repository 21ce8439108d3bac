"""The bundled codec: 4 frames x 4 x 4 pixels to 16 channels, causal, a linear transform with a small network on top.

The factors are its own (Wan's VAE has 8 x 8): with 4 x 4 a token of the transformer covers 8 x 8 pixels, about the
width of a stroke, and the transform loses almost nothing, so that what is left to learn is the picture and not its
code.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...wan import CHANNELS, GROUP

SPATIAL, TEMPORAL = 4, GROUP
BLOCK = TEMPORAL * SPATIAL * SPATIAL * 3


def to_blocks(frames: Tensor) -> Tensor:
    """frames [N, T, 3, H, W] in 0..1, T = 4k + 1 -> blocks [N, k + 1, 192, H/4, W/4] in -1..1; frame 0 fills a block
    alone."""
    padded = torch.cat([frames[:, :1].expand(-1, TEMPORAL - 1, -1, -1, -1), frames], 1) * 2 - 1
    n, t, c, h, w = padded.shape
    groups = padded.reshape(n, t // TEMPORAL, TEMPORAL * c, h, w)
    return F.pixel_unshuffle(groups.flatten(0, 1), SPATIAL).unflatten(0, (n, -1))


def from_blocks(blocks: Tensor) -> Tensor:
    n, t = blocks.shape[:2]
    groups = F.pixel_shuffle(blocks.flatten(0, 1), SPATIAL)
    frames = groups.reshape(n, t * TEMPORAL, 3, *groups.shape[-2:])
    return (frames[:, TEMPORAL - 1 :] + 1) / 2


class _Residual(nn.Module):
    """3x3 convolutions over a latent frame and the one before it: causal, with a memory of one step."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.inner, self.outer = nn.Conv2d(2 * width, width, 3, 1, 1), nn.Conv2d(width, width, 3, 1, 1)
        nn.init.zeros_(self.outer.weight)

    def forward(self, x: Tensor) -> Tensor:
        n, t = x.shape[:2]
        y = F.silu(self.norm(x.flatten(0, 1))).unflatten(0, (n, t))
        before = torch.cat([y[:, :1], y[:, :-1]], 1)
        y = self.inner(torch.cat([y, before], 2).flatten(0, 1))
        return x + self.outer(F.silu(y)).unflatten(0, (n, t))


class _Side(nn.Module):
    """One direction: out = linear(x) + share * network(x)."""

    def __init__(self, inward: int, outward: int, width: int, depth: int):
        super().__init__()
        self.linear = nn.Conv2d(inward, outward, 1)
        self.enter, self.leave = nn.Conv2d(inward, width, 3, 1, 1), nn.Conv2d(width, outward, 3, 1, 1)
        self.blocks = nn.Sequential(*[_Residual(width) for _ in range(depth)])
        nn.init.normal_(self.leave.weight, std=1e-3)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[0]
        flat = x.flatten(0, 1)
        y = self.blocks(self.enter(flat).unflatten(0, (n, -1))).flatten(0, 1)
        return (self.linear(flat) + self.leave(y)).unflatten(0, (n, -1))


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
        z = self.encoder(to_blocks(frames)).transpose(1, 2)
        return (z - self._column(self.mean)) / self._column(self.std)

    def decode(self, latents: Tensor) -> Tensor:
        z = latents * self._column(self.std) + self._column(self.mean)
        return from_blocks(self.decoder(z.transpose(1, 2)))

    @staticmethod
    def _column(values: Tensor) -> Tensor:
        return values.view(1, -1, 1, 1, 1)

    @torch.no_grad()
    def gain(self) -> Tensor:
        """How strongly each latent channel moves pixels, as a weight on its squared error: [16] of mean about 1, never
        under 0.05."""
        gain = self.decoder.linear.weight.square().sum((0, 2, 3)) * self.std.square()
        return (gain / gain.mean()).clamp_min(0.05)

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
        return self.net.encode(frames.float().to(self.device).permute(0, 3, 1, 2)[None]).cpu()

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        frames = self.net.decode(latents.float().to(self.device))[0]
        return frames.permute(0, 2, 3, 1).clamp(0, 1).cpu()
