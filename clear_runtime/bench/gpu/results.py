"""What a part has found so far, in a file that is whole at any moment."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from ..figures import write_json

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
