"""Video files, frame by frame: what a file is, and its frames in order.

Frames are float tensors [H, W, 3] in 0..1, upright (a rotation stored in the file is applied). Nothing here holds
more than one frame. PyAV is imported when a file is first opened.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import ClearError
from .chroma_location import chroma_location
from .clock import zero_of
from .colour import Colour, converter, depth_of, to_rgb
from .counted import announced, stored
from .mastering import Mastering, mastering_of

log = logging.getLogger(__name__)

ATTACHED_PICTURE = 0x400
"""FFmpeg's AV_DISPOSITION_ATTACHED_PIC: a cover, and not a film."""

STILL_CODECS = {"mjpeg", "png", "bmp", "tiff", "webp"}
"""What covers are coded with, also where nothing says that they are covers."""
TRANSPARENT = ("yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya")
"""How FFmpeg's names of pixel formats with transparency begin; that of VP8 and VP9 lies beside their pictures."""
_BOTTOM_FIRST = (3, 5)
"""FFmpeg's AV_FIELD_BB and AV_FIELD_BT."""
FASTEST = 1000
"""Frames a second at most."""
SHORT = 0.02
"""Share of the frames that a file announces and that may be missing; one may in any case."""
MOST_BROKEN = 1000
"""Packets that cannot be decoded, from which on nothing more is expected of a file."""
OnDamage = Callable[[str], None]
"""Told in words what of a file could not be read."""


@dataclass(frozen=True)
class Facts:
    """What a video file says about itself. Sizes are in pixels of the upright picture."""

    width: int
    height: int
    fps: Fraction  # frames per second, average
    frames: int | None  # None where the container does not say; counting would mean decoding
    start: Fraction  # time of the first frame, seconds
    rotation: int  # degrees, anticlockwise, that were applied to make the picture upright: 0, 90, 180, 270
    colour: Colour
    pixel_format: str
    codec: str
    audio: str | None  # codec of the first audio stream
    aspect: Fraction = Fraction(1)  # width of a pixel over its height, upright
    depth: int = 8  # bits of a sample
    chroma: str = "420"  # how finely colour is stored: 420, 422 or 444
    interlaced: bool = False
    bottom_first: bool = False  # whether the lower field of an interlaced frame is shown first
    seconds: Fraction | None = None  # how long it is, where the container says
    chroma_location: str = ""  # of samples as stored, FFmpeg's name; "" where the stream does not say
    matrix: tuple[int, ...] | None = None  # how players turn the picture, as containers have it: 9 numbers
    transparent: bool = False
    mastering: Mastering | None = None  # what HDR was mastered on, as far as the first frame says

    def as_stored(self) -> Facts:
        """The same of its pictures as they lie in the file, not turned."""
        if self.rotation % 180 == 0:
            return replace(self, rotation=0)
        return replace(self, width=self.height, height=self.width, aspect=1 / self.aspect, rotation=0)


def _refuse(path: Path, why: str) -> ClearError:
    return ClearError(f"{path.name}: {why}")


def named(path: str | PathLike) -> str:
    """A file's name as FFmpeg takes it: of a relative one, what stands in front of a colon would be a protocol."""
    return str(Path(path).absolute())


def _open(path: Path):
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    if not path.exists():
        raise _refuse(path, f"there is no such file in {path.absolute().parent}. Check the name.")
    if path.is_dir():
        raise _refuse(path, "this is a folder. Name one video file in it.")
    if path.stat().st_size == 0:
        raise _refuse(path, "the file is empty (0 bytes). Copy or download it again.")
    try:
        container = av.open(named(path))
    except (av.FFmpegError, OSError) as error:
        raise _refuse(
            path,
            f"this is not a video that FFmpeg can read ({error.strerror}). It may be damaged, cut short, or another "
            "kind of file.",
        ) from error
    # A still picture has a video stream too; it works as a video of one frame.
    if all(map(is_cover, container.streams.video)):
        cover = " but a cover picture" if container.streams.video else ""
        container.close()
        raise _refuse(
            path, f"there is no video stream in this file{cover}, only other streams. Choose a file with a picture."
        )
    return container


def is_cover(stream) -> bool:
    """Whether a video stream is a picture that stands for the file."""
    return bool(int(getattr(stream, "disposition", 0)) & ATTACHED_PICTURE)


def codec_of(stream) -> str:
    """What a stream is coded with, by the codec's own name: a decoder may be called otherwise (mp3float)."""
    context = stream.codec_context
    return getattr(context.codec, "canonical_name", context.name)


def main_stream(container):
    """The film among a container's streams: no cover, none of a single picture where there are others, and the one of
    the largest pictures."""
    films = [stream for stream in container.streams.video if not is_cover(stream)]
    moving = [one for one in films if one.frames != 1 and codec_of(one) not in STILL_CODECS]
    return max(moving or films, key=lambda one: (one.codec_context.width or 0) * (one.codec_context.height or 0))


