"""Packages that a machine lacks, from wheels that were brought along: unpacked, not installed."""

from __future__ import annotations

import logging
import zipfile
from importlib.util import find_spec
from pathlib import Path

log = logging.getLogger(__name__)

STAND_INS = {
    "modelscope": '"""In place of a package that is only needed to download models."""\n\n\n'
    "def snapshot_download(*_, **__):\n"
    '    raise ImportError("modelscope is not installed here")\n'
}
"""What DiffSynth imports and these runs never call: its own wheel is six times as large as DiffSynth's."""


def unpack(wheels: Path, site: Path) -> list[str]:
    """Unpack the wheels of a folder, pure Python all, whose package is missing here, into `site`; returns their names.
    What is installed stays as it is."""
    unpacked = []
    for wheel in sorted(wheels.glob("*.whl")) if wheels.is_dir() else []:
        name = wheel.name.partition("-")[0]
        if find_spec(name) is None:
            with zipfile.ZipFile(wheel) as content:
                content.extractall(site)
            unpacked.append(name)
    for name, text in STAND_INS.items():
        if unpacked and find_spec(name) is None:
            (site / f"{name}.py").write_text(text, encoding="utf-8")
            unpacked.append(name)
    return unpacked
