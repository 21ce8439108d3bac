"""Rows' soft masks on disk: a film has more of them than memory should hold."""

from __future__ import annotations

import tempfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Packed(NamedTuple):
    """A soft mask that lies in a spool, or in memory where there is none. data: its bytes, or how many they are in the
    spool, from `at` on."""

    spool: Spool | None
    shape: tuple[int, int]
    at: int
    data: bytes | int

    def unpacked(self) -> np.ndarray:
        """The mask [h, w] uint8."""
        data = self.data
        if not isinstance(data, bytes):
            assert self.spool is not None
            data = self.spool.read(self.at, data)
        return np.frombuffer(zlib.decompress(data), dtype=np.uint8).reshape(self.shape)


class Spool:
    """A file without a name in `folder`: it is gone with the process, however that ends. Raises OSError where the disk
    does not take it."""

    def __init__(self, folder: Path | None = None):
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  as long as the finder lives
        self.size = 0

    def add(self, data: bytes) -> int:
        """Where the bytes lie now."""
        at = self.size
        self._file.seek(at)
        self._file.write(data)
        self.size += len(data)
        return at

    def read(self, at: int, size: int) -> bytes:
        self._file.seek(at)
        return self._file.read(size)


def packed(soft: np.ndarray, spool: Spool | None) -> Packed:
    """A soft mask [h, w] uint8 in a tenth of its size: in the spool, or in memory where there is none."""
    data = zlib.compress(np.ascontiguousarray(soft).tobytes(), 1)
    shape = (soft.shape[0], soft.shape[1])
    return Packed(None, shape, 0, data) if spool is None else Packed(spool, shape, spool.add(data), len(data))
