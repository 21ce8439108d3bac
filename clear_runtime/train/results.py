"""Where a run keeps its things, and where what it made goes when it is finished."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..atomic import write_text
from ..checkpoint import read_metadata, read_tensors, write_tensors
from ..errors import ClearError

MARK = "clear_run"
"""Entry in a finished file's metadata: the run that it came from."""

_CLAIM = "run.json"  # in a run's folder: the value of its MARK
LONGEST = 200  # bytes of a name: file systems take 255, with what is added to it

_WINDOWS_OWN = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))}
"""Names of devices, whatever comes after their first dot: no file can be called so there."""


class NamedRun:
    """A run called NAME: its folder RUNS/NAME with checkpoints, history and the like, and the files that it will leave
    in the first of some folders of models. files: `.safetensors` of the run -> what they are called there, {} standing
    for the name; the first is the one that others look for."""

    def __init__(self, runs: str | Path, models: Sequence[str | Path], name: str, files: Mapping[str, str]):
        if (
            not re.fullmatch(r"[\w.-]+", name)
            or name.startswith(".")
            or name.endswith(".")
            or name.split(".")[0].upper() in _WINDOWS_OWN
        ):
            raise ClearError(
                f"{name!r} cannot be a file's name on every system. Use letters, digits, - and _, and none of Windows' "
                f"own names (con, nul, com1 …)."
            )
        if len(name.encode()) > LONGEST:
            raise ClearError(f"The name has {len(name)} letters; choose a shorter one.")
        self.name, self.runs, self.models, self.files = (
            name,
            Path(runs),
            [Path(folder) for folder in models],
            dict(files),
        )
        self.folder = self.runs / name

    def require_free(self) -> None:
        """Raise ClearError, naming a free name, when a file of this one came from elsewhere."""
        taken = [path for path in self._existing(self.name) if not self._own(path)]
        if taken:
            raise ClearError(
                f"{taken[0]} exists already and is not from the run in {self.folder}. Nothing is overwritten: choose "
                f"another name, {self._free()} for one."
            )

    def claim(self) -> str:
        """Take the name for this run, and return the run's own mark. Raises ClearError as require_free does."""
        self.require_free()
        mark = self._id()
        if mark is None:
            mark = uuid.uuid4().hex
            write_text(self.folder / _CLAIM, json.dumps({MARK: mark}))
        return mark

    def publish(self, facts: Mapping[str, str]) -> dict[str, Path]:
        """Copy the run's files to where they are used, with facts added to their metadata; returns where each of them
        is. Raises ClearError as require_free does, and when the disk does not take them."""
        mark = self.claim()
        targets = dict(zip(self.files, self._targets(self.name, self.models[0])))
        for source, target in reversed(targets.items()):  # what others look for appears when the rest is there
            write_tensors(
                target, read_tensors(self.folder / source), {**read_metadata(self.folder / source), **facts, MARK: mark}
            )
        return targets

    def _id(self) -> str | None:
        path = self.folder / _CLAIM
        return json.loads(path.read_text(encoding="utf-8"))[MARK] if path.exists() else None

    def _own(self, path: Path) -> bool:
        return self._id() is not None and read_metadata(path).get(MARK) == self._id()

    def _targets(self, name: str, folder: Path) -> list[Path]:
        return [folder / pattern.format(name) for pattern in self.files.values()]

    def _existing(self, name: str) -> list[Path]:
        return [path for folder in self.models for path in self._targets(name, folder) if path.exists()]

    def _free(self) -> str:
        number = 2
        while self._existing(f"{self.name}_{number}") or (self.runs / f"{self.name}_{number}").exists():
            number += 1
        return f"{self.name}_{number}"


def claimed(folder: str | Path) -> bool:
    """Whether a run in this folder has taken its name."""
    return (Path(folder) / _CLAIM).is_file()


def made_elsewhere(folder: Path, remedy: str) -> ClearError:
    """Of a run without a step left to do, that has no pictures to show: its checkpoint was brought there, or made by
    the command line."""
    return ClearError(f"The run in {folder} is at its end already, and was made elsewhere. {remedy}")
