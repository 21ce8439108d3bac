"""What a film can be stored with, and how its quality is named: one scale for all, x264's."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from ..errors import ClearError

if TYPE_CHECKING:  # ComfyUI's start shows the names of codecs, and reads no video
    from .video import Facts

CLOSE, LARGEST = 7.0, 51.0
"""On x264's scale: as close to the source as is asked for by default, and the smallest file."""
AS_SOURCE = "as the source"


@dataclass(frozen=True)
class VideoCodec:
    """name: FFmpeg's. encoder: what writes it. quality: the encoder's option for it, whose values `close` and `largest`
    stand for CLOSE and LARGEST (`least` for 0). options: for one file; joins: more, for a part that is laid end to
    end with others: no frame is stored before one that is shown before it, and the same frames give the same bytes.
    fields: what the encoder is told for interlaced frames, by whether the lower field comes first. endings: of files
    that hold it. part: the ending of such a part. forms: FFmpeg's pixel formats that it takes."""

    name: str
    encoder: str
    close: float
    largest: float
    forms: frozenset[str]
    endings: frozenset[str]
    quality: str = "crf"
    options: Mapping[str, str] = field(default_factory=dict)
    joins: Mapping[str, str] = field(default_factory=dict)
    least: int = 0
    fields: Mapping[bool, str] = field(default_factory=dict)
    part: str = ".nut"  # it keeps every clock as it is

    def among(self, told: str) -> VideoCodec:
        """The same for packets that lie among others; told: as groups.among says."""
        parameters = {name: f"{value}:{told}" for name, value in self.joins.items() if told and "params" in name}
        return replace(self, joins={**self.joins, **parameters})

    def keeps_fields(self, facts: Facts) -> bool:
        """Whether its frames are interlaced as a film's are."""
        return facts.interlaced and bool(self.fields) and facts.height % FIELD_LINES == 0

    def interlaced(self, bottom_first: bool) -> VideoCodec:
        """The same for interlaced frames."""
        return self.told(self.fields[bottom_first])

    def told(self, more: str) -> VideoCodec:
        """The same with more parameters of the encoder's own."""
        name = f"{self.encoder.removeprefix('lib')}-params"
        options = {**self.options, name: ":".join(filter(None, (self.options.get(name), more)))}
        joins = {**self.joins, name: f"{self.joins[name]}:{more}"} if name in self.joins else self.joins
        return replace(self, options=options, joins=joins)

    def coding(self, crf: float, joins: bool) -> dict[str, str]:
        """The encoder's options for a quality on x264's scale."""
        os.environ.setdefault("SVT_LOG", "1")  # errors alone: else the AV1 encoder talks to the terminal
        near = crf * self.close / CLOSE
        value = near if crf <= CLOSE else self.close + (crf - CLOSE) * (self.largest - self.close) / (LARGEST - CLOSE)
        shown = f"{value:g}" if self.encoder == "libx264" else str(max(self.least, round(value)))
        return {self.quality: shown, **self.options, **(self.joins if joins else {})}


PLANAR = frozenset(f"yuv{chroma}p{depth}" for chroma in ("420", "422", "444") for depth in ("", "10le"))
EIGHT, QUARTER = frozenset(one for one in PLANAR if "10" not in one), frozenset(("yuv420p", "yuv420p10le"))
_ANY = frozenset((".mp4", ".mov", ".mkv"))

