"""The units that H.264 and HEVC are stored in (ITU-T H.264, annex B; ISO/IEC 14496-15), as far as copied packets need
them: of which kind they are, and the parameter sets among them.
"""

from __future__ import annotations

from collections.abc import Iterator

PREFIX = b"\0\0\0\1"
END_OF_SEQUENCE = PREFIX + b"\x48\x01"
"""HEVC's: what follows begins anew, also with a picture that others refer over."""
_SPS = 7
_PARAMETER_SETS = {"h264": {_SPS, 8}, "hevc": {32, 33, 34}}


def length_size(codec: str, header: bytes) -> int:
    """Bytes that say how long a unit is in front of it, by a stream's extradata; 0 where start codes part them."""
    at = {"h264": 4, "hevc": 21}[codec]
    return (header[at] & 3) + 1 if header[:1] == b"\x01" and len(header) > at else 0


def units(data: bytes, size: int) -> Iterator[bytes]:
    """Those of a packet, each without what stands in front of it. size: as length_size says. Ends where data is cut."""
    if not size:
        # a unit never ends in a zero byte: what is left of a longer start code
        yield from (unit.rstrip(b"\0") for unit in data.split(b"\0\0\1")[1:])
        return
    at = 0
    while at + size <= len(data):
        length = int.from_bytes(data[at : at + size], "big")
        yield data[at + size : at + size + length]
        at += size + length


def add_up(data: bytes, size: int) -> bool:
    """Whether the lengths in a packet come to its end; where they do not, it is damaged. True where start codes part
    its units."""
    at = 0
    while size and at + size < len(data):
        at += size + int.from_bytes(data[at : at + size], "big")
    return not size or at == len(data)


def kind(codec: str, unit: bytes) -> int:
    """nal_unit_type; -1 for nothing."""
    if not unit:
        return -1
    return unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63


def parameter_sets(codec: str, some: Iterator[bytes]) -> list[bytes]:
    """Those among units, in order."""
    return [unit for unit in some if kind(codec, unit) in _PARAMETER_SETS[codec]]


def header_sets(codec: str, header: bytes) -> list[bytes]:
    """The parameter sets of a stream's extradata, as MP4 has it or with start codes."""
    if not length_size(codec, header):
        return parameter_sets(codec, units(header, 0))
    found: list[bytes] = []
    if codec == "h264":  # ISO/IEC 14496-15, 5.3.3.1
        at = 5
        for mask in (31, 255):
            count, at = header[at] & mask, at + 1
            for _ in range(count):
                at = _take(header, at, found)
        return found
    at = 23  # 8.3.3.1
    for _ in range(header[22]):
        count, at = int.from_bytes(header[at + 1 : at + 3], "big"), at + 3
        for _ in range(count):
            at = _take(header, at, found)
    return parameter_sets(codec, iter(found))


def _take(header: bytes, at: int, found: list[bytes]) -> int:
    stop = at + 2 + int.from_bytes(header[at : at + 2], "big")
    found.append(header[at + 2 : stop])
    return stop


def with_start_codes(some: list[bytes]) -> bytes:
    return b"".join(PREFIX + unit for unit in some)


def highest_first(sets: list[bytes]) -> list[bytes]:
    """H.264's, by profile and level: a file's header says those of its first."""
    levels = lambda unit: (-unit[1], -unit[3]) if kind("h264", unit) == _SPS else (0, 0)
    return sorted(sets, key=lambda unit: (kind("h264", unit), levels(unit)))


def numbers(sets: list[bytes]) -> set[int]:
    """seq_parameter_set_id of H.264's sequence parameter sets, and pic_parameter_set_id of its picture's."""
    return {_golomb(unit[4:] if kind("h264", unit) == _SPS else unit[1:]) for unit in sets}


def _golomb(data: bytes) -> int:
    """The first Exp-Golomb code of some bytes."""
    bits = "".join(f"{byte:08b}" for byte in data[:8])
    zeros = bits.index("1")
    return int(bits[zeros : 2 * zeros + 1], 2) - 1
