"""What a file's times count from."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction

MPEG_CLOCK = 90_000
"""Ticks a second of MPEG's own clock."""
_BROADCAST = {"mpegts", "mpeg"}
"""FFmpeg's names of MPEG's transport and program streams."""
NEW_CLOCK = 1
"""Seconds back from which on a file's clock has begun anew: of broadcasts that were put one behind the other."""
PRIMING = 100_000
"""Microseconds by which sound begins earlier than what is heard of it, at most: no reason to move anything."""


def is_broadcast(container) -> bool:
    return container.format.name in _BROADCAST


def zero_of(container) -> Fraction:
    """What is 0 in a container, in seconds on its own clock: that of a broadcast goes on for hours, and players show
    where it begins as 0; a Matroska file may begin before it. Elsewhere a film that begins late does so on purpose."""
    begins, name = container.start_time, container.format.name
    if begins is None or not is_broadcast(container) and not ("matroska" in name and begins < -PRIMING):
        return Fraction(0)
    return Fraction(round(Fraction(begins * MPEG_CLOCK, 1_000_000)), MPEG_CLOCK)


def count_from(packet, zero: Fraction) -> None:
    """Have a packet's times count from `zero`."""
    if not zero or not packet.time_base:  # what ends a stream may have none
        return
    back = round(zero / packet.time_base)
    packet.pts, packet.dts = (None if one is None else one - back for one in (packet.pts, packet.dts))


class Restarts:
    """Where the clock of a film's packets begins anew, and by what its times are then moved, so that the film goes on a
    frame after it ended (steady.py does the same with frames). container: of the film, which is gone through to its
    end. frame: seconds from one to the next."""

    def __init__(self, container, stream, frame: Fraction):
        self._places: list[int] = []
        shown: list[list[Fraction]] = []  # the first and the last, of each stretch
        for packet in container.demux(stream):
            if packet.pts is None:
                continue
            when = packet.pts * packet.time_base
            if not shown or when < shown[-1][1] - NEW_CLOCK:
                self._places.append(packet.pos or 0)
                shown.append([when, when])
            shown[-1] = [min(shown[-1][0], when), max(shown[-1][1], when)]
        self._shifts = [Fraction(0)]
        for (_, last), (first, _) in zip(shown, shown[1:]):
            self._shifts.append(self._shifts[-1] + last + frame - first)
        self._last: dict[int, tuple[Fraction, int]] = {}

    def __len__(self) -> int:
        return len(self._shifts) - 1

    def move(self, packet) -> None:
        """Have a packet of another stream go on as the film does. Those of a stream have to be given in order. Where
        its own clock has not gone back, its place in the file tells."""
        if packet.dts is None or not len(self):
            return
        when = packet.dts * packet.time_base
        last, stretch = self._last.get(packet.stream.index, (when, 0))
        stretch = max(stretch + (when < last - NEW_CLOCK), bisect_right(self._places, packet.pos or 0) - 1)
        self._last[packet.stream.index] = when, stretch
        count_from(packet, -self._shifts[min(stretch, len(self))])


def restarts_of(container, stream, frame: Fraction) -> Restarts | None:
    """Those of a broadcast, which alone has any."""
    return Restarts(container, stream, frame) if is_broadcast(container) else None
