"""What can be asked of engines: of all of them, and of one of its own. Light, for ComfyUI's start shows it."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ClearError
from ..option import AUTO, option, require_valid
from .control import CONTROLS
from .schedule import check_seed, sigmas

EULER, UNIPC = "euler", "unipc"
"""Samplers (sampling.py)."""


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


@dataclass(frozen=True)
class MiniMaxOptions:
    """What is MiniMax-Remover's own; steps, seed and windows are those of all engines."""

    sampler: str = option(
        UNIPC,
        "unipc: what its published pipeline samples with (UniPC of order 2 on the flow). euler: a straight line a "
        "step, as CLEAR has it.",
        zh="unipc：官方流程所用的采样方法（流匹配上的二阶 UniPC）。euler：每步走直线，与 CLEAR 相同。",
        name_zh="采样器",
        choices=(UNIPC, EULER),
    )
    shift: float = option(
        3.0,
        "How far the noise levels are bent towards noise, no unit. 3 is diffusers' default for Wan. The weights come "
        "with a scheduler_config.json: if its flow_shift is another number, use that one.",
        zh="噪声水平向高噪声一端偏移的程度，无单位。3 是 diffusers 对 Wan 的默认值。"
        "权重附带 scheduler_config.json：若其中的 flow_shift 是别的数，请改用那个数。",
        name_zh="偏移",
        over=0,
        high=100,
        least=0.1,
        most=20,
        step=0.1,
    )
    dilate: int = option(
        6,
        "Pixels of the working frame by which the holes are widened for the model, beyond the subtitle's own mask. 6 "
        "is its README's number, 16 its code's.",
        zh="送入模型的空洞在字幕遮罩之外再扩张的像素数，按处理时的画面计算。6 取自其 README，代码中的默认值是 16。",
        name_zh="扩张",
        more="What comes back is the subtitle's mask alone: raise it where the model paints letters again.",
        more_zh="最终只替换字幕遮罩内的像素：模型又画出文字时调大。",
        unit="pixels",
        low=0,
        most=64,
    )

    def __post_init__(self):
        require_valid(self)
