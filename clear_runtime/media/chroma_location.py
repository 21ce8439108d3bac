"""Where a film's colour samples lie between those of brightness, as its header says: PyAV tells it of no film, and to
have FFmpeg spell headers out into its log may hang, for its threads wait for Python's lock there.

H.264: ITU-T H.264, 7.3.2.1.1 and E.1.1. HEVC: hevc_header.py. AV1: its configuration in MP4 and Matroska.
"""

from __future__ import annotations

from . import hevc_header, nal
from .bits import Bits, of_vui

LOCATIONS = ("left", "center", "topleft", "top", "bottomleft", "bottom")
"""FFmpeg's names of chroma_sample_loc_type, 0 to 5."""
_SPS = {"h264": 7, "hevc": 33}
_OF_AV1 = ("", "left", "topleft", "")
"""Of chroma_sample_position."""
_HIGH = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
"""Profiles that say how finely colour is stored, and may bring scaling lists."""


def chroma_location(codec: str, header: bytes | None) -> str:
    """FFmpeg's name of it from a stream's extradata; "" where nothing is said."""
    header = header or b""
    try:
        if codec == "av1":  # AV1 in ISO base media, 2.3.3
            return _OF_AV1[header[2] & 3] if header[0] == 0x81 else ""
        sets = [unit for unit in nal.header_sets(codec, header) if nal.kind(codec, unit) == _SPS[codec]]
        value = _of_sps(Bits(sets[0][1:])) if codec == "h264" else hevc_header.chroma_location(Bits(sets[0][2:]))
    except (IndexError, KeyError):  # none, cut, or another codec
        return ""
    return LOCATIONS[value] if value is not None and value < len(LOCATIONS) else ""


def _of_sps(bits: Bits) -> int | None:
    profile = bits.take(8)
    bits.take(16)
    bits.golomb()
    if profile in _HIGH:
        _fineness(bits)
    bits.golomb()
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.take()
        bits.golomb(2)
        bits.golomb(bits.golomb())
    bits.golomb()
    bits.take()
    bits.golomb(2)
    if not bits.take():  # fields
        bits.take()
    bits.take()
    if bits.take():  # cropped
        bits.golomb(4)
    return of_vui(bits) if bits.take() else None


def _fineness(bits: Bits) -> None:
    chroma = bits.golomb()
    if chroma == 3:
        bits.take()
    bits.golomb(2)
    bits.take()
    if bits.take():
        for n in range(12 if chroma == 3 else 8):
            if bits.take():
                _skip_scaling_list(bits, 16 if n < 6 else 64)


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = 8
    for _ in range(size):
        last = (last + bits.signed()) % 256
        if last == 0:
            return
