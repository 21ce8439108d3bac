"""What can be asked of a film's run beyond what a removal takes; light, for ComfyUI's start shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from ..errors import ClearError
from ..frames.region import Region
from ..option import option, require_valid
from ..options import RemoveOptions
from .timecode import seconds_of


@dataclass(frozen=True)
class FilmOptions:
    """What of a film is cleaned, and how it is stored."""

    start: str = option(
        "",
        "Time from which on subtitles are removed, as 1:23:45.6 or in seconds. Empty: from the beginning. What lies "
        "before comes back as it is.",
        zh="从什么时间开始去字幕，写作 1:23:45.6 或秒数。留空：从头开始。之前的部分原样保留。",
        name_zh="开始时间",
        unit="time",
    )
    end: str = option(
        "",
        "Time up to which subtitles are removed. Empty: to the end.",
        zh="去字幕到什么时间为止。留空：到片尾。",
        name_zh="结束时间",
        unit="time",
    )
    area: str = option(
        "",
        "Rectangle outside of which nothing is removed: left,top,width,height in pixels of the upright picture, or in "
        "per cent as 0%,70%,100%,30%. Empty: the whole picture.",
        zh="只在这个矩形内去字幕：左,上,宽,高，按转正后的画面以像素计，也可用百分比，如 0%,70%,100%,30%。"
        "留空：整幅画面。",
        name_zh="区域",
        unit="left,top,width,height",
    )
    scene_cuts: bool = option(
        True,
        "Nothing is blended across a cut to another shot. Off: where fades or flashes are taken for cuts.",
        zh="不跨镜头切换做混合。淡入淡出或闪光被误认为切换时可关闭。",
        name_zh="镜头切换",
    )
    copy_unchanged: bool = option(
        True,
        "Where nothing changes from one keyframe to another, the film's own packets are taken over as they are, if the "
        "result has the source's codec: bit for bit, and faster. Off: all of it is encoded anew, at the quality asked "
        "for.",
        zh="从一个关键帧到另一个关键帧之间若没有任何改动，且结果与原片编码相同，就原样复制原片的数据包：逐位一致，而且更快。"
        "关闭：按所选质量全部重新编码。",
        name_zh="未改动处直接复制",
    )

    def __post_init__(self):
        require_valid(self)
        begins, ends = self.times
        if begins is not None and ends is not None and ends <= begins:
            raise ClearError(f"end ({self.end}) is not after start ({self.start}). Give a later one.")
        _sides(self.area)

    @property
    def times(self) -> tuple[Fraction | None, Fraction | None]:
        """(start, end) in seconds; None where none is given."""
        return seconds_of(self.start, "start"), seconds_of(self.end, "end")

    def region(self, height: int, width: int) -> Region | None:
        """The area in a frame of that size, as far as it lies in it; None for the whole picture. Raises ClearError
        where nothing of it does."""
        sides = _sides(self.area)
        if sides is None:
            return None
        left, top, wide, tall = (
            round(value * whole / 100) if per_cent else round(value)
            for (value, per_cent), whole in zip(sides, (width, height, width, height))
        )
        region = Region.between(max(0, top), max(0, left), min(height, top + tall), min(width, left + wide))
        if region.height < 1 or region.width < 1:
            raise ClearError(f"The area {self.area} has no pixel of the picture of {width}x{height} pixels in it.")
        return region


def _sides(area: str) -> list[tuple[float, bool]] | None:
    """(number, whether it is in per cent) of left, top, width and height."""
    if not area.strip():
        return None
    found = [re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", side) for side in area.split(",")]
    if len(found) != 4 or None in found:
        raise ClearError(
            f"The area is {area!r}. Write four numbers: left,top,width,height in pixels, or in per cent as "
            "0%,70%,100%,30%."
        )
    return [(float(one[1]), bool(one[2])) for one in found if one is not None]


@dataclass(frozen=True)
class RemoveFilmOptions:
    """All that can be asked where a file is cleaned."""

    film: FilmOptions = field(default_factory=FilmOptions)
    remove: RemoveOptions = field(default_factory=RemoveOptions)
