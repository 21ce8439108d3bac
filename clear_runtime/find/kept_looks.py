"""What a prior has seen in a film, kept on disk while it is looked at: a pass that was stopped takes no look
twice, and finds what it would have found.

A file of records, one for each batch of looks: the lengths of what follows as text in a line, the state that the next
batch needs, and the packed soft masks. A record that was not written to its end does not count.
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


class KeptLooks:
    """A Looker that remembers. Raises OSError where the disk does not take what it sees."""

    def __init__(self, looker: Looker, path: Path):
        self.looker = looker
        self._file = open(path, "a+b")  # noqa: SIM115  as long as the film is looked at
        self._file.seek(0)
        self._old = True

    def __call__(self, frames: Sequence[Tensor]) -> list[np.ndarray]:
        return self._kept(len(frames), lambda: self.looker(frames))

    def beside(self, frames: Sequence[Tensor], near: Sequence[Region]) -> list[np.ndarray]:
        return self._kept(len(frames), lambda: self.looker.beside(frames, near))

    def _kept(self, count: int, seen: Callable[[], list[np.ndarray]]) -> list[np.ndarray]:
        if self._old:
            kept = self._next(count)
            if kept is not None:
                return kept
            self._old = False
        soft = seen()
        self._write(soft)
        return soft

    def _next(self, count: int) -> list[np.ndarray] | None:
        """The next batch of a pass before; None where there is no more, and what is half is cut off."""
        at = self._file.tell()
        record = _whole(self._file.readline(), self._file.read)
        if record is None or len(record[1]) != count:
            self._file.truncate(at)
            self._file.seek(at)
            return None
        known, soft = record
        self.looker.known = [Region(*one) for one in known]
        return [np.frombuffer(one, np.uint8).reshape(self.looker.scales.fine) for one in soft]

    def _write(self, soft: Sequence[np.ndarray]) -> None:
        packed = [zlib.compress(np.ascontiguousarray(one).tobytes(), 1) for one in soft]
        known = [[int(side) for side in (r.top, r.left, r.height, r.width)] for r in self.looker.known]
        head = json.dumps({"known": known, "sizes": [len(one) for one in packed]}) + "\n"
        self._file.write(head.encode() + b"".join(packed))
        self._file.flush()


def _whole(line: bytes, read: Callable[[int], bytes]) -> tuple[list, list[bytes]] | None:
    """(state, soft masks' bytes) of a record, or None where it is not whole."""
    try:
        head = json.loads(line)
        return head["known"], [zlib.decompress(read(size)) for size in head["sizes"]]
    except (ValueError, KeyError, TypeError, zlib.error):
        return None
