"""The colours of a video: what its tags say, and its stored samples to RGB and back without a drift.

FFmpeg's own conversion is about a level too dark unless it is told to round (SWS_ACCURATE_RND); with it, reading and
writing are exact to rounding, and ten generations stay where they were. PyAV is imported when a frame is converted.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# Matrices that a picture can be stored with, and swscale's numbers of them (SWS_CS_*).
MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}
BT709_MATRIX, BT601_MATRIX = 1, 6
HD_LINES = 720
"""From so many lines on, players take a video without tags for BT.709, below for BT.601."""
PQ, HLG = HDR_TRANSFERS = (16, 18)
"""Transfer characteristics of ITU-T H.273 whose white is not that of a screen."""


@dataclass(frozen=True)
class Colour:
    """Colour tags as the numbers of ITU-T H.273: matrix, primaries, transfer; `full_range` for 0..255 luma."""

    matrix: int = BT709_MATRIX
    primaries: int = 1
    transfer: int = 1
    full_range: bool = False

    @property
    def hdr(self) -> bool:
        return self.transfer in HDR_TRANSFERS

    def matrix_for(self, height: int) -> int:
        """The matrix that a picture of so many lines is stored with: the tag's, or what players assume without one."""
        if self.matrix in MATRICES:
            return self.matrix
        return BT709_MATRIX if height >= HD_LINES else BT601_MATRIX


BT709 = Colour()
UNTAGGED = Colour(2, 2, 2)


def converter():
    """FFmpeg's converter, for the frames of one video one after the other: it is set up at the first of them, which
    takes 2 ms, longer than to convert a small frame."""
    # brings FFmpeg's libraries: only where a frame is converted
    from av.video.reformatter import VideoReformatter

    return VideoReformatter()


def to_rgb(frame, colour: Colour, by) -> Tensor:
    """A decoded frame as [H, W, 3] float32 in 0..1, as it is stored: not turned upright. Samples of more than 8 bits
    keep them. by: the converter of its video."""
    deep = depth_of(frame.format) > 8
    shown = by.reformat(
        frame,
        format="gbrpf32le" if deep else "rgb24",
        src_colorspace=MATRICES[colour.matrix_for(frame.height)],
        dst_colorspace=MATRICES[colour.matrix_for(frame.height)],
        src_color_range=2 if colour.full_range or frame.format.name.startswith("yuvj") else 1,
        dst_color_range=2,
        interpolation=_exactly("BICUBIC"),
    )
    found = torch.from_numpy(np.ascontiguousarray(shown.to_ndarray()))
    return found.clamp_(0, 1) if deep else found.float().div_(255)


def to_stored(frame: Tensor, pixel_format: str, colour: Colour, by, lines: int | None = None):
    """[H, W, 3] in 0..1 as a frame of a pixel format, converted with the colour's matrix and range. by: the converter
    of its video. lines: of the picture that this is a part of."""
    # brings FFmpeg's libraries: only where a file is written
    import av

    frame = frame.detach().float().clamp(0, 1).cpu()
    if pixel_format.endswith("10le"):
        given = av.VideoFrame.from_ndarray(frame.contiguous().numpy(), "gbrpf32le")
    else:
        levels = frame.mul(255).add_(0.5).to(torch.uint8).contiguous()
        given = av.VideoFrame.from_ndarray(levels.numpy(), "rgb24")
    matrix = colour.matrix_for(lines or frame.shape[0])
    stored = by.reformat(
        given,
        format=pixel_format,
        src_colorspace=MATRICES[matrix],
        dst_colorspace=MATRICES[matrix],
        src_color_range=2,
        dst_color_range=2 if colour.full_range else 1,
        interpolation=_exactly("AREA"),
    )
    tag(stored, colour)
    return stored


def tag(stored, colour: Colour) -> None:
    """Have a frame say what its colours are."""
    stored.colorspace = colour.matrix
    with suppress(AttributeError):  # ProRes has them in each frame; versions of PyAV before 15 cannot set them
        stored.color_primaries, stored.color_trc = colour.primaries, colour.transfer
    stored.color_range = 2 if colour.full_range else 1


def depth_of(pixel_format) -> int:
    """Bits of a sample of a format, as PyAV describes it."""
    return max((component.bits for component in pixel_format.components), default=8)


def _exactly(kind: str) -> int:
    # brings FFmpeg's libraries: only where a frame is converted
    from av.video.reformatter import Interpolation

    names = (kind, "ACCURATE_RND", "FULL_CHR_H_INT", "FULL_CHR_H_INP")
    # by their numbers: versions of PyAV before 15 name fewer of them
    numbers = {"BICUBIC": 4, "AREA": 32, "FULL_CHR_H_INT": 8192, "FULL_CHR_H_INP": 16384, "ACCURATE_RND": 262144}
    return sum(int(getattr(Interpolation, name, numbers[name])) for name in names)
