"""A video file that is written frame by frame, and never left half."""

from __future__ import annotations

import errno
import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..atomic import WholeFile
from ..errors import ClearError
from .audio_track import Feed, Packets, waveform_packets
from .beside import everything_else, name_film
from .clock import MPEG_CLOCK
from .codecs import H264, VideoCodec, same_priority
from .colour import BT709, MATRICES, UNTAGGED, Colour, converter, to_stored
from .steady import ShownFrame
from .untouched import same_form, with_touched
from .video import Facts, named

log = logging.getLogger(__name__)

# A second encoding of six subtitled clips at x264's crf 10 stays 42.2 to 44.5 dB from the clip in untouched places;
# crf 16 gives 38.5 to 42.3 dB. Files are about as large as those of a careful first encoding.
VISUALLY_LOSSLESS_CRF = 10
FASTEST_CLOCK = 100_000_000
"""Ticks a second, well within the 32 bits that a container has for them."""


def require_writable(width: int, height: int, fps: Fraction, crf: float) -> None:
    """Raise ClearError for what no encoder takes."""
    if width < 2 or height < 2 or fps <= 0 or not 0 <= crf <= 51:
        raise ClearError(
            f"A {width}x{height} video at {float(fps):g} frames per second with crf {crf:g} cannot be "
            "written. Use sides of 2 pixels or more, a rate above 0, and a crf from 0 to 51."
        )


