"""Parts of a film laid end to end, without encoding anything again, and everything else of the source beside them."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import Any

from ..atomic import WholeFile
from ..errors import ClearError
from . import nal
from .audio_track import Feed
from .beside import everything_else, name_film
from .copied import Original, in_step, remade
from .groups import Copied
from .video import codec_of, keeps_turn, last_shown_for, named, read_facts

log = logging.getLogger(__name__)

Part = Path | Copied
"""A file of one picture stream, or packets of the source itself."""
_MOVIES = (".mp4", ".mov")


def join(
    parts: Sequence[Part],
    target: str | PathLike,
    beside: str | PathLike,
    names: Mapping[str, str] | None = None,
    on_packet: Callable[[int], None] = lambda packets: None,
    alone: bool = False,
    on_loss: Callable[[str], None] = log.warning,
) -> None:
    """Write `target` from parts whose times go on from one to the next, and all of the file `beside` but its film; it
    is the one that is copied from. It appears when it is whole. names: what it says of itself besides (title and the
    like). on_packet is told how many of the picture's are over; what it raises ends the work, and leaves no file.
    alone: nothing is taken over of `beside` but its rate. on_loss: told what of it cannot be taken over as it is.

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
    parts: Sequence[Part],
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
    options = {"movflags": flags} if target.suffix.lower() in _MOVIES else {}
    facts = read_facts(beside)
    encoded = [part for part in parts if isinstance(part, Path)]
    copied = [part for part in parts if isinstance(part, Copied)]
    with ExitStack() as files:
        whole = files.enter_context(WholeFile(target))
        container = files.enter_context(av.open(named(whole), "w", options=options))
        original = Original(Path(beside), bool(encoded)) if copied else None
        if original is not None:
            files.callback(original.close)
        first = files.enter_context(av.open(named(encoded[0]))).streams.video[0] if encoded else None
        like: Any = original.stream if first is None and original is not None else first
        picture, turned = _like(container, like), bool(facts.rotation) and not alone and keeps_turn()
        picture.time_base = like.time_base
        if picture.codec_context is not None:
            picture.codec_context.framerate = facts.fps.limit_denominator(1_000_000)
            # for some codecs the container is the only one that says these
            picture.codec_context.sample_aspect_ratio = (facts.as_stored() if turned else facts).aspect
            if not alone:
                picture.codec_context.color_primaries = facts.colour.primaries
                picture.codec_context.color_trc = facts.colour.transfer
            _head(picture.codec_context, like, original, bool(encoded), target.suffix.lower())
        if turned:
            picture.set_display_matrix(facts.matrix)
        if not alone:
            name_film(picture, beside)
        rest = Feed(container, iter(()) if alone else everything_else(container, beside, on_loss))
        container.metadata.update(names)
        packets = _packets(parts, original, first.codec_context.extradata if first else None)
        if copied:
            packets = in_step(packets, like.time_base, max(one.delay for one in copied), 1 / facts.fps)
        for over, (packet, is_last) in enumerate(_and_whether_last(packets), 1):
            rest.advance(packet.pts * packet.time_base)
            if is_last and (lasts := last_shown_for(Path(beside))):
                packet.duration = round(lasts / packet.time_base)
            packet.stream = picture
            container.mux(packet)
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


def _head(context, like, original: Original | None, encoded: bool, ending: str) -> None:
    """What a player is told before the first packet. like: the stream that it is the head of, without the other kind of
    packets. encoded: whether there are any that were."""
    codec = codec_of(like)
    if encoded and original is not None:
        if codec == "h264":  # the two know each other's parameter sets apart by their numbers
            sets = original.sets + nal.header_sets(codec, like.codec_context.extradata or b"")
            context.extradata = nal.with_start_codes(nal.highest_first(sets))
        elif codec == "hevc":  # each keyframe brings its own
            context.extradata = nal.with_start_codes(original.sets)
            return
    if ending in _MOVIES and codec == "hevc" and (original is None or original.tag == "hvc1"):
        context.codec_tag = "hvc1"  # all is said in the header: some players know no other
    if codec == "prores":
        context.codec_tag = like.codec_context.codec_tag if original is None else original.tag


def _packets(parts: Sequence[Part], original: Original | None, head: bytes | None) -> Iterator:
    """Those of all parts, in the order of storage."""
    for number, part in enumerate(parts):
        behind = parts[number + 1] if number + 1 < len(parts) else None
        some = original.of(part) if isinstance(part, Copied) and original is not None else _of_file(part, head)
        if not (isinstance(behind, Copied) and behind.open):
            yield from some
            continue
        last = None
        for packet in some:
            if last is not None:
                yield last
            last = packet
        if last is not None:
            yield remade(last, bytes(last) + nal.END_OF_SEQUENCE)


def _and_whether_last(packets: Iterable) -> Iterator[tuple[Any, bool]]:
    held = None
    for packet in packets:
        if held is not None:
            yield held, False
        held = packet
    if held is not None:
        yield held, True


def _of_file(part, head: bytes | None) -> Iterator:
    # brings FFmpeg's libraries: only where a file is written
    import av

    with av.open(named(part)) as source:
        stream = source.streams.video[0]
        if stream.codec_context.extradata != head:
            raise ClearError(
                f"{part.name} was encoded in another way than the parts before it. Remove it, and run again."
            )
        yield from (packet for packet in source.demux(stream) if packet.size)
