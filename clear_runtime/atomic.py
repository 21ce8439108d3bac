"""Files and folders that appear under their name only when they are whole. What was there before stays until then, and
a crash, a full disk or Cancel leaves it as it was."""

import contextlib
import os
import shutil
import uuid
from pathlib import Path

from .errors import ClearError

LONGEST = 100
"""Bytes of a name that go into that of its part: file systems take 255 in all."""


class WholeFile:
    """A file on its way: it is written as `part` beside `path` (hidden, of the same suffix), and takes the name of
    `path` when it is kept.

    with WholeFile(path) as part: writes it and keeps it, or drops it when the block raises. Without `with`, call keep()
    or drop(). Raises OSError where the disk does not take it.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        begin = os.fsencode(self.path.stem)[:LONGEST].decode(errors="ignore")
        self.part = self.path.with_name(f".{begin}.{uuid.uuid4().hex[:8]}.part{self.path.suffix}")

    def keep(self) -> None:
        try:
            self._settle()
            os.replace(self.part, self.path)
        finally:
            self.drop()

    def drop(self) -> None:
        with contextlib.suppress(OSError):  # where it could not be made, there is nothing to remove
            self._remove()

    def __enter__(self) -> Path:
        self.part.touch()  # a folder where nothing can be written is told at the start
        return self.part

    def __exit__(self, kind, value, trace) -> None:
        self.keep() if kind is None else self.drop()

    def _settle(self) -> None:
        _to_disk(self.part)

    def _remove(self) -> None:
        self.part.unlink()


class WholeFolder(WholeFile):
    """The same for a folder, which must not be there yet, or be empty; its part is made by `with`."""

    def __enter__(self) -> Path:
        self.part.mkdir(parents=True)
        return self.part

    def _settle(self) -> None:
        for path in self.part.rglob("*"):
            if path.is_file() and not path.is_symlink():
                _to_disk(path)

    def _remove(self) -> None:
        shutil.rmtree(self.part, ignore_errors=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a whole text file in UTF-8. Raises ClearError when the disk does not take it."""
    write_bytes(path, text.encode())


def write_bytes(path: str | os.PathLike, content: bytes) -> None:
    """Write a whole file. Raises ClearError when the disk does not take it."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with WholeFile(path) as part:
            part.write_bytes(content)
    except OSError as error:
        raise ClearError(
            f"{path.name} could not be written into {path.parent} ({error.strerror or error}). Free some space there, "
            f"or see whether the folder may be written to."
        ) from error


def _to_disk(path: Path) -> None:
    """Have the system write a file's content before it gets its name: after a power cut it would be there, and
    empty."""
    with open(path, "r+b") as file:
        os.fsync(file.fileno())
