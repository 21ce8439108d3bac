"""ComfyUI's VIDEO as a file, and a file as a VIDEO."""

from __future__ import annotations

import hashlib
import os
from fractions import Fraction
from pathlib import Path

import folder_paths
from comfy_api.latest import Input

from ...clear_runtime.atomic import WholeFile
from ...clear_runtime.errors import ClearError

CUT = 0.2
"""Seconds by which a VIDEO is shorter than its file at least where it is a part of it."""
CLOSE = 4.0
"""x264's quality of a file of frames, which is encoded once more."""


def video_file(video) -> Path:
    """The file behind a VIDEO. One that is in memory, or a part of a file, is written into ComfyUI's temp folder; the
    same content gets the same name, so that a run that was stopped is known again."""
    if type(video).get_stream_source is Input.Video.get_stream_source:  # frames, of which no file has been made
        return _from_frames(video.get_components())
    source = video.get_stream_source()
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not _is_part(video, path):
            return path
        return _kept(lambda part: video.save_to(str(part)))
    data = source.read()
    return _kept(lambda part: part.write_bytes(data))


def _from_frames(components) -> Path:
    """A file of frames and sound, close to lossless. Named by the frames: an encoder need not give the same bytes
    again."""
    from ...clear_runtime.media.writer import VideoWriter  # the runtime, which start-up does without

    frames, audio = components.images[..., :3], components.audio
    digest = hashlib.sha256(f"{tuple(frames.shape)} {components.frame_rate}".encode())
    for frame in frames:
        digest.update(frame.cpu().mul(255).round().byte().numpy().tobytes())
    path = _folder() / f"clear_frames_{digest.hexdigest()[:16]}.mp4"
    if not path.exists():
        sound = None if audio is None else (audio["waveform"][0], int(audio["sample_rate"]))
        rate = Fraction(components.frame_rate)
        with VideoWriter(path, frames.shape[2], frames.shape[1], rate, crf=CLOSE, audio=sound) as writer:
            for frame in frames:
                writer.write(frame)
    return path


def _is_part(video, path: Path) -> bool:
    """Whether newer versions of ComfyUI show only some of the file."""
    if not hasattr(video, "as_trimmed"):
        return False
    # FFmpeg's libraries: only where a file is read
    import av

    try:
        with av.open(str(path)) as container:
            whole = container.duration
    except (av.FFmpegError, OSError):  # whoever reads it says in words what is wrong with it
        return False
    return whole is not None and float(Fraction(whole, av.time_base)) - video.get_duration() > CUT


def _kept(write) -> Path:
    folder = _folder()
    try:
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


def _folder() -> Path:
    folder = Path(folder_paths.get_temp_directory())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def video_of(path: Path):
    """A VIDEO that reads the file when it is asked."""
    from comfy_api.latest import InputImpl  # not there yet when ComfyUI begins to load packs

    return InputImpl.VideoFromFile(str(path))
