"""Fill masked pixels from what surrounds them in space and time: the floor under everything the network adds."""

import torch
from torch import Tensor

from ..errors import ClearError
from ..frames.region import blocks
from .detail import with_detail
from .flow import OpticalFlow
from .letterbox import fill_bars_, without_bars
from .network import bundled_painter
from .propagate import Borrower

MARGIN = 64
"""Pixels around the holes that the fill looks at."""


def fill(
    frames: Tensor,
    mask: Tensor,
    still: bool = True,
    motion: bool = True,
    texture: bool = True,
    network: bool = True,
    optical_flow: OpticalFlow | None = None,
    detail: bool = False,
    unpainted: int = 0,
) -> Tensor:
    """frames [T, H, W, 3] with the pixels where mask [T, H, W] is not zero replaced; all others stay bit for bit.

    The frames follow one another in one shot or several. A pixel that another frame shows is taken from there
    (propagate.py), at the same place where the scene stands still (`still`), along its motion where it moves
    (`motion`; by `optical_flow` where one is given, see flow.py); else it is what a small network paints over the
    smooth continuation of its surroundings (`network`; network.py), with their texture where they have some
    (`texture`). `detail` makes what detail there is stronger (detail.py). The black bars of a letterbox are filled by
    themselves. The first `unpainted` frames lend and stay as they are. So does a frame that is masked from edge to
    edge: nothing is known of it. Raises ClearError when frames and mask differ in count or size.
    """
    if frames.shape[:3] != mask.shape:
        raise ClearError(
            f"The mask has shape {tuple(mask.shape)}, the frames {tuple(frames.shape[:3])}: "
            "a fill needs one mask value for each pixel of each frame."
        )
    out = frames.clone()
    for block in blocks(mask, MARGIN):
        known = block.of(mask) == 0
        picture = without_bars(block.of(frames), known)
        fill_bars_(block.of(out), known, picture)
        pixels, known = picture.of(block.of(frames)).permute(0, 3, 1, 2), picture.of(known)[:, None]
        if known.all():
            continue
        painter = bundled_painter(pixels.device) if network else None
        borrow = Borrower(pixels, known, still, motion, texture, optical_flow, painter)
        # frame by frame, so that beyond `out` few frames are held at full size
        wanted = [t for t in range(unpainted, len(pixels)) if not known[t].all() and known[t].any()]
        for t, filled in zip(wanted, borrow.frames(wanted)):
            filled = with_detail(filled, known[t]) if detail else filled
            picture.of(block.of(out))[t] = torch.where(known[t], pixels[t], filled).permute(1, 2, 0)
    return out
