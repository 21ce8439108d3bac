"""The shipped graphs' clip, with subtitles and without, where ComfyUI's Load Video looks for it."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import folder_paths

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "demo"
CLIPS = {"clear_demo.mp4": FOLDER / "bunny_subtitled.mp4", "clear_demo_clean.mp4": FOLDER / "bunny_clean.mp4"}


def offer_demo_clip() -> None:
    """Copy the clips (0.5 MB each) into ComfyUI's input folder once, so that the shipped graphs run as they are."""
    folder = Path(folder_paths.get_input_directory())
    for name, source in CLIPS.items():
        if (folder / name).exists():
            continue
        part = folder / f".{name}.{os.getpid()}.part"
        try:
            shutil.copyfile(source, part)
            os.replace(part, folder / name)
        except OSError as error:  # a read-only input folder is no reason not to load the nodes
            log.warning(
                "the demo clip could not be put into %s (%s); choose a video of your own in Load Video", folder, error
            )
