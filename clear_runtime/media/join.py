"""Parts of a film laid end to end, without encoding anything again, and everything else of the source beside them."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path

from ..atomic import WholeFile
from ..errors import ClearError
from .audio_track import Feed
from .beside import everything_else, film_names
from .video import read_facts

log = logging.getLogger(__name__)


def join(
    parts: Sequence[Path],
    target: str | PathLike,
    beside: str | PathLike,
    names: Mapping[str, str] | None = None,
    on_packet: Callable[[int], None] = lambda packets: None,
    alone: bool = False,
    on_loss: Callable[[str], None] = log.warning,
) -> None:
    """Write `target` from files of one picture stream each, whose times go on from one to the next, and all of the
    file `beside` but its film. It appears when it is whole. names: what it says of itself besides (title and the like).
    on_packet is told how many of the picture's are over; what it raises ends the work, and leaves no file. alone:
    nothing is taken over of `beside` but its rate. on_loss: told what of it cannot be taken over as it is.

    Raises ClearError where a part does not fit the first, and where it cannot be written.
    """
    # brings FFmpeg's libraries: only where a file is written
    import av

    try:
        _join(parts, Path(target), beside, names or {}, on_packet, alone, on_loss)
    except (av.FFmpegError, OSError) as error:
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = "no room left" if full else getattr(error, "strerror", None) or error
        raise ClearError(
            f"{target} cannot be written ({why}). Free some space, or see whether the folder may be written to."
        ) from error


def _join(
    parts: Sequence[Path],
    target: Path,
    beside: str | PathLike,
    names: Mapping[str, str],
    on_packet: Callable[[int], None],
    alone: bool,
    on_loss: Callable[[str], None],
) -> None:
    # brings FFmpeg's libraries: only where a file is written
    import av

    flags = "+faststart+use_metadata_tags" if names else "+faststart"
    options = {"movflags": flags} if target.suffix.lower() in (".mp4", ".mov") else {}
    with WholeFile(target) as whole, av.open(str(whole), "w", options=options) as container:
        with av.open(str(parts[0])) as first:
            picture = _like(container, first.streams.video[0])
            picture.time_base = first.streams.video[0].time_base
            if picture.codec_context is not None:
                picture.codec_context.framerate = read_facts(beside).fps.limit_denominator(1_000_000)
            head = first.streams.video[0].codec_context.extradata
        if not alone:
            picture.metadata.update(film_names(beside))
        rest = Feed(container, iter(()) if alone else everything_else(container, beside, on_loss))
        container.metadata.update(names)
        over = 0
        for part in parts:
            with av.open(str(part)) as source:
                stream = source.streams.video[0]
                if stream.codec_context.extradata != head:
                    raise ClearError(
                        f"{part.name} was encoded in another way than the parts before it. Remove it, and run again."
                    )
                for packet in source.demux(stream):
                    if packet.size:
                        rest.advance(packet.pts * packet.time_base)
                        packet.stream = picture
                        container.mux(packet)
                        over += 1
                        on_packet(over)
        rest.finish()


def _like(container, stream):
    """A stream of a container for the packets of another, also where FFmpeg decodes it by what cannot encode (AV1)."""
    # brings FFmpeg's libraries: only where a file is written
    import av

    try:
        return container.add_stream_from_template(stream)
    except av.codec.codec.UnknownCodecError:
        return container.add_stream_from_template(stream, opaque=True)
