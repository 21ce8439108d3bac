"""The shipped graphs' clip, with subtitles and without, and one that has them half of the time, where ComfyUI's Load
Video looks for it."""

from __future__ import annotations

import logging
from pathlib import Path

import folder_paths

from ...clear_runtime.atomic import WholeFile
from .files import user_file

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "demo"
CLIPS = {
    "clear_demo.mp4": FOLDER / "bunny_subtitled.mp4",
    "clear_demo_clean.mp4": FOLDER / "bunny_clean.mp4",
    "clear_demo_film.mp4": FOLDER / "bunny_half.mp4",
}
MARKER = "clear_demo_offered.txt"
EDITION = "2"
"""What the marker holds: clips of a higher number are offered once more, to those too who deleted the earlier ones."""


def offer_demo_clip() -> None:
    """Copy the clips (0.5 MB each) into ComfyUI's input folder, so that the shipped graphs run as they are. Once: who
    deletes them does not get them again."""
    folder, marker = Path(folder_paths.get_input_directory()), user_file(MARKER)
    try:
        if marker.is_file() and marker.read_text(encoding="utf-8").strip() == EDITION:
            return
        for name, source in CLIPS.items():
            if not (folder / name).exists():
                with WholeFile(folder / name) as part:
                    part.write_bytes(source.read_bytes())
        marker.parent.mkdir(parents=True, exist_ok=True)
        with WholeFile(marker) as part:
            part.write_text(EDITION + "\n", encoding="utf-8")
    except OSError as error:  # a read-only input folder is no reason not to load the nodes
        log.warning(
            "the demo clip could not be put into %s (%s); choose a video of your own in Load Video", folder, error
        )