def _tick(fps: Fraction) -> Fraction:
    """The unit of a file's clock in seconds: the frame rate's own times are exact in it, and MPEG's (1/90000) too."""
    common = math.lcm(fps.numerator, MPEG_CLOCK)
    if common > FASTEST_CLOCK:
        common = fps.numerator * max(1, MPEG_CLOCK // fps.numerator)
    return Fraction(1, common)


def stored_as(width: int, height: int, depth: int = 8, chroma: str = "420") -> str:
    """The pixel format of a new video: the source's fineness of colour, 8 bits or 10. 4:2:0 cannot hold an odd side,
    nor 4:2:2 an odd width; those are stored as 4:4:4: the picture keeps its size, at the price that some hardware
    players refuse the file."""
    odd = width % 2 or (chroma == "420" and height % 2)
    return f"yuv{'444' if odd else chroma}p{'10le' if depth > 8 else ''}"


def _container_flags(path: Path, texts: bool) -> dict[str, str]:
    """An index in front, to begin before all is there, and texts under any name: MP4 keeps a few alone without, and no
    cover with."""
    flags = "+faststart+use_metadata_tags" if texts else "+faststart"
    return {"movflags": flags} if path.suffix.lower() in (".mp4", ".mov") else {}


def _coding(codec: VideoCodec, crf: float, joins: bool, like: Facts | None) -> dict[str, str]:
    """The encoder's options, for frames as a source has them."""
    if like is not None and codec.keeps_fields(like):
        codec = codec.interlaced(like.bottom_first)
    if like is not None and like.mastering is not None and (told := like.mastering.told(codec.encoder)):
        codec = codec.told(told)
    return codec.coding(crf, joins)


def _seekable(frames: int | None) -> dict[str, str]:
    return {"g": str(frames)} if frames else {}


def _located(like: Facts | None, form: str) -> dict[str, str]:
    """The encoder's option for where colour samples lie: those of 4:2:0 are the source's own unless it is turned."""
    if like is None or like.rotation or not like.chroma_location or "420" not in form or like.chroma != "420":
        return {}
    return {"chroma_sample_location": like.chroma_location}


class VideoWriter:
    """Writes a video frame by frame to a temporary name and renames it when closed whole.

    Use it in a `with` block: an exception inside removes what was written.

    path          ends in .mp4, .mov or .mkv; an existing file is replaced when the new one is whole
    width, height pixels
    fps           frames per second, for frames written without a time
    crf           x264's constant rate factor, 0 (lossless) to 51; of another codec, what comes as close
    colour        the tags to write, and the matrix that RGB is converted with (media/colour.py); BT.709 instead of
                  a matrix that is not in MATRICES
    beside        a file all of which but its film is taken over (media/beside.py)
    audio         or a waveform ([channels, samples], samples per second)
    start         time of the first frame in seconds, when frames come without a time
    like          a source's facts: as many bits, as fine colour, the same shape of pixels
    joins         it is a part of a film that is laid end to end with others: no frame is stored before one that is
                  shown before it, so that times rise across the joints; and the same frames give the same bytes, so
                  that a part that is made again is the one that it was
    notes         texts kept in the file by name, as ComfyUI keeps a workflow
    codec         what it is stored with (media/codecs.py); it has to take the pixel format that `like` comes to
    turns         anticlockwise quarter turns that make upright what is stored; frames are given upright. Who lays parts
                  end to end says so in the film
    seekable      frames between two from which a player can begin; None leaves it to x264 (250)

    Raises ClearError for a disk that is full or a folder that cannot be written.
    """

    def __init__(
        self,
        path: str | PathLike,
        width: int,
        height: int,
        fps: Fraction | float,
        crf: float = VISUALLY_LOSSLESS_CRF,
        colour: Colour = BT709,
        beside: str | PathLike | None = None,
        audio: tuple[Tensor, int] | None = None,
        start: Fraction = Fraction(0),
        like: Facts | None = None,
        joins: bool = False,
        notes: Mapping[str, str] | None = None,
        seekable: int | None = None,
        codec: VideoCodec = H264,
        turns: int = 0,
    ):
        # brings FFmpeg's libraries: only where a file is read or written
        import av

        self.path, self.frames, self._size, self._turns = Path(path), 0, (height, width), turns
        if turns:
            width, height = (height, width) if turns % 2 else (width, height)
            like = like and like.as_stored()
        self._fps = Fraction(fps).limit_denominator(1_000_000)
        self._start = Fraction(start)
        known = colour.matrix in (*MATRICES, UNTAGGED.matrix)
        self._colour = colour = colour if known else replace(colour, matrix=BT709.matrix)
        require_writable(width, height, self._fps, crf)
        self._tick, self._converter = _tick(self._fps), converter()
        self._whole = WholeFile(self.path)
        self._part = self._whole.part
        self._container = None
        try:
            self._part.touch()  # PyAV itself opens the file only at the first packet
            self._container = av.open(named(self._part), "w", options=_container_flags(self.path, bool(notes)))
            self._container.metadata.update(notes or {})
            self._format = stored_as(width, height, like.depth, like.chroma) if like else stored_as(width, height)
            encoder = {**_coding(codec, crf, joins, like), **_seekable(seekable), **_located(like, self._format)}
            stream: Any = self._container.add_stream(codec.encoder, rate=self._fps, options=encoder)
            stream.width, stream.height = width, height
            stream.pix_fmt = self._format
            context = stream.codec_context
            context.time_base = stream.time_base = self._tick
            context.colorspace, context.color_primaries = colour.matrix, colour.primaries
            context.color_trc, context.color_range = colour.transfer, 2 if colour.full_range else 1
            if like is not None:
                context.sample_aspect_ratio = like.aspect
            self._stream = stream
            self._beside = Feed(self._container, self._other_packets(beside, audio))
        except (av.FFmpegError, OSError) as error:
            self.discard()
            raise self._refused(error) from error
        except ClearError:
            self.discard()
            raise
        if "444" in self._format and not (like and like.chroma == "444"):
            log.info("%s: %dx%d has an odd side, stored as 4:4:4", self.path.name, width, height)

    def _other_packets(self, beside: str | PathLike | None, audio: tuple[Tensor, int] | None) -> Packets:
        if beside is not None and audio is not None:
            raise ClearError("The sound is given twice, as a file and as a waveform. Give one of the two.")
        if beside is not None:
            name_film(self._stream, beside)
            return everything_else(self._container, beside)
        return iter(()) if audio is None else waveform_packets(self._container, *audio)

    def write(
        self, frame: Tensor, time: Fraction | None = None, mask: Tensor | None = None, source: ShownFrame | None = None
    ) -> None:
        """Append one frame [H, W, 3], shown at `time` seconds (default: `start` + index / fps). Times must rise. Where
        mask [H, W] is nothing it is the source's frame, and gets its samples as they are stored, if it can."""
        if tuple(frame.shape) != (*self._size, 3):
            raise ClearError(
                f"Frame {self.frames} of {self.path.name} has the shape {tuple(frame.shape)}, "
                f"not {(*self._size, 3)}. Give all frames of a video the same size."
            )
        when = self._start + self.frames / self._fps if time is None else time
        lying = torch.rot90(frame, -self._turns)
        how = self._format, self._colour, self._converter
        if mask is not None and source is not None and same_form(source.stored, self._format, self._turns):
            picture = with_touched(lying, source.stored, torch.rot90(mask, -self._turns), *how)
        else:
            picture = to_stored(lying, *how)
        self._put(picture, when)

    def write_as_it_is(self, source: ShownFrame) -> None:
        """Append a frame of a source at its own time: the samples as they are stored, if the form is the same."""
        if not same_form(source.stored, self._format, self._turns):
            self.write(source.picture(), source.time)
            return
        source.stored.pict_type = 0  # the encoder chooses its own keyframes
        self._put(source.stored, source.time)

    def _put(self, picture, when: Fraction) -> None:
        # brings FFmpeg's libraries: only where a file is read or written
        import av

        container = self._container
        if container is None:
            raise ValueError(f"{self.path.name} has been closed; it takes no more frames.")
        picture.pts, picture.time_base = round(when / self._tick), self._tick
        try:
            with same_priority():
                packets = self._stream.encode(picture)
            container.mux(packets)
            self._beside.advance(when)
        except (av.FFmpegError, OSError) as error:
            self.discard()
            raise self._refused(error) from error
        self.frames += 1

    def close(self) -> None:
        """Finish the file and give it its name. A video without frames is refused."""
        # brings FFmpeg's libraries: only where a file is read or written
        import av

        if self._container is None:
            return
        if not self.frames:
            self.discard()
            raise ClearError(f"{self.path.name}: there are no frames to write. Give at least one.")
        try:
            self._container.mux(self._stream.encode())
            self._beside.finish()
            container, self._container = self._container, None
            container.close()
            self._whole.keep()
        except (av.FFmpegError, OSError) as error:
            self.discard()
            raise self._refused(error) from error

    def discard(self) -> None:
        """Drop what was written; nothing stays under the final name."""
        # brings FFmpeg's libraries: only where a file is read or written
        import av

        container, self._container = self._container, None
        if container is not None:
            try:
                container.close()
            except (av.FFmpegError, OSError) as error:
                log.debug("closing %s: %s", self._part.name, error)
        self._whole.drop()

    def _refused(self, error: Exception) -> ClearError:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return ClearError(
                f"{self.path}: no room left to write it. Free some space or choose another folder; "
                "nothing half-written was left behind."
            )
        return ClearError(
            f"{self.path}: cannot be written ({getattr(error, 'strerror', None) or error}). "
            "Check that the folder exists and that you may write there."
        )

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind, value, trace) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()
