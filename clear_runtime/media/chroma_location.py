"""Where an H.264 film's colour samples lie between those of brightness, as its sequence parameter set says (ITU-T
H.264, 7.3.2.1.1 and E.1.1): PyAV tells it of no film, and to have FFmpeg spell headers out into its log may hang, for
its threads wait for Python's lock there.
"""

from __future__ import annotations

LOCATIONS = ("left", "center", "topleft", "top", "bottomleft", "bottom")
"""FFmpeg's names of chroma_sample_loc_type, 0 to 5."""
_SPS = 7
_HIGH = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
"""Profiles that say how finely colour is stored, and may bring scaling lists."""
_OTHER_SHAPE = 255
"""aspect_ratio_idc of a shape in numbers."""


def chroma_location(extradata: bytes | None) -> str:
    """FFmpeg's name of it from a stream's extradata, as MP4 has it or with start codes; "" where nothing is said."""
    try:
        return _of_sps(_Bits(_sps(extradata or b"")))
    except IndexError:  # none, cut, or another kind of file
        return ""


def _sps(data: bytes) -> bytes:
    """The first sequence parameter set behind its header's byte."""
    if data[:1] == b"\x01":  # ISO/IEC 14496-15, 5.3.3.1
        return data[9 : 8 + int.from_bytes(data[6:8], "big")] if data[5] & 31 else b""
    for unit in data.split(b"\0\0\1")[1:]:
        if unit and unit[0] & 31 == _SPS:
            return unit[1:]
    return b""


class _Bits:
    """Read in order. Raises IndexError at the end."""

    def __init__(self, data: bytes):
        self._data, self._at = data.replace(b"\0\0\3", b"\0\0"), 0  # without what keeps start codes out

    def take(self, count: int = 1) -> int:
        value = 0
        for _ in range(count):
            value = 2 * value + (self._data[self._at // 8] >> (7 - self._at % 8) & 1)
            self._at += 1
        return value

    def golomb(self, count: int = 1) -> int:
        """Of so many Exp-Golomb codes the last one."""
        value = 0
        for _ in range(count):
            zeros = 0
            while not self.take():
                zeros += 1
            value = (1 << zeros) - 1 + self.take(zeros)
        return value

    def signed(self) -> int:
        value = self.golomb()
        return (value + 1) // 2 if value % 2 else -value // 2


def _of_sps(bits: _Bits) -> str:
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
    return _of_vui(bits) if bits.take() else ""


def _fineness(bits: _Bits) -> None:
    chroma = bits.golomb()
    if chroma == 3:
        bits.take()
    bits.golomb(2)
    bits.take()
    if bits.take():
        for n in range(12 if chroma == 3 else 8):
            if bits.take():
                _skip_scaling_list(bits, 16 if n < 6 else 64)


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = 8
    for _ in range(size):
        last = (last + bits.signed()) % 256
        if last == 0:
            return


def _of_vui(bits: _Bits) -> str:
    if bits.take() and bits.take(8) == _OTHER_SHAPE:
        bits.take(32)
    if bits.take():  # overscan
        bits.take()
    if bits.take():  # format and range, then colour
        bits.take(4)
        if bits.take():
            bits.take(24)
    if not bits.take():
        return ""
    value = bits.golomb()
    return LOCATIONS[value] if value < len(LOCATIONS) else ""
