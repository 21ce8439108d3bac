"""The result as files: the cleaned clip, the same beside the original, and one picture of both.

Frames [T, H, W, 3] float in 0..1, masks [T, H, W].
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from ..atomic import WholeFile
from ..errors import ClearError
from .audio_track import unpacked
from .layers import LayersWriter
from .steady import steady_frames
from .video import read_facts
from .writer import VISUALLY_LOSSLESS_CRF, VideoWriter

LAYERS = 3  # before, after, mask
LINE = 2  # pixels of white between the halves; even, so that the joined width is


def check(before: Tensor, after: Tensor, mask: Tensor | None) -> None:
    """Refuse what cannot be compared, before anything is written."""
    if not len(before):
        raise ClearError("There are no frames in 'before'. Give at least one.")
    if before.shape != after.shape:
        raise ClearError(
            f"'before' is {_size(before)} and 'after' is {_size(after)}. Both need the same number of frames and the "
            "same size."
        )
    if mask is not None and mask.shape[-2:] != before.shape[1:3]:
        raise ClearError(
            f"The mask is {mask.shape[-1]}x{mask.shape[-2]} pixels, the frames {before.shape[2]}x"
            f"{before.shape[1]}. Give the mask that belongs to these frames."
        )


def _size(frames: Tensor) -> str:
    return f"{len(frames)} frames of {frames.shape[2]}x{frames.shape[1]}"


def telling_frame(before: Tensor, after: Tensor, mask: Tensor | None) -> int:
    """Index of the frame with the largest mask; of the one that changed most, where there is no mask for each frame."""
    if mask is not None and len(mask) == len(before) and mask.any():
        return int(torch.stack([m.sum() for m in mask]).argmax())
    return int(torch.stack([(a.float() - b.float()).abs().sum() for a, b in zip(before, after)]).argmax())


def labels(height: int, width: int) -> tuple[Tensor, Tensor]:
    """The words and the line over a joined picture of two frames: colour [H, 2W+LINE, 3] and opacity [H, 2W+LINE,
    1]."""
    picture = Image.new("RGBA", (2 * width + LINE, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    size = max(9, height // 22)
    font, pad = ImageFont.load_default(size), size // 3
    for left, word in ((0, "before"), (width + LINE, "after")):
        x0, y0, x1, y1 = draw.textbbox((left + 2 * pad, 2 * pad), word, font=font)
        draw.rectangle((x0 - pad, y0 - pad, x1 + pad, y1 + pad), fill=(0, 0, 0, 140))
        draw.text((left + 2 * pad, 2 * pad), word, font=font, fill=(255, 255, 255, 255))
    draw.rectangle((width, 0, width + LINE - 1, height), fill=(255, 255, 255, 255))
    pixels = torch.from_numpy(np.array(picture)).float() / 255
    return pixels[..., :3], pixels[..., 3:]


def join(before: Tensor, after: Tensor, words: tuple[Tensor, Tensor]) -> Tensor:
    """Two frames [H, W, 3] side by side under their labels: [H, 2W+LINE, 3]."""
    line = torch.ones(before.shape[0], LINE, 3)
    joined = torch.cat([before.float().cpu(), line, after.float().cpu()], 1)
    colour, opacity = words
    return joined + opacity * (colour - joined)


@dataclass(frozen=True)
class Also:
    """What else is asked for.

    notes: kept in each file by name, as ComfyUI keeps a workflow. shown: numbers of the frames in the picture, one row
    each; None for the telling one. layers: a video of before, after and mask, one below the other, for a player
    (layers.py).
    """

    notes: Mapping[str, str] = field(default_factory=dict)
    shown: Sequence[int] | None = None
    layers: Path | None = None


def save(
    folder: str | os.PathLike,
    prefix: str,
    before: Tensor,
    after: Tensor,
    mask: Tensor | None,
    fps: Fraction,
    audio: tuple[Tensor, int] | None = None,
    crf: float = VISUALLY_LOSSLESS_CRF,
    on_frame: Callable[[int], None] | None = None,
    also: Also = Also(),
) -> list[Path]:
    """Write PREFIX_before_after.png, PREFIX_clean.mp4 and PREFIX_before_after.mp4; all of them or none.

    audio: ([channels, samples] in -1..1, samples per second); what is longer than the picture is left out.
    on_frame(done) after each frame; it may raise to stop, and then nothing is left behind.
    """
    check(before, after, mask)
    height, width = before.shape[1:3]
    words = labels(height, width)
    if audio is not None:
        samples, rate = audio
        samples = unpacked(samples, rate, float(len(after) / fps))
        audio = samples[:, : -(-len(after) * rate * fps.denominator // fps.numerator)], rate
    folder = Path(folder)
    made = [folder / f"{prefix}_{end}" for end in ("before_after.png", "clean.mp4", "before_after.mp4")]
    try:
        with contextlib.ExitStack() as whole:  # all are whole before the first takes its name
            picture, clean, both = (whole.enter_context(WholeFile(path)) for path in made)
            video = lambda path, wide: VideoWriter(path, wide, height, fps, crf, audio=audio, notes=also.notes)
            with contextlib.ExitStack() as open_videos:
                clean_writer = open_videos.enter_context(video(clean, width))
                both_writer = open_videos.enter_context(video(both, 2 * width + LINE))
                layers = also.layers and open_videos.enter_context(
                    LayersWriter(also.layers, width, height, fps, LAYERS, audio)
                )
                for index in range(len(after)):
                    clean_writer.write(after[index, ..., :3])
                    both_writer.write(join(before[index, ..., :3], after[index, ..., :3], words))
                    if layers:
                        layers.write(before[index], after[index], changed(before, after, mask, index))
                    if on_frame is not None:
                        on_frame(index + 1)
            shown = [telling_frame(before, after, mask)] if also.shown is None else also.shown
            rows = [join(before[index, ..., :3], after[index, ..., :3], words) for index in shown]
            _save_png(picture, torch.cat(rows), also.notes)
    except OSError as error:
        raise ClearError(
            f"{folder}: the result cannot be saved there ({error.strerror or error}). Free some space, or "
            "choose a folder where you may write."
        ) from error
    return made


def save_of_files(before: Path, after: Path, movie: Path, picture: Path, crf: float = VISUALLY_LOSSLESS_CRF) -> None:
    """Of two files of one size, a frame at a time: `movie` shows one beside the other, at the times and with the sound
    of `after`; `picture` is the frame that changed most. Raises ClearError where they cannot be read or written."""
    facts = read_facts(after)
    words = labels(facts.height, facts.width)
    most, shown = -1.0, None
    wide = 2 * facts.width + LINE
    with VideoWriter(movie, wide, facts.height, facts.fps, crf, facts.colour, beside=after, like=facts) as writer:
        for old, new in zip(steady_frames(before, read_facts(before)), steady_frames(after, facts)):
            one, other = old.picture(), new.picture()
            both, change = join(one, other, words), float((one - other).abs().sum())
            writer.write(both, new.time)
            if change > most:
                most, shown = change, both
    if shown is not None:
        _save_png(picture, shown, {})


def save_layers(
    path: Path,
    before: Tensor,
    after: Tensor,
    mask: Tensor | None,
    fps: Fraction,
    audio: tuple[Tensor, int] | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> None:
    """The video for a player alone, where nothing else is to be kept."""
    check(before, after, mask)
    with LayersWriter(path, before.shape[2], before.shape[1], fps, LAYERS, audio) as layers:
        for index in range(len(after)):
            layers.write(before[index], after[index], changed(before, after, mask, index))
            if on_frame is not None:
                on_frame(index + 1)


def changed(before: Tensor, after: Tensor, mask: Tensor | None, index: int) -> Tensor:
    """[H, W]: the mask of a frame; without one, how much its most different channel changed, eight times."""
    if mask is not None:
        return mask[index if len(mask) == len(before) else 0]
    return (8 * (after[index, ..., :3].float() - before[index, ..., :3].float()).abs().amax(-1)).clamp(0, 1)


def _save_png(path: Path, picture: Tensor, notes: Mapping[str, str]) -> None:
    pixels, texts = picture.clamp(0, 1).mul(255).add(0.5).to(torch.uint8), PngInfo()
    for name, text in notes.items():
        texts.add_text(name, text)
    Image.fromarray(pixels.numpy()).save(path, "PNG", pnginfo=texts)
