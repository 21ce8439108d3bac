"""Small pairs of video files."""

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


def write(path: Path, frames: np.ndarray, fps=25) -> Path:
    with VideoWriter(path, frames.shape[2], frames.shape[1], fps, crf=8) as writer:
        for frame in frames:
            writer.write(torch.from_numpy(frame).float() / 255)
    return path


def write_pair(folder: Path, name: str, **options) -> None:
    clean, subtitled = clip(**options)
    write(folder / f"{name}.mp4", clean)
    write(folder / f"{name}_with_subtitle.mp4", subtitled)
