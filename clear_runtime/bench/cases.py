"""A case: a clip with a subtitle, the same clip without it, and where the subtitle is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import ClearError
from ..frames.masks import grow
from ..media.video import read_frames

GROW = 3  # pixels: letters are never crisp in an encoded video
CHANGED = 12 / 255  # where no mask is given, a pixel belongs to the subtitle from this difference on


@dataclass(frozen=True)
class BenchCase:
    """Frames [T, H, W, 3] in 0..1, and the subtitle's true mask [T, H, W] bool, not grown."""

    folder: Path
    subtitled: Tensor
    clean: Tensor
    mask: Tensor

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def grown(self) -> Tensor:
        """The mask grown by GROW pixels, float: where a removal is scored."""
        return grow(self.mask.float(), GROW)

    def result(self) -> Tensor:
        """The frames of result.mp4 (or .npy) in its folder: what any remover made of the input. Raises ClearError where
        there is none."""
        frames = _frames(self.folder, "result")
        _same("result", frames, self.subtitled, self.folder)
        return frames


def read_case(folder: Path) -> BenchCase:
    """A folder with input.mp4 (subtitled), clean.mp4 or clean.npy (uint8 [T, H, W, 3]), and mask.npy or mask.mp4 (else,
    what differs)."""
    subtitled, clean = _frames(folder, "input"), _frames(folder, "clean")
    _same("clean original", clean, subtitled, folder)
    if (folder / "mask.npy").exists() or (folder / "mask.mp4").exists():
        mask = _frames(folder, "mask")
        mask = mask[..., 0] > 0.5 if mask.dim() == 4 else mask > 0
    else:
        mask = (subtitled - clean).abs().amax(-1) > CHANGED
    _same("mask", mask, subtitled[..., 0], folder)
    if not mask.any():
        raise ClearError(f"{folder.name}: there is no subtitle, its mask is empty. A case needs one.")
    return BenchCase(folder, subtitled, clean, mask)


def _same(name: str, values: Tensor, like: Tensor, folder: Path) -> None:
    if values.shape != like.shape:
        raise ClearError(
            f"{folder.name}: the {name} is {tuple(values.shape)}, the input {tuple(like.shape)}. They must be of the "
            f"same clip."
        )


def _frames(folder: Path, name: str) -> Tensor:
    array, video = folder / f"{name}.npy", folder / f"{name}.mp4"
    if array.exists():
        values = torch.from_numpy(np.load(array, allow_pickle=False))
        return values.float() / 255 if values.dtype == torch.uint8 else values
    if not video.exists():
        raise ClearError(
            f"{folder} has neither {array.name} nor {video.name}. A case needs input.mp4 and clean.mp4 (or clean.npy); "
            'the column "result" needs result.mp4.'
        )
    return torch.stack(list(read_frames(video)))
