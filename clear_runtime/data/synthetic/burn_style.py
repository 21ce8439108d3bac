"""What Burn Subtitles' settings say: text, look, place and time of subtitles, independent of any frame's size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ...errors import ClearError
from ...option import option, require_valid
from .scripts import SCRIPTS

LOOKS = ("as set", "random")
POSITIONS = ("bottom", "middle", "top")


@dataclass(frozen=True)
class BurnStyle:
    """Every field can be a JSON value. Raises ClearError for what cannot be burned."""

    file: str = option(
        "",
        "A subtitle file (.srt, .ass, .ssa, .vtt): its path, or its name in ComfyUI's input folder. Empty: random "
        "lines.",
        zh="字幕文件（.srt、.ass、.ssa、.vtt）：完整路径，或 ComfyUI 输入文件夹中的文件名。留空则用随机文字。",
        name_zh="字幕文件",
        more="In UTF-8.",
        more_zh="须为 UTF-8 编码。",
        unit="file",
    )
    scripts: tuple[str, ...] = option(
        ("latin",),
        f"Of random lines; several with commas between: {', '.join(SCRIPTS)}.",
        zh=f"随机文字所用的文字，多种之间用英文逗号隔开：{'、'.join(SCRIPTS)}。",
        name_zh="文字",
        unit="script",
    )
    look: str = option(
        "as set",
        "as set: as below, and for an .ass file as the file says. random: font, colours, outline, shadow, box, opacity "
        "and size within a quarter are drawn from the seed.",
        zh="as set：按下面的设置，.ass 文件则按文件自带的样式。random：字体、颜色、描边、阴影、底框、不透明度和"
        "上下浮动四分之一的字号由种子抽取。",
        name_zh="外观",
        more="Text, times and places stay.",
        more_zh="文字、时间和位置不变。",
        choices=LOOKS,
    )
    font: str = option(
        "",
        "A font file, or the family name of an installed font. Empty: an installed font that has the letters is found.",
        zh="字体文件，或已安装字体的族名。留空则自动寻找含有所需字符的已安装字体。",
        name_zh="字体",
        unit="font",
    )
    size: float = option(
        5.5,
        "Size of the letters in per cent of the frame's height. Films have 5 to 6.",
        zh="占画面高度的百分比。电影字幕一般为 5 到 6。",
        name_zh="字号",
        low=1.0,
        high=40.0,
        step=0.1,
    )
    colour: str = option(
        "#ffffff", "Of the letters, as #rrggbb.", zh="文字颜色，写成 #rrggbb。", name_zh="颜色", unit="colour"
    )
    outline: float = option(
        7.0,
        "Width of the outline in per cent of the letters' size. 0: none.",
        zh="描边宽度，占字号的百分比。0 为不描边。",
        name_zh="描边",
        low=0.0,
        high=40.0,
        step=0.5,
    )
    outline_colour: str = option(
        "#000000", "Of the outline, as #rrggbb.", zh="写成 #rrggbb。", name_zh="描边颜色", unit="colour"
    )
    shadow: float = option(
        0.0,
        "Distance of a soft black shadow in per cent of the letters' size. 0: none.",
        zh="柔和黑色阴影的偏移，占字号的百分比。0 为无阴影。",
        name_zh="阴影",
        low=0.0,
        high=40.0,
        step=0.5,
    )
    box_opacity: float = option(
        0.0,
        "Of a box behind the letters, 0 to 1. 0: none.",
        zh="文字后面底框的不透明度，0 到 1。0 为无底框。",
        name_zh="底框不透明度",
        low=0.0,
        high=1.0,
        step=0.05,
    )
    box_colour: str = option(
        "#000000", "Of the box, as #rrggbb.", zh="写成 #rrggbb。", name_zh="底框颜色", unit="colour"
    )
    opacity: float = option(
        1.0,
        "Of all of it, up to 1.",
        zh="整个字幕的不透明度，最大为 1。",
        name_zh="不透明度",
        low=0.05,
        high=1.0,
        step=0.05,
    )
    position: str = option(
        "bottom",
        "Where in the frame the lines stand.",
        zh="字幕在画面中的位置：bottom 底部、middle 中间、top 顶部。",
        name_zh="位置",
        choices=POSITIONS,
    )
    margin: float = option(
        5.0,
        "Distance from the edge in per cent of the frame's height.",
        zh="距画面边缘的距离，占画面高度的百分比。",
        name_zh="边距",
        low=0.0,
        high=45.0,
        step=0.5,
    )
    fade: float = option(
        0.0,
        "Seconds in which a line comes, and in which it goes. 0: at once.",
        zh="每行字幕淡入和淡出各用的秒数。0 为直接出现和消失。",
        name_zh="淡入淡出",
        low=0.0,
        high=10.0,
        step=0.05,
    )
    seed: int = option(
        0,
        "Of random lines and of a random look. The same seed gives the same pixels.",
        zh="决定随机文字和随机外观。种子相同，像素就相同。",
        name_zh="种子",
        least=0,
        most=2**31 - 1,
    )

    def __post_init__(self):
        from .subtitle_file import FORMATS  # what reads them is no part of ComfyUI's start

        object.__setattr__(self, "scripts", split_scripts(self.scripts))
        object.__setattr__(self, "font", self.font.strip())
        for name in ("colour", "outline_colour", "box_colour"):
            rgb(getattr(self, name), name)
        require_valid(self)
        if self.file and Path(self.file).suffix.lower() not in FORMATS:
            raise ClearError(
                f"{Path(self.file).name} is not a subtitle file that can be read. Give one of {', '.join(FORMATS)}."
            )


def rgb(text: str, name: str = "colour") -> tuple[int, int, int]:
    """#rrggbb or #rgb -> (red, green, blue) 0..255. Raises ClearError that names the setting."""
    digits = re.fullmatch(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})", text.strip())
    if not digits:
        raise ClearError(
            f"{name} is {text!r}, which is no colour. Write it as #rrggbb: #ffffff is white, #ffe14d yellow."
        )
    pairs = digits[1] if len(digits[1]) == 6 else "".join(c + c for c in digits[1])
    red, green, blue = (int(pairs[i : i + 2], 16) for i in (0, 2, 4))
    return red, green, blue


def split_scripts(scripts) -> tuple[str, ...]:
    """Names of scripts, as a sequence or parted by commas. Raises ClearError for one that is not known."""
    listed = scripts.split(",") if isinstance(scripts, str) else scripts
    names = tuple(dict.fromkeys(name.strip().lower() for name in listed if name.strip()))
    unknown = [name for name in names if name not in SCRIPTS]
    if unknown or not names:
        raise ClearError(
            f"There are no letters for {', '.join(unknown) or 'no script at all'}. Choose from {', '.join(SCRIPTS)}."
        )
    return names
