"""The black bars above and below, or beside, a picture: nothing of them belongs in it, and nothing of it in them."""

from __future__ import annotations

from torch import Tensor

from ..frames.region import Region

DARK = 28 / 255
"""Brightest channel of a bar's pixels."""
SHARE = 0.995
"""Of a line's known pixels that are dark, at least, over all frames."""
SEEN = 0.05
"""Share of a line's pixels that has to be known."""
LEAST = 4
"""Rows or columns of a bar."""


def without_bars(frames: Tensor, known: Tensor) -> Region:
    """The part of frames [T, h, w, 3] that is no bar, as far as their known pixels [T, h, w] bool show, in all frames
    alike. All of it where everything is dark, or nothing."""
    height, width = known.shape[1:]
    seen, dark = (x.new_zeros(height, width).float() for x in (frames, frames))
    for frame, shown in zip(frames, known):
        seen += shown
        dark += shown & (frame.amax(-1) < DARK)
    top, bottom = _ends(seen.sum(1), dark.sum(1), len(frames) * width)
    left, right = _ends(seen.sum(0), dark.sum(0), len(frames) * height)
    return Region.between(top, left, height - bottom, width - right)


def fill_bars_(frames: Tensor, known: Tensor, picture: Region) -> None:
    """Give the hidden pixels of the bars around `picture` their bar's colour, in place; frames and known as above."""
    _, height, width = known.shape
    bars = (
        Region.between(0, 0, picture.top, width),
        Region.between(picture.bottom, 0, height, width),
        Region.between(0, 0, height, picture.left),
        Region.between(0, picture.right, height, width),
    )
    for bar in bars:
        for frame, shown in zip(bar.of(frames), bar.of(known)):
            if shown.any() and not shown.all():
                frame[~shown] = frame[shown].mean(0)


def _ends(seen: Tensor, dark: Tensor, whole: int) -> tuple[int, int]:
    """How many lines are a bar's at the start and at the end, of counts [n] of known and of dark pixels."""
    bar = ((seen > SEEN * whole) & (dark >= SHARE * seen)).tolist()
    if all(bar):
        return 0, 0
    start, end = bar.index(False), bar[::-1].index(False)
    return (start if start >= LEAST else 0), (end if end >= LEAST else 0)
