"""Packets of a film that are taken over as they are, between others that were encoded anew."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import count
from pathlib import Path

from . import nal
from .clock import count_from, zero_of
from .groups import MILLION, Copied
from .video import codec_of, main_stream, named

_DELIMITER = {"h264": 9, "hevc": 35}
"""What comes first in a picture's packet, where it is there."""


class Original:
    """The packets of a film's main stream, gone through once. between: whether others lie between them, so that H.264
    and HEVC are given with start codes and say at each keyframe what they are coded with."""

    def __init__(self, path: Path, between: bool):
        # brings FFmpeg's libraries: only where a file is read or written
        import av

        self._file = av.open(named(path))
        self.stream, self._zero = main_stream(self._file), zero_of(self._file)
        self.codec, self.header = codec_of(self.stream), self.stream.codec_context.extradata or b""
        self.tag = self.stream.codec_context.codec_tag
        self._again = between and self.codec in _DELIMITER
        self.sets = nal.header_sets(self.codec, self.header) if self._again else []
        self._size = nal.length_size(self.codec, self.header) if self._again else 0
        self._packets = ((n, packet) for n, packet in zip(count(), self._sized()))

    def _sized(self) -> Iterator:
        return (packet for packet in self._file.demux(self.stream) if packet.size)

    def of(self, part: Copied) -> Iterator:
        """Those of a part; parts have to be asked for in order."""
        if part.at == part.until:
            return
        for number, packet in self._packets:
            count_from(packet, self._zero)
            if number >= part.at and round(packet.pts * packet.time_base * MILLION) >= part.since:
                yield self._with_start_codes(packet) if self._again else packet
            if number + 1 >= part.until:
                return

    def _with_start_codes(self, packet):
        some = list(nal.units(bytes(packet), self._size))
        if packet.is_keyframe and not nal.parameter_sets(self.codec, iter(some)):
            at = int(nal.kind(self.codec, some[0]) == _DELIMITER[self.codec])
            some[at:at] = self.sets
        return remade(packet, nal.with_start_codes(some))

    def close(self) -> None:
        self._file.close()


def remade(packet, data: bytes):
    """A packet with other content."""
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    new = av.Packet(data)
    new.pts, new.dts, new.time_base, new.duration = packet.pts, packet.dts, packet.time_base, packet.duration
    new.is_keyframe = packet.is_keyframe
    return new


def in_step(packets: Iterable, tick: Fraction, delay: int, frame: Fraction) -> Iterator:
    """Packets in the order of storage, each to be decoded when the one that lies `delay` before it in the order of
    showing is shown: then times of decoding rise across all joints. tick: the unit of their times from here on. frame:
    seconds from one to the next, for the first ones."""
    waiting: list[int] = []
    for number, packet in enumerate(packets):
        shown = round(packet.pts * packet.time_base / tick)
        if number == 0:
            first, step = shown, max(1, round(frame / tick))
        heapq.heappush(waiting, shown)
        packet.duration = round(packet.duration * packet.time_base / tick)
        packet.pts, packet.time_base = shown, tick
        packet.dts = first - (delay - number) * step if number < delay else heapq.heappop(waiting)
        yield packet
