"""What a file's times count from."""

from __future__ import annotations

from fractions import Fraction

MPEG_CLOCK = 90_000
"""Ticks a second of MPEG's own clock."""
_BROADCAST = {"mpegts", "mpeg"}
"""FFmpeg's names of MPEG's transport and program streams."""
PRIMING = 100_000
"""Microseconds by which sound begins earlier than what is heard of it, at most: no reason to move anything."""


def zero_of(container) -> Fraction:
    """What is 0 in a container, in seconds on its own clock: that of a broadcast goes on for hours, and players show
    where it begins as 0; a Matroska file may begin before it. Elsewhere a film that begins late does so on purpose."""
    begins, name = container.start_time, container.format.name
    if begins is None or name not in _BROADCAST and not ("matroska" in name and begins < -PRIMING):
        return Fraction(0)
    return Fraction(round(Fraction(begins * MPEG_CLOCK, 1_000_000)), MPEG_CLOCK)


def count_from(packet, zero: Fraction) -> None:
    """Have a packet's times count from `zero`."""
    if not zero or not packet.time_base:  # what ends a stream may have none
        return
    back = round(zero / packet.time_base)
    packet.pts, packet.dts = (None if one is None else one - back for one in (packet.pts, packet.dts))
