"""The marks of a film's lines on disk: a zip archive with an entry for each stretch of a line.

The entry `times` holds those of the frames that were looked at. The name of any other is
LINE/FIRST-STOP-TOP-LEFT-HEIGHT-WIDTH; it holds the number of different masks (uint32), for how many frames each stands
(uint32 each), and the masks, eight pixels a byte. Most lines have one.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ..errors import ClearError
from ..find.spans import Span
from ..frames.region import Region
from .timecode import Clock

_TIMES = "times"


class MarksWriter:
    """Writes spans of lines as they come. Raises OSError where the disk does not take them."""

    def __init__(self, path: Path):
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)

    def add(self, line: int, spans: Iterable[Span]) -> None:
        for span in spans:
            at = span.region
            name = f"{line}/{span.first}-{span.stop}-{at.top}-{at.left}-{at.height}-{at.width}"
            begins = (
                np.append(True, (span.marks[1:] != span.marks[:-1]).any(1)) if len(span.marks) else np.empty(0, bool)
            )
            runs = np.diff(np.append(np.flatnonzero(begins), len(span.marks)))
            head = np.array([len(runs), *runs], dtype="<u4").tobytes()
            self._zip.writestr(name, head + np.ascontiguousarray(span.marks[begins]).tobytes())

    def add_times(self, clock: Clock) -> None:
        head = f"{clock.first}\n".encode()
        self._zip.writestr(_TIMES, head + np.diff(clock.times, prepend=0).astype("<i8").tobytes())

    def close(self) -> None:
        self._zip.close()

    def __enter__(self) -> MarksWriter:
        return self

    def __exit__(self, *_) -> None:
        self.close()


class MarksFile:
    """Reads them again. Raises ClearError for a file that is none, or damaged."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            names = [name for name in self._zip.namelist() if name != _TIMES]
            self._parts: dict[int, list[tuple[int, int, Region, str]]] = {}
            for name in names:
                line, _, numbers = name.partition("/")
                first, stop, *place = map(int, numbers.split("-"))
                self._parts.setdefault(int(line), []).append((first, stop, Region(*place), name))
        except (OSError, ValueError, TypeError, zipfile.BadZipFile) as error:
            raise self._damaged(error) from error

    def clock(self) -> Clock:
        """The times of the frames that the plan is about."""
        try:
            head, _, data = self._zip.read(_TIMES).partition(b"\n")
            return Clock(np.frombuffer(data, "<i8").cumsum(), int(head))
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise self._damaged(error) from error

    def spans(self, line: int) -> Iterator[Span]:
        """Those of a line, in order, each read when its turn comes."""
        for first, stop, region, name in sorted(self._parts.get(line, []), key=lambda part: part[0]):
            yield self._read(first, stop, region, name)

    def _read(self, first: int, stop: int, region: Region, name: str) -> Span:
        try:
            data = self._zip.read(name)
            count = int(np.frombuffer(data, "<u4", 1)[0])
            runs = np.frombuffer(data, "<u4", count, 4)
            masks = np.frombuffer(data, np.uint8, offset=4 + 4 * count)
            marks = masks.reshape(count, -(-region.height * region.width // 8)).repeat(runs, 0)
        except (OSError, ValueError, IndexError, zipfile.BadZipFile) as error:
            raise self._damaged(error) from error
        if len(marks) != stop - first:
            raise self._damaged("an entry is too short")
        return Span(first, stop, region, marks)

    def _damaged(self, why: object) -> ClearError:
        return ClearError(
            f"{self.path.name}, which holds the plan's marks, cannot be read ({why}). Make the plan anew."
        )

    def close(self) -> None:
        self._zip.close()
