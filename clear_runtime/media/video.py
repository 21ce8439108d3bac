"""Video files, frame by frame: what a file is, its frames in order, and a writer that never leaves half a file.

Frames are float tensors [H, W, 3] in 0..1, upright (a rotation stored in the file is applied). Nothing here holds
more than one frame. PyAV is imported when a file is first opened.
"""

from __future__ import annotations

import errno
import logging
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import torch
from torch import Tensor

from ..atomic import WholeFile
from ..errors import ClearError
from .audio_track import audio_track

log = logging.getLogger(__name__)

# A second encoding of six subtitled clips at x264's crf 10 stays 42.2 to 44.5 dB from the clip in untouched places;
# crf 16 gives 38.5 to 42.3 dB. Files are about as large as those of a careful first encoding.
VISUALLY_LOSSLESS_CRF = 10
MPEG_CLOCK = 90_000
"""Ticks a second of MPEG's own clock."""
FASTEST_CLOCK = 100_000_000
"""Ticks a second, well within the 32 bits that a container has for them."""


@dataclass(frozen=True)
class Colour:
    """Colour tags as the numbers of ITU-T H.273: matrix, primaries, transfer; `full_range` for 0..255 luma."""

    matrix: int = 1  # BT.709
    primaries: int = 1
    transfer: int = 1
    full_range: bool = False


BT709 = Colour()
UNTAGGED = Colour(2, 2, 2)
# Matrices that a picture can be stored with, and swscale's numbers of them (SWS_CS_*); an untagged file is read with
# BT.601.
MATRICES = {1: 1, 2: 5, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}


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


def _refuse(path: Path, why: str) -> ClearError:
    return ClearError(f"{path.name}: {why}")


def _open(path: Path):
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    if not path.exists():
        raise _refuse(path, f"there is no such file in {path.parent}. Check the name.")
    if path.is_dir():
        raise _refuse(path, "this is a folder. Name one video file in it.")
    if path.stat().st_size == 0:
        raise _refuse(path, "the file is empty (0 bytes). Copy or download it again.")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise _refuse(
            path,
            f"this is not a video that FFmpeg can read ({error.strerror}). "
            "It may be damaged, cut short, or another kind of file.",
        ) from error
    # A still picture has a video stream too; it works as a video of one frame.
    if not container.streams.video:
        container.close()
        raise _refuse(path, "there is no video stream in this file, only other streams. Choose a file with a picture.")
    return container


def read_facts(path: str | os.PathLike) -> Facts:
    """The facts of a video file. Decodes one frame, so a file without any is refused. Raises ClearError."""
    path = Path(path)
    with _open(path) as container:
        stream = container.streams.video[0]
        first = next(_decode(container, path), None)
        if first is None:
            raise _refuse(path, "the video stream holds no frame. Choose another file.")
        context = stream.codec_context
        rate = stream.average_rate or stream.guessed_rate or stream.base_rate
        if not rate:
            raise _refuse(path, "the file does not tell its frame rate. Convert it to MP4 or MKV first.")
        turn = _quarter_turns(first)
        width, height = (first.height, first.width) if turn % 2 else (first.width, first.height)
        return Facts(
            width,
            height,
            Fraction(rate),
            stream.frames or None,
            _seconds(first) or Fraction(0),
            turn * 90,
            Colour(
                int(context.colorspace),
                int(context.color_primaries),
                int(context.color_trc),
                int(context.color_range) == 2,
            ),
            first.format.name,
            context.name,
            container.streams.audio[0].codec_context.name if container.streams.audio else None,
        )


def read_timed_frames(path: str | os.PathLike) -> Iterator[tuple[Fraction | None, Tensor]]:
    """Every frame in display order with its time in seconds (None where the file gives none). Raises ClearError."""
    path = Path(path)
    with _open(path) as container:
        for frame in _decode(container, path):
            yield _seconds(frame), _upright(frame)


def read_frames(path: str | os.PathLike) -> Iterator[Tensor]:
    """Every frame [H, W, 3] in display order. Raises ClearError."""
    return (frame for _, frame in read_timed_frames(path))


def read_spans(path: str | os.PathLike, spans: Sequence[range]) -> Iterator[tuple[int, Tensor]]:
    """(number, frame [H, W, 3]) of the frames that any of the spans holds, in display order, each once. Raises
    ClearError.

    The frames between are decoded, since later ones build on them, but not converted; nothing after the last span is
    read.
    """
    path, stop = Path(path), max((span.stop for span in spans), default=0)
    if not stop:
        return
    with _open(path) as container:
        for number, frame in enumerate(_decode(container, path)):
            if any(number in span for span in spans):
                yield number, _upright(frame)
            if number + 1 >= stop:
                return


def count_frames(path: str | os.PathLike, on_frame: Callable[[int], None] | None = None) -> int:
    """Decode a file to its end and count. on_frame(frames so far) may raise to stop. Raises ClearError."""
    path, count = Path(path), 0
    with _open(path) as container:
        for count, _ in enumerate(_decode(container, path), 1):
            if on_frame:
                on_frame(count)
    return count


def _upright(frame) -> Tensor:
    pixels = torch.from_numpy(_rgb(frame))
    return torch.rot90(pixels, _quarter_turns(frame)).float() / 255


def _rgb(frame):
    try:
        return frame.to_ndarray(format="rgb24")
    except OSError:  # a matrix that swscale does not know, and few players do: read as if the file named none
        frame.colorspace = 2
        return frame.to_ndarray(format="rgb24")


