"""What the nodes take as frames: ComfyUI's IMAGE, with colours."""

from torch import Tensor

from ...clear_runtime.errors import ClearError


def require_frames(images: Tensor, name: str = "images") -> None:
    """Raise ClearError, by the input's name, unless these are frames [T, H, W, 3], or 4 with alpha, and one at
    least."""
    if images.ndim != 4 or not len(images):
        raise ClearError(
            f"There are no frames in {name}, an IMAGE of shape {list(images.shape)}; frames are [frames, height, "
            "width, channels]. Connect the IMAGE of a loaded video or picture."
        )
    if images.shape[3] not in (3, 4):
        raise ClearError(
            f"The frames in {name} have {images.shape[3]} channels; colour frames (3, or 4 with alpha) are needed."
        )
