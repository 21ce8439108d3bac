"""Where a run of the trainer keeps its things, and where its LoRA goes when it is finished."""
from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..checkpoint import read_tensors, write_tensors
from ..errors import ClearError

MARK = "clear_run"
"""Entry in a finished file's metadata: the run that it came from."""


_WINDOWS_OWN = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))}
"""Names of devices, whatever comes after their first dot: no file can be called so there."""


class Results:
    """A run called NAME: its folder RUNS/NAME with checkpoints, latents and history, and the two files that it will leave in the
    first of some folders of LoRAs, NAME.safetensors and NAME.occlusion_head.safetensors."""

    def __init__(self, runs: str | Path, loras: Sequence[str | Path], name: str):
        if not re.fullmatch(r"[\w.-]+", name) or name.startswith(".") or name.endswith(".") or name.split(".")[0].upper() in _WINDOWS_OWN:
            raise ClearError(f"{name!r} cannot be a file's name on every system. Use letters, digits, - and _, and none of Windows' own names (con, nul, com1 …).")
        self.name, self.runs, self.loras = name, Path(runs), [Path(folder) for folder in loras]
        self.folder = self.runs / name
        self.lora, self.head = self._files(name, self.loras[0])

    def claim(self) -> None:
        """Take the name for this run. Raises ClearError, naming a free one, when a file of that name came from elsewhere."""
        taken = [path for path in self._existing(self.name) if not self._own(path)]
        if taken:
            raise ClearError(f"{taken[0]} exists already and is not from the run in {self.folder}. Nothing is overwritten: choose another name, {self._free()} for one.")
        if self._id() is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = self.folder / "run.partial"
            partial.write_text(json.dumps({MARK: uuid.uuid4().hex}), encoding="utf-8")
            os.replace(partial, self.folder / "run.json")

    def publish(self, facts: Mapping[str, str]) -> Path:
        """Copy the run's LoRA and head to where they are used, with facts in their metadata; returns the LoRA's path."""
        self.claim()
        for source, target in ((self.folder / "occlusion_head.safetensors", self.head), (self.folder / "lora.safetensors", self.lora)):
            write_tensors(target, read_tensors(source), {**_metadata(source), **facts, MARK: self._id()})
        return self.lora

    def _id(self) -> str | None:
        path = self.folder / "run.json"
        return json.loads(path.read_text(encoding="utf-8"))[MARK] if path.exists() else None

    def _own(self, path: Path) -> bool:
        return self._id() is not None and _metadata(path).get(MARK) == self._id()

    @staticmethod
    def _files(name: str, folder: Path) -> tuple[Path, Path]:
        return folder / f"{name}.safetensors", folder / f"{name}.occlusion_head.safetensors"

    def _existing(self, name: str) -> list[Path]:
        return [path for folder in self.loras for path in self._files(name, folder) if path.exists()]

    def _free(self) -> str:
        number = 2
        while self._existing(f"{self.name}_{number}") or (self.runs / f"{self.name}_{number}").exists():
            number += 1
        return f"{self.name}_{number}"


def _metadata(path: Path) -> dict[str, str]:
    from safetensors import SafetensorError, safe_open
    try:
        with safe_open(str(path), "pt") as file:
            return file.metadata() or {}
    except SafetensorError:  # a file of that name, whatever it is
        return {}
