"""Packages as files, for machines without a network."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from email.parser import Parser
from pathlib import Path

from ..errors import ClearError


def fetch(packages: Sequence[str], folder: Path, platform: str = "any") -> list[dict]:
    """Wheels of NAME==VERSION by pip, without what they need in turn; name, licence and bytes of each. platform: any
    for Python alone, or a tag of compiled ones. Raises ClearError where one cannot be had."""
    with tempfile.TemporaryDirectory() as empty:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--platform", platform, "--dest", str(folder.resolve()), *packages]
        try:
            subprocess.run(command, check=True, cwd=empty)
        except (OSError, subprocess.CalledProcessError) as error:
            raise ClearError(f"pip could not fetch {', '.join(packages)} ({error}). Is there a network?") from error
    return [_about(wheel) for wheel in sorted(folder.glob("*.whl"))]


def _about(wheel: Path) -> dict:
    with zipfile.ZipFile(wheel) as content:
        name = next(name for name in content.namelist() if name.endswith(".dist-info/METADATA"))
        stated = Parser().parsestr(content.read(name).decode(), headersonly=True)
        classifiers = [line for line in stated.get_all("Classifier", []) if line.startswith("License")]
        files = [name for name in content.namelist() if ".dist-info/" in name and "LICENSE" in name.upper()]
    licence = stated["License-Expression"] or (stated["License"] or "").strip().partition("\n")[0]
    licence = licence or ", ".join(classifiers) or f"in {', '.join(files) or 'the package'}"
    return {"file": wheel.name, "licence": licence[:120], "bytes": wheel.stat().st_size}
