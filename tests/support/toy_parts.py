"""A codec, a denoiser and a prior small enough to know what they do."""

import torch
from torch.nn import functional as F

from clear_runtime.engines.clear import ClearEngine
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove

SMALL = dict(window=9, overlap=1, steps=2, grow=2, second_look=False, mask_from="prior")


class PoolCodec:
    """Latents are averages of 4 frames x 2 x 2 pixels, repeated over the channels. Loses detail, as codecs do."""

    spatial, temporal = 2, 4

    def __init__(self):
        self.seen = []

    def encode(self, frames):
        assert len(frames) % 4 == 1 and frames.shape[1] % 4 == 0 and frames.shape[2] % 4 == 0
        assert frames.dtype == torch.float32 and frames.min() >= 0 and frames.max() <= 1
        self.seen.append(tuple(frames.shape))
        x = torch.cat([frames[:1].expand(3, -1, -1, -1), frames]).permute(3, 0, 1, 2)[None]
        return F.avg_pool3d(x, (4, 2, 2)).repeat(1, 6, 1, 1, 1)[:, :16]

    def decode(self, latents):
        x = latents[0, :3].repeat_interleave(4, 1).repeat_interleave(2, 2).repeat_interleave(2, 3)
        return x[:, 3:].permute(1, 2, 3, 0).clamp(0, 1)


class FakeDenoiser:
    """Returns what `result` makes of noise and control, and remembers what it was given."""

    def __init__(self, result=lambda noise, control: control):
        self.result, self.calls = result, []

    def __call__(self, noise, control, sigmas, on_step=None, known=None):
        assert noise.shape == control.shape and sigmas[0] == 1 and sigmas[-1] == 0
        self.calls.append((noise, control, sigmas))
        for i in range(len(sigmas) - 1):
            if on_step is not None:
                on_step(i + 1, len(sigmas) - 1)
        return self.result(noise, control)


def white(frames):
    """A prior: subtitles are the pure white pixels."""
    return (frames > 0.99).all(-1).float()


def engine(codec=None, denoiser=None, options=RemoveOptions.of(**SMALL)):
    return ClearEngine(codec or PoolCodec(), denoiser or FakeDenoiser(), options.engine)


def run(
    frames, denoiser=None, codec=None, prior=white, limit=None, protect=None, total=None, on_progress=None, **options
):
    """All frames and masks that `remove` yields, [T, H, W, 3] and [T, H, W]."""
    asked = RemoveOptions.of(**{**SMALL, **options})
    pairs = list(remove(iter(frames), engine(codec, denoiser, asked), prior, asked, limit, protect, total, on_progress))
    return torch.stack([f for f, _ in pairs]), torch.stack([m for _, m in pairs])


def video(count, height=24, width=36, text=(14, 17, 8, 28), dtype=torch.float32, seed=0):
    """Frames with noise in 0..0.9 and a white bar (top, bottom, left, right), or none."""
    frames = torch.rand(count, height, width, 3, generator=torch.Generator().manual_seed(seed)) * 0.9
    if text:
        frames[:, text[0] : text[1], text[2] : text[3]] = 1
    return frames.to(dtype)
