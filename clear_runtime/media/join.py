"""Parts of a film that were encoded one by one, laid end to end: their packets go over as they are, and so does all
that the source has beside its film."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path

from ..atomic import WholeFile
from ..errors import ClearError
from .audio_track import Feed
from .beside import everything_else, film_names
from .video import read_facts

MOVIE = (".mp4", ".mov")


def join(
    segments: Sequence[Path], source: str | PathLike, target: Path, metadata: Mapping[str, str] | None = None
) -> None:
    """segments: files of a VideoWriter, made with the same settings, in order and at the film's own times. source: a
    file all of which but its film is taken over. metadata: names and texts that the new file shall carry besides.

    The target appears when it is whole. Raises ClearError for a full disk and for a folder that cannot be written.
    """
    # brings FFmpeg's libraries: only where a file is written
    import av

    flags = "+faststart+use_metadata_tags" if metadata else "+faststart"
    options = {"movflags": flags} if target.suffix.lower() in MOVIE else {}
    try:
        with WholeFile(target) as part, av.open(str(part), "w", options=options) as container:
            with av.open(str(segments[0])) as first:
                film = container.add_stream_from_template(first.streams.video[0])
                film.time_base = first.streams.video[0].time_base
                film.codec_context.framerate = read_facts(source).fps.limit_denominator(1_000_000)
                head = bytes(first.streams.video[0].codec_context.extradata or b"")
            film.metadata.update(film_names(source))
            beside = Feed(container, everything_else(container, source))
            container.metadata.update(metadata or {})
            for packet in _packets(segments, head):
                when = packet.dts * packet.time_base
                packet.stream = film
                container.mux(packet)
                beside.advance(when)
            beside.finish()
    except (av.FFmpegError, OSError) as error:
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = "no room left" if full else getattr(error, "strerror", None) or error
        raise ClearError(
            f"{target} cannot be written ({why}). Free some space, or see whether the folder may be written to."
        ) from error


def _packets(segments: Sequence[Path], head: bytes) -> Iterator:
    """The packets of all, with decoding times that rise. head: what a decoder is told before the first packet, which
    has to be the same for all."""
    # brings FFmpeg's libraries: only where a file is written
    import av

    last = None
    for path in segments:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            if bytes(stream.codec_context.extradata or b"") != head:
                raise ValueError(f"{path.name} was encoded with other settings than the first segment")
            for packet in container.demux(stream):
                if packet.dts is None:  # what ends a stream
                    continue
                # a segment's first frames are decoded a little before they are shown, when the last ones of the segment
                # before are; a tick later is early enough
                if last is not None and packet.dts * packet.time_base <= last:
                    packet.dts = int(last / packet.time_base) + 1
                last = packet.dts * packet.time_base
                yield packet
