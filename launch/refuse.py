"""What can be told about a demo without any package: said before minutes of set-up."""

import os
from pathlib import Path

from . import PACK
from .console import WRONG_INPUT, Problem

BUNDLED = PACK / "assets" / "demo" / "bunny_subtitled.mp4"


def refuse_early(source: Path, out: Path) -> None:
    """Raise Problem for a source that cannot be read, or a folder in which nothing can be written."""
    try:
        source.stat()
    except OSError as error:
        raise Problem(f"There is no file {source} ({error.strerror}). Check the name.", WRONG_INPUT) from error
    if source.is_dir():
        raise Problem(f"{source} is a folder. Name one video file in it.", WRONG_INPUT)
    if source.stat().st_size == 0:
        raise Problem(f"{source} is empty (0 bytes). Copy or download it again.", WRONG_INPUT)
    if not os.access(source, os.R_OK):
        raise Problem(f"{source} cannot be read. Change its permissions.", WRONG_INPUT)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(
            f"The folder {out} cannot be made ({error.strerror}). Name another one with --out.", WRONG_INPUT
        ) from error
    if not os.access(out, os.W_OK):
        raise Problem(f"You may not write in {out}. Name another folder with --out.", WRONG_INPUT)
