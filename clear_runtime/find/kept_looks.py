"""What a prior has seen in a film, kept on disk while it is looked at: a pass that was stopped takes no look
twice, and finds what it would have found.

A file of records, one for each batch of looks: the lengths of what follows as text in a line, the state that the next
batch needs, what was asked for, and the packed soft masks. A record that was not written to its end does not count.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from ..frames.region import Region
from .look import Looker

Sides = list[list[int]]
"""Rectangles as top, left, height and width."""


class KeptLooks:
    """A Looker that remembers. Raises OSError where the disk does not take what it sees."""

    def __init__(self, looker: Looker, path: Path):
        self.looker = looker
        self._file = open(path, "a+b")  # noqa: SIM115  as long as the film is looked at
        self._file.seek(0)
        self._old = True

    def __call__(self, frames: Sequence[Tensor]) -> list[np.ndarray]:
        return self._kept(len(frames), None, lambda: self.looker(frames))

    def beside(self, frames: Sequence[Tensor], near: Sequence[Region]) -> list[np.ndarray]:
        return self._kept(len(frames), _sides(near), lambda: self.looker.beside(frames, near))

    def _kept(self, count: int, near: Sides | None, seen: Callable[[], list[np.ndarray]]) -> list[np.ndarray]:
        """near: of frames between two looks, what was asked for; None for looks."""
        if self._old:
            kept = self._next(count, near)
            if kept is not None:
                return kept
            self._old = False
        soft = seen()
        self._write(soft, near)
        return soft

    def _next(self, count: int, near: Sides | None) -> list[np.ndarray] | None:
        """The next batch of a pass before; None where there is no more, or another one, and what is half is cut off."""
        at = self._file.tell()
        record = _whole(self._file.readline(), self._file.read)
        if record is None or (len(record[2]), record[1]) != (count, near):
            self._file.truncate(at)
            self._file.seek(at)
            return None
        known, _, soft = record
        self.looker.known = [Region(*one) for one in known]
        return [np.frombuffer(one, np.uint8).reshape(self.looker.scales.fine) for one in soft]

    def _write(self, soft: Sequence[np.ndarray], near: Sides | None) -> None:
        packed = [zlib.compress(np.ascontiguousarray(one).tobytes(), 1) for one in soft]
        head = (
            json.dumps({"known": _sides(self.looker.known), "near": near, "sizes": [len(one) for one in packed]}) + "\n"
        )
        self._file.write(head.encode() + b"".join(packed))
        self._file.flush()


def _sides(regions: Sequence[Region]) -> Sides:
    return [[int(side) for side in (one.top, one.left, one.height, one.width)] for one in regions]


def _whole(line: bytes, read: Callable[[int], bytes]) -> tuple[list, Sides | None, list[bytes]] | None:
    """(state, what was asked for, soft masks' bytes) of a record, or None where it is not whole."""
    try:
        head = json.loads(line)
        return head["known"], head["near"], [zlib.decompress(read(size)) for size in head["sizes"]]
    except (ValueError, KeyError, TypeError, zlib.error):
        return None
