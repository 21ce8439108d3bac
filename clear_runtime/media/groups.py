"""Groups of pictures: where a film's packets can be taken over as they are, because decoding begins anew in front of
them and behind them.

    packets -> entries: keyframes that need nothing of what is stored before them
    entries and frames that nothing changes in -> copies: packets whose frames are those, and no others
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import nal
from .clock import zero_of
from .video import codec_of, main_stream, named

MILLION = 1_000_000
NEAR = 1
"""Millionths of a second by which two ways of rounding one time differ."""
_IDR = {"h264": {5}, "hevc": {16, 17, 18, 19, 20}}
_CLEAN_RANDOM_ACCESS = 21
"""HEVC's keyframe whose leading pictures refer to what is stored before it."""


@dataclass(frozen=True)
class Entry:
    """A packet from which decoding can begin. at: its number in the order of storage. shown: when it is shown; leads:
    when the first of all that is stored from it on is: before it where pictures refer over it. open: whether the
    decoder has to be told that it begins anew."""

    at: int
    shown: int
    leads: int
    open: bool


@dataclass(frozen=True)
class Packets:
    """Of a film's main stream. stored: when each is shown, in millionths of a second, in the order of storage; shown:
    the same, rising. entries: in order. codec, tag, header: what the container says of the stream."""

    stored: np.ndarray
    shown: np.ndarray
    entries: list[Entry]
    codec: str
    tag: str
    header: bytes


@dataclass(frozen=True)
class Copied:
    """Packets at <= n < until of a film, in the order of storage, but for those shown before `since` (millionths of a
    second): its frames first <= t < stop. delay: packets by which a frame is stored behind those that are shown after
    it, at most. open: as Entry has it. last: whether the film ends with it."""

    first: int
    stop: int
    at: int
    until: int
    since: int
    delay: int
    open: bool
    last: bool


def read_packets(path: Path) -> Packets | None:
    """Those of a film; None where something about them is unusual enough that they had better not be taken over."""
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    with av.open(named(path)) as container:
        stream, zero = main_stream(container), zero_of(container)
        codec, header = codec_of(stream), stream.codec_context.extradata or b""
        tag, looks = stream.codec_context.codec_tag, _Looks(codec, header)
        times = array("q")
        starts: list[tuple[int, bool]] = []
        for packet in container.demux(stream):
            if not packet.size:
                continue
            if packet.pts is None or packet.is_discard or packet.is_corrupt or not looks.whole(packet):
                return None
            if packet.has_sidedata("new_extradata") or packet.has_sidedata("matroska_block_additional"):  # transparency
                return None
            if packet.is_keyframe:
                found = looks.entry(bytes(packet))
                if found is None:
                    return None
                if found:
                    starts.append((len(times), found == _OPEN))
            times.append(round((packet.pts * packet.time_base - zero) * MILLION))
    stored = np.frombuffer(times, np.int64)
    shown = np.sort(stored)
    if len(shown) == 0 or (np.diff(shown) <= 2 * NEAR).any():
        return None
    return Packets(stored, shown, _entries(stored, starts), codec, tag, header)


_NO, _CLOSED, _OPEN = 0, 1, 2


class _Looks:
    """Looks at packets: at all whether they are whole, at those that a container calls keyframes where they begin."""

    def __init__(self, codec: str, header: bytes):
        self._codec, self._size, self._known = codec, 0, set()
        if codec in _IDR:
            self._size = nal.length_size(codec, header)
            self._known = set(nal.header_sets(codec, header))

    def whole(self, packet) -> bool:
        return not self._size or nal.add_up(bytes(packet), self._size)

    def entry(self, data: bytes) -> int | None:
        """Whether decoding can begin with one; None where it brings parameter sets that the header has not."""
        if self._codec == "prores":
            return _CLOSED
        if self._codec == "vp9":  # its uncompressed header: a keyframe that is shown, profiles 0 to 2
            return _CLOSED if data[0] & 0b11001110 == 0b10000010 else _NO
        if self._codec == "av1":
            return _CLOSED if _av1_begins(data) else _NO
        some = list(nal.units(data, self._size))
        if not set(nal.parameter_sets(self._codec, iter(some))) <= self._known:
            return None
        kinds = {nal.kind(self._codec, unit) for unit in some}
        if kinds & _IDR[self._codec]:
            return _CLOSED
        return _OPEN if self._codec == "hevc" and _CLEAN_RANDOM_ACCESS in kinds else _NO


