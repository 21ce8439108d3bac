"""Small pairs of video files."""

import hashlib
from pathlib import Path

import numpy as np
import torch

from clear_runtime.data.synthetic.burn import Style, burn, render
from clear_runtime.media.writer import VideoWriter

HEIGHT, WIDTH = 64, 96


def clip(
    frames=6, text="Rain", seed=0, height=HEIGHT, width=WIDTH, spans=None, style=Style(size=16, stroke=1), at=0.75
):
    """(clean, subtitled) [T, H, W, 3] uint8: a drifting pattern, and the same with a line over `spans` (all of it by
    default)."""
    y, x = np.mgrid[0:height, 0:width] / width
    clean = np.stack(
        [
            (
                np.stack(
                    [
                        0.4 + 0.3 * np.sin(7 * x + 0.1 * t + seed),
                        0.4 + 0.2 * np.cos(6 * y + seed),
                        0.5 + 0.2 * np.sin(5 * (x + y)),
                    ],
                    -1,
                )
                * 255
            ).astype(np.uint8)
            for t in range(frames)
        ]
    )
    layer = render([text], style, width, height, (width / 2, height * at))
    return clean, burn(clean, [(a, b, layer) for a, b in spans or [(0, frames)]])[0]


_WRITTEN: dict = {}
"""Of all tests of a process: a file's bytes, by its frames and by how they are encoded."""


def write(path: Path, frames: np.ndarray, fps=25) -> Path:
    made_by = hashlib.sha256(np.ascontiguousarray(frames)).hexdigest(), frames.shape, fps, path.suffix
    if made_by in _WRITTEN:
        path.write_bytes(_WRITTEN[made_by])
        return path
    with VideoWriter(path, frames.shape[2], frames.shape[1], fps, crf=8) as writer:
        for frame in frames:
            writer.write(torch.from_numpy(frame).float() / 255)
    _WRITTEN[made_by] = path.read_bytes()
    return path


def write_pair(folder: Path, name: str, **options) -> None:
    clean, subtitled = clip(**options)
    write(folder / f"{name}.mp4", clean)
    write(folder / f"{name}_with_subtitle.mp4", subtitled)
