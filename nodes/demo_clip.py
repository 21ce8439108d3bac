"""The demo graph's clip, where ComfyUI's Load Video looks for it."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import folder_paths

log = logging.getLogger(__name__)

SOURCE = Path(__file__).resolve().parents[1] / "assets" / "demo" / "bunny_subtitled.mp4"
NAME = "clear_demo.mp4"


def offer_demo_clip() -> None:
    """Copy the clip (0.5 MB) into ComfyUI's input folder once, so that the demo graph runs as it is."""
    target = Path(folder_paths.get_input_directory()) / NAME
    if target.exists():
        return
    part = target.with_name(f".{NAME}.{os.getpid()}.part")
    try:
        shutil.copyfile(SOURCE, part)
        os.replace(part, target)
    except OSError as error:  # a read-only input folder is no reason not to load the nodes
        log.warning("the demo clip could not be put into %s (%s); choose a video of your own in Load Video", target.parent, error)
