"""What a part has found so far, in a file that is whole at any moment."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


class PartResults:
    """Figures by name, written with every one that comes: a process that is killed loses what it was at alone."""

    def __init__(self, path: Path):
        self.path = path
        self.values: dict[str, Any] = {}

    def add(self, name: str, value: Any) -> None:
        self.values[name] = value
        write_json(self.path, self.values)
        log.info("%s: %s", name, json.dumps(value))


def write_json(path: Path, value: Any) -> None:
    """The file appears, or changes, when it is complete."""
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(value, indent=1), encoding="utf-8")
    os.replace(partial, path)


def read_json(path: Path) -> Any:
    """What stands in a file; an empty dict where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
