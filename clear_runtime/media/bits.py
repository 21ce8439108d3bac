"""Bits of a header in order, as video codecs spell them."""

from __future__ import annotations

OTHER_SHAPE = 255
"""aspect_ratio_idc of a shape in numbers."""


class Bits:
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


def of_vui(bits: Bits) -> int | None:
    """chroma_sample_loc_type of video usability information, whose beginning H.264 and HEVC share; None where it is not
    said."""
    if bits.take() and bits.take(8) == OTHER_SHAPE:
        bits.take(32)
    if bits.take():  # overscan
        bits.take()
    if bits.take():  # format and range, then colour
        bits.take(4)
        if bits.take():
            bits.take(24)
    return bits.golomb() if bits.take() else None