def _av1_begins(data: bytes) -> bool:
    """Whether a sequence header comes before a keyframe that is shown (AV1 specification, 5.3 and 5.9)."""
    at, headed = 0, False
    while at < len(data):
        head = data[at]
        unit, extended, sized = head >> 3 & 15, head >> 2 & 1, head >> 1 & 1
        at += 1 + extended
        length, shift = 0, 0
        while sized:
            byte = data[at]
            length, shift, at = length | (byte & 127) << shift, shift + 7, at + 1
            if byte < 128:
                break
        if unit in (3, 6):
            return headed and data[at] >> 4 == 0b0001
        headed |= unit == 1
        if not sized:
            return False
        at += length
    return False


def _entries(stored: np.ndarray, starts: Sequence[tuple[int, bool]]) -> list[Entry]:
    """Those in front of which nothing is stored that is shown behind them."""
    latest = np.maximum.accumulate(stored)
    earliest = np.minimum.accumulate(stored[::-1])[::-1]
    return [
        Entry(at, int(stored[at]), int(earliest[at]), is_open)
        for at, is_open in starts
        if at == 0 or latest[at - 1] < earliest[at]
        if is_open or stored[at] == earliest[at]
    ]


def copies(
    packets: Packets, passing: Sequence[tuple[int, int | None]], looked_at: np.ndarray, first: int, least: int
) -> list[Copied]:
    """What can be taken over of a film. passing: first and stop of frames in which nothing changes, stop None for the
    film's end, wherever that is. looked_at: when those frames were shown that were decoded, from number `first` on.
    least: frames that are worth it. Nothing where packets and frames are not one and the same."""
    shown = packets.shown[first : first + len(looked_at)]
    if len(shown) != len(looked_at) or (np.abs(shown - looked_at) > NEAR).any():
        return []
    found = []
    for begins, stops in passing:
        ends = len(packets.shown) if stops is None else stops
        inside = [one for one in packets.entries if begins <= _number(packets, one.shown) < ends]
        if inside and _end(packets, inside, ends)[0] - _number(packets, inside[0].shown) >= least:
            found.append(_copied(packets, inside, ends))
    return found


def _copied(packets: Packets, inside: Sequence[Entry], ends: int) -> Copied:
    """As much of a stretch as can be copied, by the entries in it."""
    start, (stop, until, last) = inside[0], _end(packets, inside, ends)
    some = packets.stored[start.at : until]
    delay = _delay(some[some >= start.shown])
    return Copied(_number(packets, start.shown), stop, start.at, until, start.shown, delay, start.open, last)


def _number(packets: Packets, time: int) -> int:
    """Of the frame that is shown at a time."""
    return int(np.searchsorted(packets.shown, time))


def _end(packets: Packets, inside: Sequence[Entry], ends: int) -> tuple[int, int, bool]:
    """(frame, packet, whether it is the film's end) before which copying ends, by frame `ends` at the latest."""
    if ends == len(packets.shown):
        return ends, len(packets.shown), True
    behind = [one for one in packets.entries if one.at >= inside[0].at and _number(packets, one.leads) <= ends]
    return _number(packets, behind[-1].leads), behind[-1].at, False


def _delay(stored: np.ndarray) -> int:
    """How many packets lie at most between one and its place in the order of showing."""
    return int((np.arange(len(stored)) - stored.argsort().argsort()).max(initial=0))


def among(packets: Packets, ending: str) -> str | None:
    """What an encoder is told whose packets lie among those of a film, in a file of an ending; None where the two do
    not go together."""
    if packets.codec == "h264":
        taken = nal.numbers(nal.header_sets(packets.codec, packets.header))
        free = next((number for number in range(32) if number not in taken), None)
        return None if not taken or free is None else f"sps-id={free}"
    if packets.codec == "hevc":  # elsewhere in MP4, players expect all parameter sets in the header
        return "repeat-headers=1" if ending == ".mkv" or packets.tag == "hev1" else None
    return ""
