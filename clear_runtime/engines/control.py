"""What the denoiser is told about the video: one named step from frames and mask to control frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from ..fill.flow import OpticalFlow


def as_is(frames: Tensor, mask: Tensor, optical_flow: OpticalFlow | None = None) -> Tensor:
    """The subtitled frames themselves, as in the paper: the network finds the subtitle on its own."""
    return frames


def prefilled(frames: Tensor, mask: Tensor, optical_flow: OpticalFlow | None = None) -> Tensor:
    """The frames with the masked pixels filled in: the network starts from the fill and may improve on it.
    optical_flow: what the fill follows, where it is another than its own."""
    from ..fill.plain import fill  # its motion and texture are no part of ComfyUI's start

    return fill(frames, mask, optical_flow=optical_flow)


CONTROLS = {"as is": as_is, "prefilled": prefilled}
"""frames [T, H, W, 3] and mask [T, H, W] (not zero: subtitle) -> control frames [T, H, W, 3], by the name that users
see."""
