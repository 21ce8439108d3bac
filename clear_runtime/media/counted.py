"""How many frames a container says that it has."""

from __future__ import annotations

import math
from pathlib import Path


def announced(stream) -> int:
    """Frames that are shown by what a container says; 0 where it does not. Of those that it counts, a list of edits may
    hide some: of a clip that a phone has trimmed, most."""
    if not stream.duration or not stream.average_rate:
        return stream.frames
    return min(stream.frames, math.ceil(stream.duration * stream.time_base * stream.average_rate))


def stored(container, stream, path: Path) -> int:
    """Frames that an AVI's index names, 0 where it has none: what its head counts are places a frame apart, and where
    one is shown for longer those behind it are empty. Of a container of which nothing has been read yet: of a file that
    was cut short, FFmpeg makes an index of what it reads."""
    if container.format.name != "avi" or not _is_whole(path):
        return 0
    return len(getattr(stream, "index_entries", ()))


def _is_whole(avi: Path) -> bool:
    """Whether a file is as long as its own head says; the index stands at its end."""
    with open(avi, "rb") as file:
        says = int.from_bytes(file.read(8)[4:], "little")
    return 0 < says <= avi.stat().st_size - 8