def _decode(container, path: Path):
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    count = 0
    try:
        for frame in container.decode(stream):
            yield frame
            count += 1
    except av.FFmpegError as error:
        raise _refuse(
            path, f"the video is damaged after frame {count} ({error.strerror}). Repair it, or cut the good part out."
        ) from error


def _seconds(frame) -> Fraction | None:
    return None if frame.pts is None else frame.pts * frame.time_base


def _quarter_turns(frame) -> int:
    """Anticlockwise quarter turns that make the frame upright, as torch.rot90 counts them."""
    return round(getattr(frame, "rotation", 0) / 90) % 4


def _tick(fps: Fraction) -> Fraction:
    """The unit of a file's clock in seconds: the frame rate's own times are exact in it, and MPEG's (1/90000) too."""
    common = math.lcm(fps.numerator, MPEG_CLOCK)
    if common > FASTEST_CLOCK:
        common = fps.numerator * max(1, MPEG_CLOCK // fps.numerator)
    return Fraction(1, common)


class VideoWriter:
    """Writes H.264 frame by frame to a temporary name and renames it when closed whole.

    Use it in a `with` block: an exception inside removes what was written. Even sizes are stored as yuv420p, which
    plays everywhere. yuv420p cannot hold an odd width or height, so those are stored as yuv444p: the picture keeps
    its size, at the price that some hardware players refuse the file.

    path          ends in .mp4, .mov or .mkv; an existing file is replaced when the new one is whole
    width, height pixels
    fps           frames per second, for frames written without a time
    crf           x264's constant rate factor, 0 (lossless) to 51
    colour        the tags to write, and the matrix that RGB is converted with; BT.709 instead of one that is not in
                  MATRICES
    audio_from    a file whose first audio stream is taken over: copied where the container can hold it, else AAC
    audio         or a waveform ([channels, samples] in -1..1, samples per second)
    start         time of the first frame in seconds, when frames come without a time

    Raises ClearError for a disk that is full or a folder that cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        width: int,
        height: int,
        fps: Fraction | float,
        crf: float = VISUALLY_LOSSLESS_CRF,
        colour: Colour = BT709,
        audio_from: str | os.PathLike | None = None,
        audio: tuple[Tensor, int] | None = None,
        start: Fraction = Fraction(0),
    ):
        # brings FFmpeg's libraries: only where a file is read or written
        import av

        self.path = Path(path)
        self.frames = 0
        self._size = (height, width)
        self._fps = Fraction(fps).limit_denominator(1_000_000)
        self._start = Fraction(start)
        self._colour = colour = colour if colour.matrix in MATRICES else replace(colour, matrix=BT709.matrix)
        if width < 2 or height < 2 or self._fps <= 0 or not 0 <= crf <= 51:
            raise ClearError(
                f"A {width}x{height} video at {float(self._fps):g} frames per second with crf {crf:g} cannot be "
                f"written. "
                "Use sides of 2 pixels or more, a rate above 0, and a crf from 0 to 51."
            )
        self._tick = _tick(self._fps)
        self._whole = WholeFile(self.path)
        self._part = self._whole.part
        self._container = None
        options = {"movflags": "+faststart"} if self.path.suffix.lower() in (".mp4", ".mov") else {}
        try:
            self._part.touch()  # PyAV itself opens the file only at the first packet
            self._container = av.open(str(self._part), "w", options=options)
            stream = self._container.add_stream(
                "libx264", rate=self._fps, options={"crf": f"{crf:g}", "preset": "fast"}
            )
            stream.width, stream.height = width, height
            stream.pix_fmt = "yuv444p" if width % 2 or height % 2 else "yuv420p"
            context = stream.codec_context
            context.time_base = stream.time_base = self._tick
            context.colorspace, context.color_primaries = colour.matrix, colour.primaries
            context.color_trc, context.color_range = colour.transfer, 2 if colour.full_range else 1
            self._stream = stream
            self._audio = audio_track(self._container, audio_from, audio)
        except (av.FFmpegError, OSError) as error:
            self.discard()
            raise self._refused(error) from error
        except ClearError:
            self.discard()
            raise
        if stream.pix_fmt == "yuv444p":
            log.info("%s: %dx%d has an odd side, stored as yuv444p", self.path.name, width, height)

    def write(self, frame: Tensor, time: Fraction | None = None) -> None:
        """Append one frame [H, W, 3], shown at `time` seconds (default: `start` + index / fps). Times must rise."""
        # brings FFmpeg's libraries: only where a file is read or written
        import av

        container = self._container
        if container is None:
            raise ValueError(f"{self.path.name} has been closed; it takes no more frames.")
        if tuple(frame.shape) != (*self._size, 3):
            raise ClearError(
                f"Frame {self.frames} of {self.path.name} has the shape {tuple(frame.shape)}, "
                f"not {(*self._size, 3)}. Give all frames of a video the same size."
            )
        when = self._start + self.frames / self._fps if time is None else time
        pixels = frame.detach().float().clamp(0, 1).mul(255).add(0.5).to("cpu", torch.uint8).contiguous()
        picture = av.VideoFrame.from_ndarray(pixels.numpy(), "rgb24").reformat(
            format=self._stream.pix_fmt,
            interpolation="AREA",
            dst_color_range=2 if self._colour.full_range else 1,
            dst_colorspace=MATRICES[self._colour.matrix],
        )
        picture.colorspace = self._colour.matrix
        picture.pts, picture.time_base = round(when / self._tick), self._tick
        try:
            container.mux(self._stream.encode(picture))
            self._audio.advance(when)
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
            self._audio.finish()
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
