"""One run at a time in a folder: two that save there would take each other's checkpoints for their own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout  # torch brings it

from .errors import ClearError

log = logging.getLogger(__name__)


@contextmanager
def locked_folder(folder: str | Path) -> Iterator[None]:
    """The folder, made where it is missing, for this process alone; the system lets go of it when the process dies.
    Raises ClearError at once when another run has it, and when it cannot be made or written to."""
    path = Path(folder) / ".lock"
    # not of one thread: a generator may be closed by another than the one that began it
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as taken:
        raise ClearError(
            f"Another run is using {path.parent}. Wait until it ends or stop it, or choose another folder for this "
            f"one; in ComfyUI, another name."
        ) from taken
    except NotImplementedError:
        log.warning("%s is on a drive without locks: see to it that no second run uses it", path.parent)
    except OSError as error:
        raise ClearError(
            f"{path.parent} cannot be written to ({error.strerror or error}). Name a folder that you may write to."
        ) from error
    try:
        yield
    finally:
        lock.release()
