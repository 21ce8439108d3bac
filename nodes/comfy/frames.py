"""What the nodes take as frames: ComfyUI's IMAGE, with colours."""

from torch import Tensor

from ...clear_runtime.errors import ClearError


def require_frames(images: Tensor) -> None:
    """Raise ClearError unless these are frames [T, H, W, 3], or 4 with alpha, and one at least."""
    if images.ndim != 4 or not len(images):
        raise ClearError(
            f"There are no frames in this IMAGE of shape {list(images.shape)}. Connect the IMAGE of a loaded video or "
            f"picture."
        )
    if images.shape[3] not in (3, 4):
        raise ClearError(
            f"These frames have {images.shape[3]} channels; colour frames (3, or 4 with alpha) are needed."
        )
