"""All of a file but its film: sound, subtitles, covers, attachments, chapters and names go over as they are.

Nothing is encoded again but sound that the new container cannot hold. What it cannot hold at all is told.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from os import PathLike
from pathlib import Path

from .audio_track import Packets, aac_stream, name_channels, opus_stream
from .clock import Restarts, count_from, restarts_of, zero_of
from .video import ATTACHED_PICTURE, codec_of, is_cover, main_stream, named, rate_of

log = logging.getLogger(__name__)

OWN = {
    "encoder",
    "major_brand",
    "minor_version",
    "compatible_brands",
    "duration",
    "handler_name",
    "vendor_id",
    "alpha_mode",
}
"""What a file says of itself and not of the film; a new one has its own. No new one is transparent."""


COVERS = {"mjpeg": "jpg", "tiff": "tif"}
"""Endings of a cover's name, where they are not the codec's."""


def everything_else(container, path: str | PathLike, on_loss: Callable[[str], None] = log.warning) -> Packets:
    """The packets of all streams of a file but its film, for streams that are added to a new container here; chapters
    and names are set. Call it before anything is written. on_loss: told what the container cannot hold, or not as it
    is."""
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    source, path = av.open(named(path)), Path(path)
    film = _film(source)
    restarts = _restarts(path)
    copies = {}  # index in the source -> what takes its packets
    for stream in source.streams:
        if film is not None and stream.index == film.index:
            continue
        take = _taker(container, stream)
        if take is not None:
            copies[stream.index] = take
        if isinstance(take, _Transcode):
            on_loss(f"{_told(container, path, stream)}; its sound was encoded anew, as {codec_of(take.out)}.")
        elif take is None and not _is_chapter_track(stream) and not _is_timecode(stream, film):
            told, most = _told(container, path, stream), container.format.name == "matroska"
            on_loss(f"{told}; it is left out." if most else f"{told}; .mkv holds more.")
    _named(container, source)
    return _packets(source, copies, restarts)


def _told(container, path: Path, stream) -> str:
    name = codec_of(stream) if stream.codec_context else "unknown"
    return f"{path.name}: track {stream.index} ({stream.type}, {name}) cannot be in {Path(container.name).suffix}"


def name_film(picture, path: str | PathLike) -> None:
    """Give a new stream what a file says of its film: title, language and the like, and whether it is the default."""
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    with av.open(named(path)) as source:
        film = _film(source)
        if film is not None:
            picture.metadata.update(_kept(film.metadata))
            with suppress(AttributeError, TypeError):  # PyAV before 15 cannot set it
                picture.disposition = film.disposition


def _film(source):
    """The main stream of an open file, None where it has none: sound may come from a file of its own."""
    return None if all(map(is_cover, source.streams.video)) else main_stream(source)


def _kept(metadata) -> dict[str, str]:
    return {
        key: value for key, value in metadata.items() if key.lower() not in OWN and not key.startswith("_STATISTICS")
    }


def _taker(container, stream) -> Callable | None:
    """What makes the new container's packets of a stream's, or None where that is not possible."""
    if stream.type == "attachment":
        with suppress(AttributeError, ValueError, TypeError):  # only Matroska has attachments
            if "matroska" in container.format.name:
                container.add_attachment(stream.name, stream.mimetype, stream.data)
                return lambda packet: []
        return None
    if is_cover(stream) and container.format.name == "matroska" and hasattr(container, "add_attachment"):
        kind = codec_of(stream)
        named_as = stream.metadata.get("filename", f"cover.{COVERS.get(kind, kind)}")
        container.add_attachment(named_as, f"image/{kind.replace('mjpeg', 'jpeg')}", _only_packet(stream))
        return lambda packet: []
    context = stream.codec_context
    if context is None or stream.type not in ("audio", "subtitle", "video"):
        return None
    if stream.type == "video" and not (context.width and context.height):  # a cover that is damaged
        return None
    holds = codec_of(stream) in container.supported_codecs
    if holds:
        out = container.add_stream_from_template(stream)
        if stream.type == "audio":
            name_channels(out.codec_context)
    elif stream.type == "audio" and "aac" in container.supported_codecs:
        out = aac_stream(container, context.sample_rate, context.channels)
    elif stream.type == "audio":
        out = opus_stream(container, context.channels)
    else:
        return None
    out.metadata.update(_kept(stream.metadata))
    with suppress(AttributeError, TypeError):  # PyAV before 15 cannot set it
        out.disposition = ATTACHED_PICTURE if is_cover(stream) else stream.disposition
    return _Copy(out) if holds else _Transcode(out)


def _only_packet(stream) -> bytes:
    """A cover: of a file that is opened once more, for attachments stand in front of all packets."""
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    with av.open(stream.container.name) as again:
        return next((bytes(packet) for packet in again.demux(again.streams[stream.index]) if packet.size), b"")


class _Copy:
    """Packets as they are. Matroska does not say when the first of a picture that refers ahead are decoded: they wait
    for the first that says it. One whose time does not rise, which no container takes, is moved to behind the last."""

    def __init__(self, out):
        self.out, self.held, self.last = out, [], None

    def __call__(self, packet) -> list:
        if not packet.size:  # what ends a stream
            return self._released([one.pts for one in self.held])
        packet.stream = self.out
        if packet.dts is None and packet.pts is None:  # a cover has no time
            packet.pts = packet.dts = 0
        if packet.dts is None:
            self.held.append(packet)
            return []
        if self.last is not None and packet.dts <= self.last:
            packet.dts = self.last + self._tick(packet)
            packet.pts = None if packet.pts is None else max(packet.pts, packet.dts)
        self.last = packet.dts
        step = max(1, packet.duration or 0)
        return [*self._released([packet.dts - back * step for back in range(len(self.held), 0, -1)]), packet]

    def _tick(self, packet) -> int:
        """What is a step of the new file's clock too."""
        return math.ceil((self.out.time_base or packet.time_base) / packet.time_base)

    def _released(self, decoded: list[int]) -> list:
        held, self.held = self.held, []
        for one, when in zip(held, decoded):
            one.dts = when
        return held


