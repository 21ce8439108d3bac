"""What can be asked of the finder; apart from it, for ComfyUI's start shows options and finds nothing."""

from __future__ import annotations

from dataclasses import dataclass

from ..option import option, require_valid

ADD, ONLY, LOOK_HERE = USES = ("add", "only", "look here")
AUTO_GROW = -1


@dataclass(frozen=True)
class MarkOptions:
    """What of a video's text counts."""

    threshold: float = option(
        0.5,
        "How sure the prior must be, 0 to 1: what is over it counts as subtitle. Lower finds more and errs more.",
        zh="先验模型的把握超过多少才算字幕，0 到 1。越低找到的越多，误标也越多。",
        name_zh="阈值",
        low=0,
        high=1,
        least=0.01,
        most=0.99,
        step=0.01,
    )
    subtitles_only: bool = option(
        True,
        "Leave overlaid text that does not behave like a subtitle: what moves with the scene, stands all the time "
        "beside lines that change, stands wholly in a corner, or shows for less than 0.3 seconds. The frames must "
        "follow one another. Off: all text that is found goes, each frame on its own.",
        zh="保留表现不像字幕的叠加文字：随画面移动的、在不断变化的字幕旁一直停留的、"
        "完全位于画面角落的、出现不足 0.3 秒的。各帧必须连续。关闭后，找到的文字全部去除，逐帧单独判断。",
        name_zh="只去字幕",
        more="A corner is 25 % of the height and 28 % of the width. Where a clip is too short to tell, a row in the "
        "middle or in the lower part is taken for a subtitle, and the report says so.",
        more_zh="角落指画面高的 25 %、宽的 28 %。片段太短无法判断时，位于中间或下部的文字按字幕处理，报告中会说明。",
    )
    grow: int = option(
        AUTO_GROW,
        "Pixels of the source by which the mask is widened, so that outlines and shadows go too. -1: as many as each "
        "row needs, judged from the picture.",
        zh="遮罩向外扩展的像素数，按原画面计算，使描边和阴影也一并去除。-1：根据画面判断每行需要多少。",
        name_zh="扩展",
        more="Raise it when an outline or a shadow stays.",
        more_zh="描边或阴影有残留时调大。",
        unit="pixels",
        low=AUTO_GROW,
        most=64,
    )
    subtitle_use: str = option(
        ADD,
        "What the mask `subtitle` does, where one is connected. add: its whole area goes, beside what the prior finds. "
        "only: its area and nothing else. look here: in it the prior may be half as sure, and every row of text goes.",
        zh="连接了 subtitle 遮罩时它的作用。add：整个遮罩区域都去除，另加先验模型找到的内容。only：只去除遮罩区域。"
        "look here：在遮罩内先验模型的把握只需一半，其中每行文字都去除。",
        name_zh="字幕遮罩的用法",
        choices=USES,
    )
    fps: float = option(
        0.0,
        "Frames a second of the video: how long text stands tells what it is. 0: as the file says; 25 where there is "
        "none.",
        zh="视频每秒的帧数：文字停留多久，有助于判断它是什么。0：以文件为准；没有文件时按 25 计。",
        name_zh="帧率",
        more="Connect the rate of the loaded video where it is far from 25.",
        more_zh="视频帧率与 25 相差较大时，请把载入视频的帧率接过来。",
        low=0,
        high=1000,
        most=240,
        step=0.01,
        fine=True,
    )

    def __post_init__(self):
        require_valid(self)
