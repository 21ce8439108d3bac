"""Several pictures of one moment in one video, one below the other: what a player needs that shows one through another.
A single file keeps them together while it plays, whatever the player drops.

Frames are [H, W, 3], masks [H, W], float in 0..1.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from .writer import VideoWriter

SIDE = 4096
"""Pixels: the longest side of a video that common hardware decodes."""
CRF = 14
SEEKABLE = 12
"""Frames: a player that steps decodes at most as many."""


class LayersWriter:
    """Writes `count` pictures a moment of width x height pixels; larger ones are scaled down to what players take.

    size: (width, height) of one picture in the file.
    """

    def __init__(self, path: Path, width: int, height: int, fps: Fraction, count: int, audio=None):
        scale = min(1.0, SIDE / width, SIDE / (count * height))
        self.size = max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2)
        self._video = VideoWriter(path, self.size[0], count * self.size[1], fps, CRF, audio=audio, seekable=SEEKABLE)

    def write(self, *pictures: Tensor) -> None:
        self._video.write(torch.cat([self._fitted(picture) for picture in pictures]))

    def _fitted(self, picture: Tensor) -> Tensor:
        if picture.ndim == 2:
            picture = picture[..., None].expand(-1, -1, 3)
        picture = picture[..., :3].float().cpu()
        width, height = self.size
        if picture.shape[:2] == (height, width):
            return picture
        scaled = F.interpolate(
            picture.permute(2, 0, 1)[None], size=(height, width), mode="bilinear", antialias=True, align_corners=False
        )
        return scaled[0].permute(1, 2, 0)

    def __enter__(self) -> LayersWriter:
        return self

    def __exit__(self, *how) -> None:
        self._video.__exit__(*how)