class _Transcode:
    """Sound decoded and encoded again."""

    def __init__(self, out):
        self.out, self.when = out, Fraction(0)

    def __call__(self, packet) -> list:
        made = []
        for frame in packet.decode():
            if frame.pts is not None:
                self.when = frame.pts * frame.time_base
            # counted in samples: some demuxers count in blocks, too coarse for the encoder's shorter frames
            frame.pts, frame.time_base = round(self.when * frame.sample_rate), Fraction(1, frame.sample_rate)
            made += self.out.encode(frame)
            self.when += Fraction(frame.samples, frame.sample_rate)
        return made + (self.out.encode(None) if packet.size == 0 else [])


def _restarts(path: Path) -> Restarts | None:
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    with av.open(named(path)) as again:
        film = _film(again)
        rate = film and rate_of(again, film)
        return restarts_of(again, film, 1 / rate) if rate else None


def _packets(source, copies: dict[int, Callable], restarts: Restarts | None) -> Packets:
    with source:
        streams = [source.streams[index] for index in copies]
        when, zero = Fraction(0), zero_of(source)
        for packet in source.demux(streams) if streams else ():
            if restarts is not None:
                restarts.move(packet)
            count_from(packet, zero)
            if packet.dts is not None:
                when = packet.dts * packet.time_base
            yield when, copies[packet.stream.index](packet)


def _named(container, source) -> None:
    container.metadata.update(_kept(source.metadata))
    with suppress(AttributeError):  # PyAV before 14.2 knows no chapters
        zero = zero_of(source)
        if chapters := source.chapters():
            for one in chapters:
                back = round(zero / one["time_base"])
                one["start"], one["end"] = one["start"] - back, one["end"] - back
            container.set_chapters(chapters)


def _is_chapter_track(stream) -> bool:
    """MP4 stores the names of chapters as a track of their own, which comes anew with the chapters."""
    return stream.type == "data" and bool(getattr(stream.container, "chapters", list)())


def _is_timecode(stream, film) -> bool:
    """QuickTime stores where a film's clock begins as a track of its own, which comes anew with the film's names."""
    return stream.type == "data" and film is not None and "timecode" in stream.metadata and "timecode" in film.metadata
