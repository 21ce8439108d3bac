"""Training scenes made where the network is trained: on a GPU they cost a few milliseconds a batch, so that a card need
not wait for processes that draw.

Pictures lie on the device; text was drawn before (layers.py) and lies there too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

LONG_SIDE = 1280
"""Pixels of a picture's longer side."""
ZOOM = (0.5, 2.2)
"""Pixels of a picture that become one of a scene: from twice enlarged, as upscaled video is, to sharp."""
GRAIN = 0.012
"""Largest deviation of a camera's noise."""
FAINT = 0.05
"""Opacity of a fading text from which it counts."""
BLOCK = 8
"""Pixels of a coder's block."""
COARSE = (0.01, 0.25)
"""Steps in which a coder rounds a block's values, from hardly seen to blocky."""
_LUMA = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


class Album:
    """Pictures on a device, to cut scenes from. Draws from torch's own generator of the CPU."""

    def __init__(self, files: Sequence[Path], device: torch.device):
        self.device = device
        self.pictures = [self._read(file) for file in files]

    def _read(self, file: Path) -> Tensor:
        with Image.open(file) as picture:
            rgb = picture.convert("RGB")
        rgb.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
        return torch.from_numpy(np.array(rgb)).permute(2, 0, 1).to(self.device)

    def scenes(self, count: int, height: int, width: int) -> Tensor:
        """Parts of random pictures at random scales, mirrored or not, brighter or darker, [count, 3, height, width] in
        0..1."""
        made = torch.stack([self._part(height, width) for _ in range(count)])
        gain, lift = 1 + 0.25 * _spread(count, self.device), 0.12 * _spread(count, self.device)
        return ((made - 0.5) * gain + 0.5 + lift).clamp(0, 1)

    def _part(self, height: int, width: int) -> Tensor:
        picture = self.pictures[int(torch.randint(len(self.pictures), ()))]
        rows, columns = picture.shape[1:]
        zoom = ZOOM[0] * (ZOOM[1] / ZOOM[0]) ** float(torch.rand(()))
        zoom = min(zoom, rows / height, columns / width)
        h, w = max(2, int(zoom * height)), max(2, int(zoom * width))
        top, left = int(torch.randint(rows - h + 1, ())), int(torch.randint(columns - w + 1, ()))
        part = picture[None, :, top : top + h, left : left + w].float() / 255
        part = F.interpolate(part, (height, width), mode="bicubic", antialias=zoom > 1)[0]
        return part.flip(2) if torch.rand(()) < 0.5 else part


def moving(pictures: Album, count: int, frames: int, height: int, width: int) -> Tensor:
    """Scenes under a moving camera, a part of them with a second one in front that moves otherwise,
    [count, frames, 3, height, width]."""
    far = _filmed(pictures, count, frames, height, width)
    near = _filmed(pictures, count, frames, height, width)
    hills = F.interpolate(torch.rand(count, 1, 3, 5, device=far.device), (height, width), mode="bicubic")[:, None]
    front = (hills > 0.62) & (torch.rand(count, device=far.device) < 0.3).view(-1, 1, 1, 1, 1)
    return torch.where(front, near, far)


def _filmed(pictures: Album, count: int, frames: int, height: int, width: int) -> Tensor:
    device = pictures.device
    wide = pictures.scenes(count, round(1.5 * height), round(1.5 * width))
    pace = torch.where(torch.rand(count, 1, device=device) < 0.35, 0.0, 1.0)  # a third of the shots stand still
    at = torch.arange(frames, device=device) - frames / 2
    speed = pace * torch.tensor([0.004, 0.008, 0.02, 0.04], device=device)[torch.randint(4, (count, 1))]
    shake = pace * 0.004 * (torch.rand(count, 1, device=device) < 0.3)
    # a frame is two units wide in the sampler's coordinates
    across = speed * torch.randn(count, 1, device=device) * at + shake * torch.randn(count, frames, device=device)
    down = speed * torch.randn(count, 1, device=device) * at + shake * torch.randn(count, frames, device=device)
    zoom = (pace * 0.0025 * torch.randn(count, 1, device=device) * at).exp() / 1.5
    turn = pace * 0.002 * torch.randn(count, 1, device=device) * at
    flat = width / height
    rows = [
        torch.stack([zoom * turn.cos(), -zoom * turn.sin() / flat, across.clamp(-0.3, 0.3)], -1),
        torch.stack([zoom * turn.sin() * flat, zoom * turn.cos(), down.clamp(-0.3, 0.3)], -1),
    ]
    where = F.affine_grid(torch.stack(rows, -2).flatten(0, 1), [count * frames, 3, height, width], align_corners=False)
    source = wide.repeat_interleave(frames, 0)
    made = F.grid_sample(source, where, "bicubic", "reflection", align_corners=False).clamp(0, 1)
    return made.view(count, frames, 3, height, width)


