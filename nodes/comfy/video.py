"""ComfyUI's VIDEO as a file, and a file as a VIDEO."""

from __future__ import annotations

import hashlib
import os
from fractions import Fraction
from pathlib import Path

import folder_paths

from ...clear_runtime.atomic import WholeFile
from ...clear_runtime.errors import ClearError

CUT = 0.2
"""Seconds by which a VIDEO is shorter than its file at least where it is a part of it."""


def video_file(video) -> Path:
    """The file behind a VIDEO. One that is in memory, or a part of a file, is written into ComfyUI's temp folder; the
    same content gets the same name, so that a run that was stopped is known again."""
    source = video.get_stream_source()
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not _is_part(video, path):
            return path
        return _kept(lambda part: video.save_to(str(part)))
    data = source.read()
    return _kept(lambda part: part.write_bytes(data))


def _is_part(video, path: Path) -> bool:
    """Whether newer versions of ComfyUI show only some of the file."""
    if not hasattr(video, "as_trimmed"):
        return False
    # FFmpeg's libraries: only where a file is read
    import av

    with av.open(str(path)) as container:
        whole = container.duration
    return whole is not None and float(Fraction(whole, av.time_base)) - video.get_duration() > CUT


def _kept(write) -> Path:
    folder = Path(folder_paths.get_temp_directory())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        given = WholeFile(folder / "clear_video.mp4")
        with given as part:
            write(part)
            digest = hashlib.sha256(part.read_bytes()).hexdigest()[:16]
            given.path = folder / f"clear_video_{digest}.mp4"
    except OSError as error:
        raise ClearError(
            f"The VIDEO could not be written into {folder} ({error.strerror or error}). Free some space there, or use "
            "Load Video, whose file is read where it lies."
        ) from error
    return given.path


def video_of(path: Path):
    """A VIDEO that reads the file when it is asked."""
    from comfy_api.latest import InputImpl  # not there yet when ComfyUI begins to load packs

    return InputImpl.VideoFromFile(str(path))
