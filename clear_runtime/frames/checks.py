"""What frames must be before anything is made of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import ClearError


def require_finite(frames: Tensor, first: int = 0) -> None:
    """Raise ClearError, by its number, for the first of the frames [T, H, W, 3] with a value that is NaN or infinite;
    they are counted from `first`."""
    broken = (~frames.isfinite().flatten(1).all(1)).nonzero()
    if len(broken):
        raise ClearError(
            f"Frame {first + broken[0].item()} has values that are not numbers (NaN or infinity). Look at what made "
            f"the frames, often a VAE in half precision."
        )


OnSize = Callable[[tuple[int, int]], None]


def checked(frames: Iterable[Tensor], on_size: OnSize = lambda size: None) -> Iterable[Tensor]:
    """The frames [H, W, 3] in their own dtype on the CPU, each looked at before anything is made of it; as often as
    they can be gone through. on_size is told (height, width) at the first, and may raise. Raises ClearError, on the
    way, for another shape or dtype than those of the first, and for values that are no numbers."""
    return _each_checked(frames, on_size) if iter(frames) is frames else _Checked(frames, on_size)


@dataclass(frozen=True, eq=False)
class _Checked:
    frames: Iterable[Tensor]
    on_size: OnSize

    def __iter__(self) -> Iterator[Tensor]:
        return _each_checked(self.frames, self.on_size)


def _each_checked(frames: Iterable[Tensor], on_size: OnSize) -> Iterator[Tensor]:
    size = None
    for index, frame in enumerate(frames):
        kinds = (torch.float32, torch.float16, torch.bfloat16)
        if frame.dim() != 3 or frame.shape[2] != 3 or 0 in frame.shape or frame.dtype not in kinds:
            raise ClearError(
                f"Frame {index} is a {frame.dtype} tensor of shape {tuple(frame.shape)}. Frames are [height, width, "
                "3], float32 (or a half) in 0..1."
            )
        if size is None:
            size = frame.shape
            on_size((size[0], size[1]))
        if frame.shape != size:
            raise ClearError(
                f"Frame {index} is {frame.shape[1]}x{frame.shape[0]} pixels, the first one {size[1]}x{size[0]}. "
                "All frames of a video need one size."
            )
        require_finite(frame[None], index)
        yield frame.cpu()
