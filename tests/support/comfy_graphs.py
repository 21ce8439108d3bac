"""Small clips and small graphs for a running ComfyUI."""

import numpy as np
import torch
from paths import ROOT
from PIL import Image
from torch.nn import functional as F

from clear_runtime.media.video import read_frames
from clear_runtime.media.writer import VideoWriter

DEMO = ROOT / "assets" / "demo"


def cut(server, name, source=DEMO / "bunny_subtitled.mp4", count=9, top=256, left=190, height=96, width=128):
    """A piece of the demo clip in the server's input folder: few pixels, all of them around the subtitle."""
    with VideoWriter(server.base / "input" / name, width, height, 25, crf=4, beside=source) as writer:
        for index, frame in enumerate(read_frames(source)):
            if index < count:
                writer.write(frame[top : top + height, left : left + width])
    return torch.stack(list(read_frames(server.base / "input" / name)))


def graph_of(*nodes):
    """A prompt from (class, inputs) pairs; ("@n", i) in the inputs is output i of the n-th pair."""
    return {
        str(n): {
            "class_type": kind,
            "inputs": {k: [v[0][1:], v[1]] if isinstance(v, tuple) else v for k, v in inputs.items()},
        }
        for n, (kind, inputs) in enumerate(nodes)
    }


def pictures(server, outputs, key):
    """[T, H, W, 3] uint8: the files that a node SaveImage wrote."""
    paths = [server.base / "output" / i["subfolder"] / i["filename"] for i in outputs[key]["images"]]
    return torch.from_numpy(np.stack([np.array(Image.open(p).convert("RGB")) for p in paths]))


def cleaned_within(server, outputs, shape):
    """(frames, masks, source) that a graph's nodes "frames", "masks" and "source" wrote, of this shape [T, H, W, 3]:
    a subtitle was found, and what the mask does not cover is the source's to the bit."""
    frames, masks, source = (pictures(server, outputs, key) for key in ("frames", "masks", "source"))
    masks = masks[..., 0]
    assert frames.shape == source.shape == shape
    assert masks.any(), "the subtitle was not found"
    # a picture file rounds the mask: its faintest edge, up to two pixels wide, reads as 0 there
    edge = F.max_pool2d((masks > 0).float()[:, None], 5, 1, 2)[:, 0] > 0
    assert (frames == source)[~edge].all()
    return frames, masks, source
