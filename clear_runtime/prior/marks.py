"""What counts as a subtitle: which of a prior's soft masks are marks, by the rules of time and place together."""
from torch import Tensor

from .lines import keep_lines
from .temporal import keep_lasting, refine


def mark(soft: Tensor, frames: Tensor, threshold: float, subtitles_only: bool = True) -> Tensor:
    """A prior's soft masks [T, H, W] of frames [T, H, W, 3] that follow one another -> what counts, [T, H, W] float 0 or 1.

    What is over the threshold and big enough for a line. subtitles_only: also, it stands still, for some frames, and not wholly
    in a corner.
    """
    if not subtitles_only:
        return keep_lines(soft > threshold, corners=True)
    return keep_lines(keep_lasting(refine(soft, frames) > threshold))
