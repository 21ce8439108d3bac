"""Frames with a subtitle, as ComfyUI's IMAGE."""

import torch
from tiny_pairs import clip

from clear_runtime.data.synthetic.burn import Style


def subtitled_frames():
    """[14, 176, 320, 3]: a line stands in frames 3 to 10."""
    return (
        torch.from_numpy(
            clip(
                frames=14,
                text="Nobody saw it coming.",
                height=176,
                width=320,
                spans=[(3, 11)],
                style=Style(size=14),
                at=0.86,
            )[1]
        ).float()
        / 255
    )
