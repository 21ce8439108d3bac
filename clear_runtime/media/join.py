"""Parts of a film laid end to end, without encoding anything again, and everything else of the source beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

from ..atomic import WholeFile
from ..errors import ClearError
from .audio_track import Feed
from .beside import everything_else, film_names


def join(
    parts: Sequence[Path], target: str | PathLike, beside: str | PathLike, names: Mapping[str, str] | None = None
) -> None:
    """Write `target` from files of one picture stream each, whose times go on from one to the next, and all of the
    file `beside` but its film. It appears when it is whole. names: what it says of itself besides (title and the like).
    Raises ClearError where a part does not fit the first, and OSError where it cannot be written."""
    # brings FFmpeg's libraries: only where a file is written
    import av

    target = Path(target)
    options = {"movflags": "+faststart"} if target.suffix.lower() in (".mp4", ".mov") else {}
    with WholeFile(target) as whole, av.open(str(whole), "w", options=options) as container:
        with av.open(str(parts[0])) as first:
            picture = container.add_stream_from_template(first.streams.video[0])
            head = first.streams.video[0].codec_context.extradata
        picture.metadata.update(film_names(beside))
        rest = Feed(container, everything_else(container, beside))
        container.metadata.update(names or {})
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
        rest.finish()
