"""The figures of a training run, kept beside its checkpoints."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

from ..errors import ClearError

_SOME_HAVE = ("alpha", "rate")  # of Stage II's steps, not of Stage I's


class History:
    """The figures of every step of a run, over all its starts: FOLDER/history.jsonl, one line a step. A figure that is
    no finite number (a step was skipped for it) is null in the file and nan in here."""

    def __init__(self, folder: str | Path):
        self.path = Path(folder) / "history.jsonl"
        self.rows: list[dict[str, float]] = []
        if self.path.exists():
            whole = self.path.read_bytes()
            whole = whole[: whole.rfind(b"\n") + 1]
            os.truncate(self.path, len(whole))  # a line that was being written when the machine went down
            for line in whole.decode().splitlines():
                self._take({name: math.nan if value is None else value for name, value in json.loads(line).items()})

    def add(self, progress) -> None:
        """Append a trainer's step. Raises ClearError when the disk does not take it."""
        more = {name: getattr(progress, name) for name in _SOME_HAVE if hasattr(progress, name)}
        row = {
            "step": progress.step,
            "loss": progress.loss,
            **progress.terms,
            **more,
            "seconds": round(progress.seconds, 3),
        }
        self._take(row)
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(
                    json.dumps(
                        {name: value if math.isfinite(value) else None for name, value in row.items()}, allow_nan=False
                    )
                    + "\n"
                )
        except OSError as error:
            raise ClearError(
                f"{self.path} could not be written ({error.strerror}). Free some space, then run again; training goes "
                f"on from its last checkpoint."
            ) from error

    def columns(self) -> dict[str, list[float]]:
        """ "total", each term, "alpha" and "rate" where the trainer has them, and "seconds" -> a value for each step,
        nan where a step has none."""
        if not self.rows:
            return {}
        return {
            "total" if name == "loss" else name: [row[name] for row in self.rows]
            for name in self.rows[0]
            if name != "step"
        }

    def _take(self, row: dict) -> None:
        while self.rows and self.rows[-1]["step"] >= row["step"]:  # done again after a start from an earlier checkpoint
            self.rows.pop()
        self.rows.append(row)
