"""What a removal holds in memory beside the frames that go in and those that come out: the runtime's own share.

    python -m clear_runtime bench memory nano|whole|raw|film [--size 720 1280] [--frames 81]

One line of subtitles over a moving picture, marked without a network; codec and denoiser do next to nothing. The peak
of a process stays, so each way needs a run of its own. film: from file to file, what the whole process holds at most.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from einops import rearrange, reduce, repeat
from torch import Tensor
from torch.nn import functional as F

from ..engines.clear import ClearEngine
from ..engines.nano.engine import nano_engine
from ..errors import ClearError
from ..film.options import RemoveFilmOptions
from ..film.run import Job, clean
from ..media.writer import VideoWriter
from ..options import RemoveOptions
from ..pipeline import remove
from .peak import Peak

log = logging.getLogger(__name__)

FILM = "film"
WAYS = {"nano": {}, "whole": {}, "raw": {"output": "raw"}, FILM: {}}
"""Way -> options. nano, film: the subtitle band, prefilled. whole, raw: the whole frame, as is."""
SHOWN, EVERY = 40, 100
"""Of so many frames of a film, how many have the line."""
LINE = (0.82, 0.9, 0.2, 0.8)
"""Top, bottom, left and right of the subtitle, as shares of the frame."""


class MeanCodec:
    """Latents are means of 4 frames x 8 x 8 pixels."""

    spatial, temporal = 8, 4

    def encode(self, frames: Tensor) -> Tensor:
        x = F.avg_pool2d(rearrange(frames, "t h w c -> t c h w"), self.spatial)
        x = reduce(torch.cat([x[:1].expand(3, -1, -1, -1), x]), "(t k) c h w -> t c h w", "mean", k=self.temporal)
        return repeat(x, "t c h w -> 1 (six c) t h w", six=6)[:, :16]

    def decode(self, latents: Tensor) -> Tensor:
        grow = dict(k=self.temporal, p=self.spatial, q=self.spatial)
        return repeat(latents[0, :3], "c t h w -> (t k) (h p) (w q) c", **grow)[3:].clamp_(0, 1)


def run(way: str, size: list[int], frames: int) -> None:
    """Remove, and log the peak. Raises ClearError where the system does not tell a process's memory (Windows)."""
    height, width = size
    if way == FILM:
        return _from_file_to_file(frames, height, width)
    images = film(frames, height, width)
    options = RemoveOptions.of(**WAYS[way], steps=1)
    make = nano_engine if way == "nano" else ClearEngine
    engine = make(MeanCodec(), lambda noise, control, *_: control.clone(), options.engine)
    # zeros take no memory before they are written
    cleaned, masks = torch.ones_like(images), torch.ones(images.shape[:3])
    before = peak()
    found = remove(iter(images), engine, white, options, total=frames)
    for i, (frame, mask) in enumerate(found):
        cleaned[i], masks[i] = frame, mask
    beyond, copy = peak() - before, images[: options.windows.window].numel() * 4
    log.info(
        "%s, %d frames of %dx%d: %.2f GiB beside frames and masks, %.1f float32 copies of the window (%.2f GiB each)",
        way,
        frames,
        width,
        height,
        beyond / 2**30,
        beyond / copy,
        copy / 2**30,
    )


def _from_file_to_file(frames: int, height: int, width: int) -> None:
    options = RemoveFilmOptions(remove=RemoveOptions.of(steps=1, subtitles_only=False))
    engine = nano_engine(MeanCodec(), lambda noise, control, *_: control.clone(), options.remove.engine)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "film.mp4", Path(folder) / "clean.mp4"
        with VideoWriter(source, width, height, 25) as writer:
            for frame in _frames(frames, height, width, lambda t: t % EVERY < SHOWN):
                writer.write(frame)
        held = Peak(torch.device("cpu"))
        done = clean(Job(source, Path(folder) / "work", lambda: target, engine, white, options))
        most = held.gib()
    if most is None:
        raise ClearError("This system does not tell what a process holds at most. Measure on Linux.")
    log.info(
        "%s, %d frames of %dx%d, something replaced in %d: %.0f MB in all",
        FILM,
        done.frames,
        width,
        height,
        done.changed,
        most * 2**30 / 1e6,
    )


def film(frames: int, height: int, width: int) -> Tensor:
    """A picture that moves a pixel a frame under white strokes, [T, H, W, 3]."""
    out = torch.empty(frames, height, width, 3)
    for t, frame in enumerate(_frames(frames, height, width)):
        out[t] = frame
    return out


def _frames(count: int, height: int, width: int, has_line: Callable[[int], bool] = lambda t: True) -> Iterator[Tensor]:
    coarse = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    picture = F.interpolate(coarse, (height, width), mode="bicubic")[0].permute(1, 2, 0).clamp(0, 0.9)
    top, bottom, left, right = _line(height, width)
    strokes = torch.arange(right - left) // 6 % 2 == 0
    for t in range(count):
        frame = picture.roll(t, 1)
        if has_line(t):
            frame[top:bottom, left:right][:, strokes] = 1.0
        yield frame


def white(frames: Tensor) -> Tensor:
    """A prior: white pixels in the subtitle's place."""
    masks, (top, bottom, left, right) = torch.zeros(frames.shape[:3]), _line(*frames.shape[1:3])
    masks[:, top:bottom, left:right] = (frames[:, top:bottom, left:right] > 0.99).all(-1).float()
    return masks


def peak() -> int:
    """Bytes that this process has held at most."""
    try:
        import resource  # POSIX alone has it
    except ImportError as missing:
        raise ClearError(
            "This system does not tell what a process holds at most. Measure on Linux or a Mac."
        ) from missing
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _line(height: int, width: int) -> tuple[int, int, int, int]:
    top, bottom, left, right = LINE
    return int(top * height), int(bottom * height), int(left * width), int(right * width)
