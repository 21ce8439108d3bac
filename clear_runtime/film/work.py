"""What a run keeps on disk until its film is whole, so that a run that was stopped at any moment goes on: a folder
beside the result, with the plan, the segments that are finished, and what they depend on.

Nothing is trusted that is not whole: a file takes its name when it is written to its end, a segment counts once its
record is there, and its content is compared with the record before it is used.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..atomic import write_text
from ..errors import ClearError
from ..folder_lock import locked_folder
from .identity import file_digest, plain, what_differs

log = logging.getLogger(__name__)

_RUN, _JOINED, _LOCK = "run.json", "target.json", ".lock"


@dataclass(frozen=True)
class Segment:
    """A finished part of the result: frames first <= t < stop. changed: frames in which something was replaced. left:
    those in which something can still be read. window: frames that were painted together. last: whether it is the
    film's end. masks, masks_digest: of the file of masks beside it, where there is one."""

    first: int
    stop: int
    file: str
    digest: str
    window: int
    changed: int = 0
    left: list[int] = field(default_factory=list)
    last: bool = False
    masks: str = ""
    masks_digest: str = ""


def chained(found: Mapping[int, Segment]) -> list[Segment]:
    """Those that follow one another from the film's first frame on."""
    chain: list[Segment] = []
    while (one := found.get(chain[-1].stop if chain else 0)) is not None and not (chain and chain[-1].last):
        chain.append(one)
    return chain


class Work:
    """The folder of one run, while it is locked. notes: what is to be told of what was found in it. joined: the
    result, where a run before has only not come to tidy up."""

    def __init__(self, folder: Path, identity: Mapping[str, Any]):
        self.folder, self.identity = folder, plain(dict(identity))
        self.notes: list[str] = []
        self._look_at_what_is_there()
        self.joined = self._joined()

    @property
    def plan(self) -> Path:
        return self.folder / "plan.json"

    @property
    def looks(self) -> Path:
        """What the prior has seen, until there is a plan."""
        return self.folder / "looks"

    def _look_at_what_is_there(self) -> None:
        before = self._before()
        differs = [] if before is None else what_differs(before, self.identity)
        if before == self.identity:
            return
        if differs:
            self.note(
                f"This run starts anew, for since the one that was stopped this has changed: {', '.join(differs)}."
            )
        self.clear()
        write_text(self.folder / _RUN, json.dumps(self.identity, indent=1, ensure_ascii=False) + "\n")

    def _before(self) -> dict[str, Any] | None:
        try:
            return json.loads((self.folder / _RUN).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            return {}

    def note(self, text: str) -> None:
        """Tell the user, now and at the end."""
        log.info("%s", text)
        self.notes.append(text)

    def found(self) -> dict[int, Segment]:
        """The finished segments by their first frame, each compared with its record. One that is damaged is made
        again."""
        found: dict[int, Segment] = {}
        for path in sorted(self.folder.glob("segment_*.json")):
            segment = self._checked(path)
            if segment is None:
                self.note(f"A segment from frame {int(path.stem.rpartition('_')[2])} on is damaged; it is made again.")
            else:
                found[segment.first] = segment
        known = {name for one in found.values() for name in (one.file, one.masks, self._record(one.first).name)}
        for path in self.folder.iterdir():
            if path.name.startswith(("segment", ".segment", "joined.", ".joined")) and path.name not in known:
                path.unlink(missing_ok=True)
        return found

    def _checked(self, path: Path) -> Segment | None:
        try:
            segment = Segment(**json.loads(path.read_text(encoding="utf-8")))
            files = [(segment.file, segment.digest), (segment.masks, segment.masks_digest)]
            whole = self._record(segment.first) == path and all(
                file_digest(self.folder / name) == digest for name, digest in files if name
            )
        except (OSError, ValueError, TypeError):
            return None
        return segment if whole else None

    def path_of(self, first: int, ending: str) -> Path:
        """Where the segment from a frame on is to be written."""
        return self.folder / f"segment_{first:09d}{ending}"

    def add(self, segment: Segment) -> None:
        """It is written to its end. Raises ClearError where the disk does not take the record."""
        write_text(self._record(segment.first), json.dumps(asdict(segment)) + "\n")

    def drop(self, segment: Segment) -> None:
        """It is no part of the result any more."""
        for name in (self._record(segment.first).name, segment.file, segment.masks):
            if name:
                (self.folder / name).unlink(missing_ok=True)

    def _record(self, first: int) -> Path:
        return self.folder / f"segment_{first:09d}.json"

    def join(self, whole: Path, target: Path) -> None:
        """The film is whole: it takes its name."""
        write_text(self.folder / _JOINED, json.dumps(str(target)) + "\n")
        os.replace(whole, target)

    def _joined(self) -> Path | None:
        try:
            target = Path(json.loads((self.folder / _JOINED).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return None
        moved = not any(self.folder.glob("joined.*"))
        return target if moved and target.exists() else None

    def has_something(self) -> bool:
        """Whether a later run could go on from it."""
        return self.plan.exists() or self.looks.exists() or self._record(0).exists()

    def clear(self) -> None:
        """Remove all but the lock."""
        for path in self.folder.iterdir():
            if path.name != _LOCK:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


@contextlib.contextmanager
def opened(folder: Path, identity: Mapping[str, Any]) -> Iterator[Work]:
    """The folder of a run for this run alone, with what an earlier one of the same identity has finished in it. Raises
    ClearError where another run has it, and for a folder that is something else. It stays where something in it
    is worth going on from."""
    if folder.exists() and not (folder.is_dir() and _is_ours(folder)):
        raise ClearError(f"{folder} is there, and not from a film's run. Move it away, or choose another output.")
    nothing = False
    try:
        with locked_folder(folder):
            work = Work(folder, identity)
            try:
                yield work
            finally:
                nothing = not work.has_something()
                if nothing:
                    work.clear()
    finally:
        if nothing:
            with contextlib.suppress(OSError):  # another run may have begun in it
                (folder / _LOCK).unlink(missing_ok=True)
                folder.rmdir()


def _is_ours(folder: Path) -> bool:
    names = {path.name for path in folder.iterdir()} - {_LOCK}
    begun = f".{Path(_RUN).stem}."  # of a run that was killed while it wrote what it is
    return _RUN in names or all(name.startswith(begun) for name in names)
