"""Every setting of a removal, part by part, and the report it sends while it works."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from .engines.options import EngineOptions
from .errors import ClearError
from .find.options import MarkOptions
from .frames.windows import BAND, WindowOptions
from .option import AUTO, made_of, option, require_valid

COMPOSITE, RAW, PREVIEW = OUTPUTS = ("composite", "raw", "preview")
KEEP, REMOVE = "keep", "remove"
BOXES = (AUTO, KEEP, REMOVE)
PRIOR, DIFFERENCE, BOTH = "prior", "difference", "both"
MASKS = (AUTO, PRIOR, DIFFERENCE, BOTH)


@dataclass(frozen=True)
class OutputOptions:
    """What comes back, and by which mask."""

    output: str = option(
        COMPOSITE,
        "composite: only the subtitle's pixels are replaced. raw: the model's whole picture. preview: the fill alone, "
        "no sampling, to see in seconds where pixels will change.",
        zh="composite：只替换字幕的像素。raw：模型给出的整幅画面。"
        "preview：不采样，只做填补，几秒内就能看到哪些像素会变。",
        name_zh="输出方式",
        choices=OUTPUTS,
    )
    mask_from: str = option(
        AUTO,
        "Where the replaced pixels are found. prior: by the subtitle prior that is chosen. difference: by what the "
        "model changed. both: the prior's, and rows of text that only the model took away. auto: both where the "
        "model is shown the whole frames as is (Wan2.1), else prior.",
        zh="如何确定要替换的像素。prior：由所选的字幕先验模型判断。difference：看模型改动了哪里。"
        "both：先验模型找到的，加上只有模型抹去的文字行。"
        "auto：模型看到的是完整的原画面（Wan2.1）时用 both，否则用 prior。",
        name_zh="遮罩来源",
        more="With prior, windows without a subtitle are not sampled, which is faster where there are few.",
        more_zh="用 prior 时，没有字幕的窗口不采样；字幕少时更快。",
        choices=MASKS,
    )
    boxes: str = option(
        AUTO,
        "Boxes behind the letters. auto: a translucent one is taken off, so that the scene shows again; an opaque or "
        "coloured one goes with its letters. keep: only the letters go. remove: all of the rectangle around each row.",
        zh="文字后面的底框。auto：半透明的底框会去掉，画面重新露出；不透明或有颜色的底框连同文字一起去除。"
        "keep：只去除文字。remove：每行文字外的整个矩形都去除。",
        name_zh="底框",
        choices=BOXES,
    )
    second_look: bool = option(
        True,
        "Look at the result once more. What can still be read of a line is replaced again under a wider mask, and what "
        "stays after that is reported.",
        zh="再检查一遍结果：仍能辨认的字幕用更大的遮罩重做一次；之后还剩下的写入报告。",
        name_zh="二次检查",
    )
    feather: int = option(
        2,
        "Pixels of the source over which the replacement fades out around the mask.",
        zh="遮罩边缘渐隐的像素数，按原画面计算。",
        name_zh="羽化",
        more="Raise it when an edge is seen; lower it when text that must stay is close by.",
        more_zh="看得出边界时调大；旁边紧挨着要保留的文字时调小。",
        unit="pixels",
        low=0,
        high=512,
        most=64,
    )
    mask_jumps: int = option(
        8,
        "Frames over which a mask in subtitle or protect may jump to another object and come back, as a segmenter's "
        "does: there it is held where its object moves, and the report says so. 0: masks are used as they are.",
        zh="subtitle 或 protect 遮罩（如分割模型给出的）可能有几帧跳到另一个物体上再跳回来。不超过这么多帧时，"
        "遮罩按原物体的移动保持在原处，并写入报告。0：遮罩原样使用。",
        name_zh="遮罩跳动",
        more="What appears, ends, moves evenly or follows a cut to another shot stays as it is.",
        more_zh="出现、消失、平稳移动或随镜头切换的遮罩不受影响。",
        unit="frames",
        low=0,
        most=48,
    )

    def __post_init__(self):
        require_valid(self)


@dataclass(frozen=True)
class RemoveOptions:
    """Settings with the paper's defaults; values that cannot work raise ClearError at once.

    What is "auto" is decided in presets.py, when the engine is known.
    """

    marking: MarkOptions = field(default_factory=MarkOptions)
    windows: WindowOptions = field(default_factory=WindowOptions)
    engine: EngineOptions = field(default_factory=EngineOptions)
    output: OutputOptions = field(default_factory=OutputOptions)

    @classmethod
    def of(cls, **options: Any) -> RemoveOptions:
        """From options by name, whatever part each belongs to. Raises ClearError for a name that no part has."""
        return made_of(cls, options)

    def __post_init__(self):
        by_difference = self.output.mask_from == DIFFERENCE
        if by_difference and self.output.output == PREVIEW:
            raise ClearError(
                'A preview runs no network, so there is no difference to take the mask from. Set mask_from to "prior".'
            )
        if by_difference and self.windows.region == BAND:
            raise ClearError(
                'The subtitle band is found by the prior, before the network runs. Set mask_from to "prior", or region '
                'to "whole frame".'
            )


@dataclass(frozen=True)
class RemovalProgress:
    """How far a removal has come: frames looked at, and frames painted times what one costs (progress.py)."""

    done: int
    total: int | None
    """None while nobody knows how long the video is."""
    stage: str
    """find, control, encode, sample, decode, blend, check or done: what begins now, or in `find`, `sample` and `done`,
    what was just finished. again: a window is painted once more where something could still be read."""
    preview: Tensor | None = None
    """A frame [H, W, 3] to look at: the window's frame with the most subtitle in it, before and after."""
    part: float = 0.0
    """Of the window that is worked on, 0..1."""