def read_facts(path: str | PathLike) -> Facts:
    """The facts of a video file. Decodes one frame, so a file without any is refused. Raises ClearError."""
    path = Path(path)
    with _open(path) as container:
        stream = main_stream(container)
        zero, named = zero_of(container), stored(container, stream, path)
        first = next(_decode(container, path), None)
        if first is None:
            raise _refuse(path, "the video stream holds no frame. Choose another file.")
        rate = rate_of(container, stream)
        if not rate:
            raise _refuse(path, "the file does not tell its frame rate. Convert it to MP4 or MKV first.")
        if rate > FASTEST:
            raise _refuse(
                path,
                f"the file says that it shows {float(rate):g} frames a second, and {FASTEST} is the most that can be "
                "worked with. Convert it to MP4 or MKV at its own rate first.",
            )
        turn = _quarter_turns(first)
        width, height = (first.height, first.width) if turn % 2 else (first.width, first.height)
        aspect = Fraction(stream.sample_aspect_ratio or 1)
        return Facts(
            width,
            height,
            Fraction(rate),
            named or announced(stream) or None,
            _seconds(first, zero) or Fraction(0),
            turn * 90,
            _colour(stream),
            first.format.name,
            codec_of(stream),
            codec_of(container.streams.audio[0]) if container.streams.audio else None,
            1 / aspect if turn % 2 else aspect,
            depth_of(first.format),
            _chroma(first),
            bool(first.interlaced_frame),
            int(getattr(stream.codec_context, "field_order", 0)) in _BOTTOM_FIRST,
            _duration(container, stream),
            chroma_location(codec_of(stream), stream.codec_context.extradata),
            _matrix(first),
            first.format.name.startswith(TRANSPARENT) or stream.metadata.get("alpha_mode") == "1",
            mastering_of(first),
        )


def rate_of(container, stream) -> Fraction | None:
    """Frames a second; where the file says what cannot be, by its length and how many it has, or by what its pictures
    say (of DV, FFmpeg takes the clock's rate for the average)."""
    said = [rate for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate) if rate]
    seconds = _duration(container, stream)
    if said and said[0] > FASTEST and stream.frames and seconds:
        return Fraction(stream.frames) / seconds
    return next((rate for rate in said if rate <= FASTEST), next(iter(said), None))


def _colour(stream) -> Colour:
    context = stream.codec_context
    return Colour(
        int(context.colorspace), int(context.color_primaries), int(context.color_trc), int(context.color_range) == 2
    )


def _chroma(frame) -> str:
    """How finely a frame stores colour; what is coarser than 420, or has none, counts as 420."""
    if frame.format.is_rgb:
        return "444"
    parts = frame.format.components
    if len(parts) < 3 or parts[1].height < frame.height:
        return "420"
    return "422" if parts[1].width < frame.width else "444"


def _duration(container, stream) -> Fraction | None:
    if stream.duration:
        return stream.duration * stream.time_base
    return Fraction(container.duration, 1_000_000) if container.duration else None


def last_shown_for(path: Path) -> Fraction | None:
    """Seconds for which a film's last frame is shown, if the file says it."""
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    with _open(path) as container:
        stream = main_stream(container)
        with suppress(av.FFmpegError):  # some cannot be sought in: they are gone through
            container.seek(max(0, container.duration or 0), backward=True)
        shown: tuple[Fraction, Fraction | None] = Fraction(-1), None
        with suppress(av.FFmpegError):
            for packet in container.demux(stream):
                if packet.pts is not None:
                    lasts = packet.duration * packet.time_base if packet.duration else None
                    shown = max(shown, (packet.pts * packet.time_base, lasts), key=lambda one: one[0])
    return shown[1]


def read_timed_frames(
    path: str | PathLike, since: Fraction | None = None, on_damage: OnDamage = log.warning
) -> Iterator[tuple[Fraction | None, Tensor]]:
    """Every frame [H, W, 3] in display order with its time in seconds, as read_stored_frames has them. Raises
    ClearError."""
    by = converter()
    return ((when, upright(stored, colour, by)) for when, stored, colour in read_stored_frames(path, since, on_damage))


def read_stored_frames(
    path: str | PathLike, since: Fraction | None = None, on_damage: OnDamage = log.warning
) -> Iterator[tuple[Fraction | None, Any, Colour]]:
    """(time in seconds, PyAV's frame, the file's colour) of every frame in display order; the time is None where the
    file gives none. since: those shown before that time are left out, and where the file can be sought in they are not
    decoded either. on_damage: what cannot be read is left out too, and told. Raises ClearError."""
    path = Path(path)
    with _open(path) as container:
        colour, zero = _colour(main_stream(container)), zero_of(container)
        if since is not None:
            _seek(container, path, since + zero)
        for frame in _decode(container, path, on_damage, whole=since is None):
            when = _seconds(frame, zero)
            if since is None or when is None or when >= since:
                yield when, frame, colour