class Burnt(NamedTuple):
    """clean and subtitled clips [N, T, 3, H, W] in 0..1, and what was laid over [N, T, H, W] bool."""

    clean: Tensor
    subtitled: Tensor
    mask: Tensor


@torch.no_grad()
def burnt(pictures: Album, layers: Tensor, count: int, frames: int, empty: float = 0.0) -> Burnt:
    """Clips with text that stays, changes, comes or goes. layers [M, 5, H, W] uint8 on the pictures' device: red,
    green, blue, opacity and mask of texts as large as the clips. empty: share of the clips without text."""
    height, width = layers.shape[-2:]
    device = layers.device
    clean = grained(moving(pictures, count, frames, height, width))
    texts = layers[torch.randint(len(layers), (count, 2), device=device)].float() / 255
    at, (come, go) = torch.arange(frames, device=device), torch.rand(2, count, 1, device=device) * frames
    steady = torch.rand(count, 1, device=device) < 0.5
    second = (at >= go) & (torch.rand(count, 1, device=device) < 0.5)
    fade = torch.tensor([1.0, 3.0, 5.0], device=device)[torch.randint(3, (count, 1), device=device)]
    strength = ((at - come + 1) / fade).clamp(0, 1) * torch.where(second, 1.0, ((go - at) / fade).clamp(0, 1))
    strength = torch.where(steady, 1.0, strength) * (torch.rand(count, 1, device=device) >= empty)
    which = torch.where(steady, False, second).long()
    shown = texts[torch.arange(count, device=device)[:, None], which]
    colour, alpha, mask = shown.split((3, 1, 1), 2)
    alpha = alpha * strength[:, :, None, None, None]
    coder = Coder(count, device)
    mask = (mask[:, :, 0] > 0) & (strength > FAINT)[..., None, None]
    return Burnt(coder(clean), coder(torch.lerp(clean, colour, alpha)), mask)


def grained(video: Tensor) -> Tensor:
    """Frames [N, ..., 3, H, W] with a camera's noise, of another strength for each N."""
    strength = GRAIN * torch.rand(len(video), *[1] * (video.dim() - 1), device=video.device)
    return (video + strength * torch.randn_like(video[..., :1, :, :])).clamp(0, 1)


class Coder:
    """Rounds blocks of frames as a coder of pictures does, in other steps for each of n scenes, and some not at all.
    One coder treats a scene with and without its text alike."""

    def __init__(self, count: int, device: torch.device, share: float = 0.7):
        low, high = map(math.log, COARSE)
        steps = (low + (high - low) * torch.rand(count, device=device) ** 1.5).exp()
        self.steps = torch.where(torch.rand(count, device=device) < share, steps, 0.0)
        k = torch.arange(BLOCK, device=device)
        basis = torch.cos(math.pi / BLOCK * (k[None, :] + 0.5) * k[:, None]) * (2 / BLOCK) ** 0.5
        basis[0] /= 2**0.5
        self.basis = basis
        self.finer = 0.4 + 0.6 * (k[:, None] + k[None, :]) / (BLOCK - 1)  # coarser where the eye sees less
        self.luma = torch.tensor(_LUMA, device=device)

    def __call__(self, video: Tensor) -> Tensor:
        """[N, ..., 3, H, W] in 0..1, sides of whole blocks; the same shape."""
        ycc = torch.einsum("dc,n...chw->n...dhw", self.luma, video)
        h, w = video.shape[-2:]
        cells = ycc.reshape(*ycc.shape[:-2], h // BLOCK, BLOCK, w // BLOCK, BLOCK)
        values = torch.einsum("up,...hpwq,vq->...huwv", self.basis, cells, self.basis)
        colour = values.new_tensor([1.0, 2.0, 2.0]).view(3, 1, 1, 1, 1)
        step = self.steps.view(-1, *[1] * (values.dim() - 1)) * self.finer[:, None, :] * colour
        rounded = torch.where(step > 0, (values / step.clamp_min(1e-6)).round() * step, values)
        cells = torch.einsum("up,...huwv,vq->...hpwq", self.basis, rounded, self.basis)
        return torch.einsum("dc,n...chw->n...dhw", self.luma.inverse(), cells.reshape(ycc.shape)).clamp(0, 1)


def _spread(count: int, device: torch.device) -> Tensor:
    """[count, 1, 1, 1] in -1..1."""
    return 2 * torch.rand(count, 1, 1, 1, device=device) - 1