H264 = VideoCodec(
    "h264",
    "libx264",
    CLOSE,
    LARGEST,
    PLANAR,
    _ANY,
    options={"preset": "fast"},
    # Without the tree of macroblocks x264 gives the same bytes for the same frames; with it, at widths that are no
    # multiple of 128, its choices depend on what happens to lie in memory beside a picture.
    joins={"bf": "0", "x264-params": "mbtree=0"},
    fields={False: "tff=1", True: "bff=1"},
)
HEVC = VideoCodec(
    "hevc",
    "libx265",
    10,
    51,
    PLANAR,
    _ANY,
    options={"preset": "fast", "x265-params": "log-level=none"},
    joins={"x265-params": "log-level=none:bframes=0"},
)
VP9 = VideoCodec(
    "vp9",
    "libvpx-vp9",
    1,
    63,
    EIGHT,
    frozenset((".mp4", ".mkv", ".webm")),
    options={"b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
)
AV1 = VideoCodec(
    "av1", "libsvtav1", 1, 63, QUARTER, frozenset((".mp4", ".mkv", ".webm")), options={"preset": "8"}, least=1
)
PRORES = VideoCodec(
    "prores",
    "prores_ks",
    708,
    3000,
    frozenset(("yuv422p10le", "yuv444p10le")),
    frozenset((".mov", ".mkv")),
    quality="global_quality",
    options={"flags": "+qscale"},
    least=118,
    part=".mov",
)
NVENC = {
    "h264_nvenc": VideoCodec(
        "h264", "h264_nvenc", 9, 51, QUARTER, _ANY, "qp", {"preset": "p5", "rc": "constqp"}, {"bf": "0"}
    ),
    "hevc_nvenc": VideoCodec(
        "hevc", "hevc_nvenc", 9, 51, QUARTER, _ANY, "qp", {"preset": "p5", "rc": "constqp"}, {"bf": "0"}
    ),
}
SOFTWARE = {one.name: one for one in (H264, HEVC, VP9, AV1, PRORES)}
CODECS = {**SOFTWARE, **NVENC}
CHOICES = (AS_SOURCE, *CODECS)
INSTEAD = {"H.264": H264, "VP9": VP9, "AV1": AV1}
"""What is taken where the source's own cannot be written: the first that can."""
SHAPED = {"h264", "hevc"}
"""Codecs that say themselves what shape pixels have. For others the container does; PyAV cannot have Matroska do it."""
FIELD_LINES = 4
"""Of which x264 takes a multiple where two fields share a frame of 4:2:0."""
LEAST_AV1 = 64
"""Pixels of each side that its encoder takes at least."""


def codec_for(asked: str, facts: Facts, form: str, ending: str) -> tuple[VideoCodec, str]:
    """What a film is written with, and why it is not what the source has, in words, if that was asked for. form: the
    pixel format that keeps its bits and colour. Raises ClearError for a codec that cannot be written so."""
    if asked == AS_SOURCE:
        codec = SOFTWARE.get(facts.codec)
        why = f"{facts.codec} cannot be written here" if codec is None else _unfit(codec, facts, form, ending)
        return _instead(why, facts, form, ending) if codec is None or why else (codec, "")
    codec = CODECS[asked]
    why = _unfit(codec, facts, form, ending)
    if why:
        raise ClearError(f"The result cannot be written with {asked}: {why}. Choose another codec.")
    return codec, ""


def _instead(why: str, facts: Facts, form: str, ending: str) -> tuple[VideoCodec, str]:
    for name, codec in INSTEAD.items():
        if not _unfit(codec, facts, form, ending):
            return codec, f"The result is {name}, for {why}."
    raise ClearError(f"The result cannot be written to {ending}: {why}, nor {' or '.join(INSTEAD)}. Choose .mkv.")


def _unfit(codec: VideoCodec, facts: Facts, form: str, ending: str) -> str:
    if ending.lower() not in codec.endings:
        return f"{codec.name} does not go into {ending}"
    if form not in codec.forms:
        return f"{codec.encoder} does not take pictures as {form}"
    if ending.lower() == ".mkv" and facts.aspect != 1 and codec.name not in SHAPED:
        return f"{codec.name} in .mkv does not say that pixels are {facts.aspect.numerator}:{facts.aspect.denominator}"
    if codec.encoder == "libsvtav1" and min(facts.width, facts.height) < LEAST_AV1:
        return f"{codec.encoder} takes no side under {LEAST_AV1} pixels"
    return "" if _opens(codec) else f"there is no {codec.encoder} on this machine"


def _opens(codec: VideoCodec) -> bool:
    """Whether the encoder is there, and its hardware."""
    # brings FFmpeg's libraries: only where a file is written
    import av

    try:
        context = av.VideoCodecContext.create(codec.encoder, "w")
        if codec in SOFTWARE.values():
            return True
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height, context.pix_fmt = 256, 256, "yuv420p"
        context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
        context.open()
    except (av.FFmpegError, ValueError):
        return False
    return True


@contextmanager
def same_priority() -> Iterator[None]:
    """SVT-AV1, when it is opened, makes a process of root's a real-time one, and all that it starts: others wait."""
    if not hasattr(os, "sched_getscheduler"):  # Linux alone has them
        yield
        return
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if os.sched_getscheduler(0) != policy:
            os.sched_setscheduler(0, policy, priority)