def _seek(container, path: Path, since: Fraction) -> None:
    """Go to the last keyframe that is shown no later than a time of the container's own clock, where the file can do
    that; else to the beginning."""
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    stream = main_stream(container)
    begin = stream.start_time or 0
    for at in (int(since / stream.time_base), begin):
        try:
            container.seek(at, stream=stream)
            first = next(_decode(container, path), None)
            when = None if first is None else _seconds(first)
            if at == begin or when is not None and when <= since:
                container.seek(at, stream=stream)
                return
        except (av.FFmpegError, ClearError):
            continue


def read_frames(path: str | PathLike) -> Iterator[Tensor]:
    """Every frame [H, W, 3] in display order. Raises ClearError."""
    return (frame for _, frame in read_timed_frames(path))


def read_spans(path: str | PathLike, spans: Sequence[range]) -> Iterator[tuple[int, Tensor]]:
    """(number, frame [H, W, 3]) of the frames that any of the spans holds, in display order, each once. Raises
    ClearError.

    The frames between are decoded, since later ones build on them, but not converted; nothing after the last span is
    read.
    """
    path, stop = Path(path), max((span.stop for span in spans), default=0)
    if not stop:
        return
    with _open(path) as container:
        colour, by = _colour(main_stream(container)), converter()
        for number, frame in enumerate(_decode(container, path)):
            if any(number in span for span in spans):
                yield number, upright(frame, colour, by)
            if number + 1 >= stop:
                return


def count_frames(path: str | PathLike, on_frame: Callable[[int], None] | None = None) -> int:
    """Decode a file to its end and count. on_frame(frames so far) may raise to stop. Raises ClearError."""
    path, count = Path(path), 0
    with _open(path) as container:
        for count, _ in enumerate(_decode(container, path), 1):
            if on_frame:
                on_frame(count)
    return count


def upright(frame, colour: Colour, by) -> Tensor:
    """A decoded frame as [H, W, 3] in 0..1, turned as the file says. by: the converter of its video."""
    return torch.rot90(to_rgb(frame, colour, by), _quarter_turns(frame))


def _decode(container, path: Path, on_damage: OnDamage = log.warning, whole: bool = True) -> Iterator:
    """The film's frames in display order. What is damaged is left out and told, but a file of which nothing can be
    read is refused. whole: whether it is read from its first frame on, so that they can be counted."""
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    stream = main_stream(container)
    with suppress(RuntimeError):  # it has been set, if frames of this container were decoded before
        stream.thread_type = "AUTO"
    count, broken, last, zero, named = 0, 0, Fraction(0), zero_of(container), stored(container, stream, path)
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                break
            for frame in packet.decode():
                yield frame
                count, last = count + 1, _seconds(frame, zero) or last
        except av.FFmpegError as error:
            broken += 1
            if isinstance(error, av.InvalidDataError) and broken < MOST_BROKEN:
                continue  # the next packet may be whole
            if count:
                on_damage(
                    f"{path.name}: the video is damaged after {float(last):.2f} s; the rest cannot be read "
                    f"({error.strerror})."
                )
                return
            raise _refuse(
                path, f"the video is damaged, and no frame can be read ({error.strerror}). Repair it first."
            ) from error
    said = announced(stream)
    expected = named if named >= count else said  # without an index, those alone that were read ahead are named
    if broken and not whole:
        on_damage(f"{path.name}: the video is damaged; not all of its frames could be read.")
    elif broken or whole and expected - count > max(1, SHORT * expected):
        read = f"{count} of {expected}" if expected else str(count)
        on_damage(f"{path.name}: the video is damaged; {read} frames could be read.")
    elif whole and named >= count > 0 and said - count > 1:
        on_damage(
            f"{path.name}: its AVI has {count} frames in {said} places of one length, each shown until the next. "
            "None is missing, and all keep their times."
        )


def _seconds(frame, zero: Fraction = Fraction(0)) -> Fraction | None:
    return None if frame.pts is None else frame.pts * frame.time_base - zero


def _quarter_turns(frame) -> int:
    """Anticlockwise quarter turns that make the frame upright, as torch.rot90 counts them."""
    return round(getattr(frame, "rotation", 0) / 90) % 4


def _matrix(frame) -> tuple[int, ...] | None:
    """FFmpeg's display matrix of a frame."""
    data = next((bytes(one) for one in frame.side_data if one.type.name == "DISPLAYMATRIX"), None)
    return None if data is None else struct.unpack("=9i", data)


def keeps_turn() -> bool:
    """Whether a new file can say how its picture is turned: with PyAV before 17 it is stored upright instead."""
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    return hasattr(av.VideoStream, "set_display_matrix")
