"""Cut a video into overlapping windows, and blend them where they overlap.

Windows start on multiples of four frames: there the latent groups of a window lie on the grid of the whole video's.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from ..errors import ClearError
from ..option import AUTO, option, require_valid
from ..wan import GROUP, whole_groups

WHOLE, BAND = "whole frame", "subtitle band"


@dataclass(frozen=True)
class Window:
    """Frames start <= t < stop of the video."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class WindowOptions:
    """What of the video an engine sees at once, in time and place."""

    window: int = option(
        81,
        "Frames that are cleaned together. Rounded down to 4k + 1. Memory grows with it.",
        zh="一次一起处理的帧数，向下取整为 4k + 1。数值越大，占用内存越多。",
        name_zh="窗口帧数",
        more="Lower it when memory runs out.",
        more_zh="内存不足时调小。",
        unit="frames",
        low=5,
        most=1001,
        step=4,
    )
    overlap: int = option(
        16,
        "Frames, at least, that neighbouring windows share and are blended over. At most the window less 4.",
        zh="相邻窗口至少共用、并在其中渐变过渡的帧数。最多为窗口帧数减 4。",
        name_zh="重叠帧数",
        more="Raise it when a change shows at regular places.",
        more_zh="每隔固定帧数出现跳变时调大。",
        unit="frames",
        low=0,
        most=996,
    )
    region: str = option(
        AUTO,
        "What of the frame goes through the model. The band around the subtitle is many times faster. auto: subtitle "
        "band with nano, whole frame with Wan2.1, for raw output and for a mask from the difference.",
        zh="画面的哪一部分送入模型。只处理字幕带（subtitle band）要快好几倍。"
        "auto：Nano 用字幕带；Wan2.1、raw 输出以及遮罩来自 difference 时用整幅画面（whole frame）。",
        name_zh="处理区域",
        choices=(AUTO, WHOLE, BAND),
    )
    context: int = option(
        64,
        "Pixels around the subtitle that the model sees where region is the subtitle band.",
        zh="处理区域为字幕带时，模型能看到的字幕周围的像素数。",
        name_zh="周围像素",
        unit="pixels",
        low=0,
    )
    max_pixels: int = option(
        1280 * 720,
        "Larger frames are scaled down to this many pixels for the model, and only for it.",
        zh="更大的画面只在送入模型时缩小到这么多像素。",
        name_zh="最大像素数",
        unit="pixels",
        low=1024,
    )

    def __post_init__(self):
        normalise(self.window, self.overlap)
        require_valid(self)


def normalise(window: int, overlap: int) -> tuple[int, int]:
    """(window, stride) in frames: the window rounded down to 4k + 1, the stride to a multiple of 4.

    The overlap is never less than asked: 81 frames with 16 overlap become a stride of 64 and an overlap of 17.
    Raises ClearError for a window under 5 frames, or an overlap that is negative or leaves no stride.
    """
    if window < GROUP + 1:
        raise ClearError(f"A window of {window} frames is too short. Use at least {GROUP + 1}; CLEAR's default is 81.")
    if overlap < 0:
        raise ClearError(f"An overlap of {overlap} frames has no meaning. Use 0 or more; CLEAR's default is 16.")
    if overlap >= window:
        raise ClearError(
            f"The overlap ({overlap} frames) must be at most {whole_groups(window) - GROUP} with a window of {window} "
            f"frames. Lower it, or raise the window."
        )
    window = whole_groups(window)
    stride = (window - overlap) // GROUP * GROUP
    if stride < GROUP:
        raise ClearError(
            f"An overlap of {overlap} frames leaves a window of {window} frames nothing to move on by. "
            f"Windows move by multiples of {GROUP}: use an overlap of at most {window - GROUP}, or a longer window."
        )
    return window, stride


def plan(total: int, window: int, overlap: int) -> list[Window]:
    """The windows of a video of `total` frames, in order.

    They start a stride apart; the last one is moved back to be as full as the grid of four allows, so that the end of a
    video has as much context as its middle. A video that fits into one window is one window; an empty one has none.
    """
    window, stride = normalise(window, overlap)
    windows, start = [], 0
    while start + window < total:
        windows.append(Window(start, start + window))
        start = min(start + stride, _last_start(total, window))
    return [*windows, Window(start, total)] if total > 0 else []


def iter_windows(frames: Iterable, window: int, overlap: int) -> Iterator[tuple[Window, list]]:
    """The same windows with the frames in them, for a video whose length nobody knows yet.

    Pulls no frame beyond the end of the window it yields, and keeps at most a window and a stride of them.
    """
    window, stride = normalise(window, overlap)
    source, first = iter(frames), 0
    held: list = []  # held[0] is frame `first`
    start = covered = 0
    while True:
        held += islice(source, start + window - first - len(held))
        stop = first + len(held)
        if stop == covered:
            return  # nothing came that the last window did not hold already
        start = min(start, max(0, _last_start(stop, window)))  # earlier only if the video ended here
        del held[: start - first]
        first = start
        yield Window(start, stop), list(held)
        covered, start = stop, start + stride


def held_by(frames: Iterable, windows: Iterable[Window]) -> Iterator[tuple[Window, list]]:
    """Windows in order, each with its frames; `frames` begin with the first window's first, and no window begins beyond
    the end of the one before."""
    source = iter(frames)
    held: list = []
    first = None
    for window in windows:
        first = window.start if first is None else first
        del held[: window.start - first]
        held += islice(source, len(window) - len(held))
        yield window, list(held)
        first = window.start


def _last_start(total: int, window: int) -> int:
    return -(-(total - window) // GROUP) * GROUP


def ramp(count: int) -> Tensor:
    """[count] weights of the newer window over an overlap, rising evenly and strictly between 0 and 1."""
    return torch.arange(1, count + 1, dtype=torch.float32) / (count + 1)


def kept(count: int, group: int = GROUP) -> int:
    """Of `count` frames that two windows share, the second of which goes on from what the first has painted, those at
    their begin that stay as they are: half of the groups that they fill. Over the others one goes over into the
    other."""
    groups = (count - 1) // group + 1
    return ((groups + 1) // 2 - 1) * group + 1 if count else 0


def blend(old: Tensor, new: Tensor) -> Tensor:
    """Cross-fade two versions [n, ...] of the same n frames. Where they are equal, that value comes back bit for
    bit."""
    weight = ramp(len(old)).to(old.device).view(-1, *[1] * (old.dim() - 1))
    return old + weight * (new - old)
