"""Put everything that `bench gpu` needs on a machine without a network into one folder.

    python -m clear_runtime bench prepare [--data DATA] [--comfyui TREE] --out .bench

DATA was filled by clear_runtime.data.synthetic.sources, TREE is a ComfyUI. FOLDER gets data/, pictures and fonts with
their licences; wheels/, the packages that such a machine may lack; comfyui.tar.xz, the ComfyUI and what it needs on
Linux; and contents.json, what is in it. It must not be there yet. Where only so much may be carried at once, make two
folders: the trainings need DATA alone, and the others only the ComfyUI.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from ..data.synthetic.pack import pack
from ..errors import ClearError, ending_in_words
from .figures import write_json
from .gpu.runner import DATA, WHEELS
from .gpu.site import COMFYUI
from .prepare_comfyui import pack_comfyui
from .wheels import fetch

log = logging.getLogger(__name__)
PACKAGES = ("diffsynth==2.1.12", "ftfy==6.3.1", "pysubs2==1.8.1", "wcwidth==0.2.13")
"""Pure Python, all of them, so that they run unpacked under any version of it."""
DEFAULT_MEGABYTES = 34.0


def prepare(data: Path | None, comfyui: Path | None, out: Path, megabytes: float) -> dict:
    """What contents.json says. Raises ClearError for a folder that is not empty, and when a package cannot be had."""
    if data is None and comfyui is None:
        raise ClearError("Say what to put in: --data DATA, --comfyui TREE, or both.")
    if comfyui is not None and not (comfyui / "main.py").is_file():
        raise ClearError(f"{comfyui} is no ComfyUI: it has no main.py.")
    if out.exists() and any(out.iterdir()):
        raise ClearError(f"{out} is not empty. Choose another folder, or empty it.")
    (out / WHEELS).mkdir(parents=True)
    contents: dict = {"wheels": fetch(PACKAGES, out / WHEELS)}
    if data is not None:
        contents["data"] = {"bytes": pack(data, out / DATA, megabytes), "licences": f"{DATA}/LICENCES.txt"}
    if comfyui is not None:
        contents["comfyui"] = {
            "packages": pack_comfyui(comfyui, out / COMFYUI),
            "bytes": (out / COMFYUI).stat().st_size,
        }
    write_json(out / "contents.json", contents)
    return contents


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m clear_runtime bench prepare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, help="filled by clear_runtime.data.synthetic.sources; for trainings")
    parser.add_argument("--comfyui", type=Path, metavar="TREE", help="a ComfyUI, for the nodes' tests")
    parser.add_argument("--out", type=Path, default=Path(".bench"), help="default: %(default)s")
    parser.add_argument("--megabytes", type=float, default=DEFAULT_MEGABYTES, help="of data, at most")
    args = parser.parse_args(argv)
    with ending_in_words("stopped; delete the folder before you try again"):
        prepare(args.data, args.comfyui, args.out, args.megabytes)
        size = sum(path.stat().st_size for path in args.out.rglob("*") if path.is_file())
        log.info("%s: %.1f MB", args.out, size / 1e6)
