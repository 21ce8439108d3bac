"""Figures in a file: whole at any moment, and the same form whichever bench wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..atomic import write_text


def write_json(path: Path, value: Any) -> None:
    """The file appears, or changes, when it is complete. Raises ClearError when the disk does not take it."""
    write_text(path, json.dumps(value, indent=1) + "\n")


def read_json(path: Path) -> Any:
    """What stands in a file; an empty dict where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
