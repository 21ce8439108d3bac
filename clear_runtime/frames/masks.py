"""Masks [T, H, W] in 0..1: grown, feathered, held inside an area. Sizes are in pixels of the source."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from ..errors import ClearError
from .region import blocks
from .windows import Window


def grow(mask: Tensor, pixels: int) -> Tensor:
    """The mask dilated by a square that reaches `pixels` further on every side."""
    out = mask.clone()
    for block in blocks(mask, pixels) if pixels > 0 else ():
        block.of(out)[:] = _dilate(block.of(mask)[:, None], pixels)[:, 0]
    return out


def feather(mask: Tensor, pixels: int) -> Tensor:
    """The mask with a soft edge outside it, falling evenly to 0 over `pixels`; what was 1 stays 1."""
    out = mask.clone()
    for block in blocks(mask, pixels) if pixels > 0 else ():
        reach, total = block.of(mask)[:, None], block.of(out)[:, None]
        for _ in range(pixels):
            reach = _dilate(reach, 1)
            total += reach
        total /= pixels + 1
    return out


def _dilate(mask: Tensor, pixels: int) -> Tensor:
    wide = F.max_pool2d(mask, (1, 2 * pixels + 1), 1, (0, pixels))  # a square is its rows, then its columns
    return F.max_pool2d(wide, (2 * pixels + 1, 1), 1, (pixels, 0))


def restrict(mask: Tensor, limit: Tensor | None, protect: Tensor | None) -> Tensor:
    """The mask inside `limit` and outside `protect`, both [T, H, W] or None."""
    if limit is not None:
        mask = mask.minimum(limit)
    if protect is not None:
        mask = mask.minimum(1 - protect)
    return mask


def cut(area: Tensor | None, name: str, window: Window, size: tuple[int, int]) -> Tensor | None:
    """A window's part of a mask [T, H, W] for the whole video, by absolute frame; [1, H, W] holds for every frame.

    Raises ClearError, naming the mask, when its size is not the frame's (height, width) or it has too few frames.
    """
    if area is None:
        return None
    check_area(area, name)
    if tuple(area.shape[1:]) != size:
        raise ClearError(
            f"The {name} mask is {area.shape[2]}x{area.shape[1]} pixels, the frames are {size[1]}x{size[0]}: "
            "give it the frames' own size."
        )
    if len(area) == 1:
        return area.float().clamp(0, 1).expand(len(window), -1, -1)
    if len(area) < window.stop:
        raise ClearError(
            f"The {name} mask has {len(area)} frames, the video has at least {window.stop}: "
            "give one mask for each frame, or a single one for all."
        )
    return area[window.start : window.stop].float().clamp(0, 1)


def check_area(area: Tensor | None, name: str, total: int | None = None) -> None:
    """Raises ClearError for a mask for the whole video that is no [T, H, W], or has neither one frame nor `total`."""
    if area is None:
        return
    if area.dim() != 3:
        raise ClearError(f"The {name} mask has {area.dim()} dimensions, it needs three: frames, height, width.")
    if total is not None and len(area) not in (1, total):
        raise ClearError(
            f"The {name} mask has {len(area)} frames, the video has {total}: give one mask for each frame, or a "
            "single one for all."
        )
