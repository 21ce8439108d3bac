"""What frames must be before anything is made of them."""

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
