"""Packages that a machine lacks, and a ComfyUI, from what was brought along: unpacked, not installed."""

from __future__ import annotations

import logging
import tarfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

log = logging.getLogger(__name__)

COMFYUI, TREE, SITE = "comfyui.tar.xz", "ComfyUI", "site"
"""The archive of a ComfyUI and of what it needs, and its two folders."""
COMFYUI_PATH = "COMFYUI_PATH"
"""The environment's name for a ComfyUI tree, as the tests know it."""

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


def unpack_comfyui(archive: Path, folder: Path) -> dict[str, str]:
    """Unpack the archive, where there is one; returns what its use asks of the environment: COMFYUI_PATH, and its
    packages' folder under PYTHONPATH."""
    if not archive.is_file():
        return {}
    with tarfile.open(archive) as content:
        content.extractall(folder, filter="data")
    return {COMFYUI_PATH: str(folder / TREE), "PYTHONPATH": str(folder / SITE)}
