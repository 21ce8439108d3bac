"""What the pipeline asks of an engine: a network, or anything else, that paints what was under a subtitle.

An engine is given a piece of the video at the height of pixels: frames, holes, and the piece's place in the video. What
it needs and can is said by its Needs; the pipeline knows no engine's name. CLEAR (clear.py), MiniMax-Remover
(minimax.py), the plain fill (plain_fill.py) and the bundled model (nano/engine.py) are engines.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from ..errors import ClearError
from ..frames.region import Region
from ..frames.windows import Window
from ..option import option, require_valid
from .control import AUTO, CONTROLS
from .schedule import check_seed, sigmas

OnStage = Callable[[str, int], None]
"""(stage, steps done): "encode", "sample" or "decode" and how many of the engine's steps lie behind; what it raises
ends the run."""


@dataclass(frozen=True)
class Needs:
    """What an engine needs of the pipeline.

    multiple: the sides of its frames are multiples of so many pixels. group: it takes group * k + 1 frames; the last
    one is repeated to fill up. scaled: whether large frames may be scaled down for it; max_pixels, context: of the
    scaled frame and around the subtitle, the most that it can make use of. control, region: what it is given unless the
    user says otherwise (engines/control.py, frames/windows.py). finds_text: whether it finds the text by itself in
    frames as they are, so that what it took away is text. tells_changes: whether it can say what it changed
    (Painted.changed). holes: whether it paints holes and nothing else: it is shown where they are, whatever control the
    user says, and changes nothing beyond them. recolours: its pictures differ a little in colour from what it was
    given, everywhere, so that new pixels have to be matched to those around them. goes_on: whether it can go on from
    what the window before has painted.
    """

    multiple: int = 1
    group: int = 1
    scaled: bool = True
    max_pixels: float = math.inf
    context: float = math.inf
    control: str = "as is"
    region: str = "whole frame"
    finds_text: bool = False
    tells_changes: bool = False
    holes: bool = False
    recolours: bool = False
    goes_on: bool = False


@dataclass(frozen=True)
class Piece:
    """A window in time and a rectangle of the working canvas.

    frames: [T, h, w, 3] float32 in 0..1 on the CPU, T and sides as the engine needs them: as they are, or with the
    holes filled in, where `filled` says so. source: the same, never filled. holes: [T, h, w] bool, where something is
    to be replaced. window: the frames of the video that it stands for. region: the rectangle of a canvas of (height,
    width) pixels. whole: whether its whole picture is wanted, and not only what is under the holes. differs: whether it
    shall say what it changed. again: whether the frames are its own result, in whose holes something can still be read.
    painted: [group * k + 1, h, w, 3], the first frames as the window before has left them, where the engine shall go on
    from these; the first half of them is not painted anew (frames/windows.py, kept).
    """

    frames: Tensor
    source: Tensor
    holes: Tensor
    window: Window
    region: Region
    canvas: tuple[int, int]
    filled: bool = False
    whole: bool = False
    differs: bool = False
    again: bool = False
    painted: Tensor | None = None


@dataclass(frozen=True)
class Painted:
    """What an engine makes of a piece. frames: [T, h, w, 3], its picture; or, where `onto`, what is to be added onto
    the frames that it was given, so that what these have of detail stays. changed: [T, h, w] float, 1 where it changed
    something, if it was asked and can tell."""

    frames: Tensor
    onto: bool = False
    changed: Tensor | None = None


class Engine(Protocol):
    """Paints pieces."""

    needs: Needs
    steps: int
    """Steps that a piece takes: the unit of progress."""

    def paint(self, piece: Piece, seed: int, on_stage: OnStage) -> Painted:
        """The piece without its subtitle. The same seed and place give the same picture, wherever the video was cut."""
        ...


@dataclass(frozen=True)
class EngineOptions:
    """How an engine paints; the paper's defaults."""

    steps: int = option(
        5,
        "Sampling steps a window; time grows with them. 5 for Wan2.1 with CLEAR, 6 for MiniMax-Remover; 1 for nano, "
        "which more steps make worse.",
        zh="每个窗口的采样步数，越多越慢。Wan2.1 + CLEAR 用 5，MiniMax-Remover 用 6；Nano 用 1，步数多了反而更差。",
        name_zh="步数",
        unit="steps",
        low=1,
        most=100,
    )
    seed: int = option(
        0,
        "Noise of a frame depends on this number and the frame's place in the video alone.",
        zh="每帧的噪声只取决于这个数和该帧在视频中的位置。",
        name_zh="种子",
        more="Another number is worth a try where the model painted something odd.",
        more_zh="模型画得不自然时可以换一个数试试。",
        low=0,
        high=2**64 - 1,
    )
    control: str = option(
        AUTO,
        "What the model is shown: the frames as is (the paper's way), or with the subtitle filled in beforehand. auto: "
        "prefilled with nano, as is with Wan2.1. MiniMax-Remover is shown holes, whatever this says.",
        zh="给模型看什么：原画面（as is，与论文一致），或先把字幕处填补好（prefilled）。"
        "auto：Nano 用 prefilled，Wan2.1 用 as is。MiniMax-Remover 总是只看到空洞，与此项无关。",
        name_zh="控制画面",
        choices=(AUTO, *CONTROLS),
    )
    keep_change: float = option(
        1.0,
        "Share of the network's change that is added onto a prefilled control, 0 to 1.",
        zh="先填补再处理时，模型的改动有多大比例会加到填补结果上，0 到 1。",
        name_zh="保留改动",
        low=0,
        high=1,
    )
    clean_overlap: bool = option(
        False,
        "Begin each window with what the window before has painted in the frames that they share, instead of painting "
        "these anew, so that what was painted stays the same. Needs two steps or more.",
        zh="每个窗口从上一个窗口在共用帧里已经画好的内容接着画，而不是重画这些帧，使画出的内容前后一致。步数至少为 2。",
        name_zh="沿用重叠",
        more="Try it when what was painted changes at regular places. A stretch of a film with text is then worked on "
        "in one go: after Cancel it begins with that stretch again.",
        more_zh="每隔固定帧数画面内容会变时可以试试。此时影片中有文字的一段会一次处理完：取消后要从这一段重新开始。",
    )

    def __post_init__(self):
        if self.clean_overlap and self.steps < 2:
            raise ClearError(
                "With clean_overlap a model goes on from frames that it sees, and in a single step it sees noise "
                "alone. Set steps to 2 or more, or switch clean_overlap off."
            )
        sigmas(self.steps)
        check_seed(self.seed)
        require_valid(self)
