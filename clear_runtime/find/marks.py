"""What counts as a subtitle: which of a prior's soft masks are marks, by the rules of time and place together."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import torch
from torch import Tensor

from .evidence import SHORTEST, in_chunks, keep_lasting, refine_stream
from .lines import keep_lines

BATCH = 8  # frames that a prior is given at a time


def soft_masks(frames: Iterable[Tensor], prior: Callable[[Tensor], Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Frames [H, W, 3] -> (frame, the prior's soft mask [H, W]); the prior sees [T, H, W, 3], a few frames at a
    time."""
    frames = iter(frames)
    while batch := list(islice(frames, BATCH)):
        yield from zip(batch, prior(torch.stack(batch)))


def mark_stream(
    marked: Iterable[tuple[Tensor, Tensor]], threshold: float, subtitles_only: bool = True
) -> Iterator[tuple[Tensor, Tensor]]:
    """(frame [H, W, 3], soft mask [H, W]) of a video of any length -> (frame, what counts [H, W] bool).

    What is over the threshold and big enough for a line. subtitles_only: also, it stands still, for some frames, and
    not wholly in a corner. Runs some 50 frames behind; where the video is cut into windows later makes no difference.
    """
    if not subtitles_only:
        for frame, soft in marked:
            yield frame, keep_lines((soft > threshold)[None], corners=True)[0].bool()
        return
    over = ((frame, mask > threshold) for frame, mask in refine_stream(marked))
    lasting = lambda held: keep_lasting(torch.stack([mask for _, mask in held]))
    for (frame, _), mask in in_chunks(over, lasting, SHORTEST - 1):
        yield frame, keep_lines(mask[None])[0].bool()


def mark(soft: Tensor, frames: Tensor, threshold: float, subtitles_only: bool = True) -> Tensor:
    """mark_stream of a whole clip: soft masks [T, H, W] of frames [T, H, W, 3] -> what counts, [T, H, W] bool."""
    marks = [mask for _, mask in mark_stream(zip(frames, soft), threshold, subtitles_only)]
    return torch.stack(marks) if marks else soft.bool()
