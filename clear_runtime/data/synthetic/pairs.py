"""Random training pairs: a scene, the same scene with subtitles, and the exact mask."""

import io
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from . import sources
from .burn import Layer, burn, random_style, render
from .scenes import Pictures, random_scene
from .text import TRAINED, random_line


class PairMaker:
    """Draws pairs from the pictures and fonts of one split of a folder filled by data.sources.

    `make(seed, ...)` is a pure function of its seed.
    """

    def __init__(self, folder: Path, validation: bool = False, scripts: tuple[str, ...] = TRAINED):
        self.pictures = Pictures(sources.pictures(folder, validation), sources.sprites(folder, validation))
        self.fonts = {
            script: [(str(p), 0) for p in sources.fonts(folder, script, validation)] for script in {*scripts, *TRAINED}
        }
        self.scripts = scripts

    def make(
        self,
        seed,
        frames: int,
        height: int,
        width: int,
        empty: float = 0.1,
        em: tuple[float, float] = (13, 34),
        frame_height: int | None = None,
    ):
        """-> clean, subtitled [T, H, W, 3] uint8 and mask [T, H, W] bool.

        empty: share of pairs without a subtitle. em: smallest and largest letter size in pixels. frame_height: where
        the crop is a part of a larger frame, lines may also be cut by its border, as they are in a crop; a whole frame
        may have a graphic in a corner, which is not a subtitle.
        """
        rng = random.Random(seed)
        clean = random_scene(rng, self.pictures, frames, height, width, signs=self.fonts)
        if frame_height is None and rng.random() < 0.35:
            layer = _corner_graphic(rng, self.fonts[rng.choice(TRAINED)], height, width)
            clean = np.stack([layer.over(frame) for frame in clean])
        track = (
            [] if rng.random() < empty else self._track(rng, frames, height, width, em, cut=frame_height is not None)
        )
        subtitled, mask = burn(clean, track, fade=rng.choice((0, 0, 0, 2, 4)))
        return clean, _compress(subtitled, rng), mask

    def _track(self, rng, frames, height, width, em, cut):
        """One line for the whole clip, or lines that come, go and change."""
        style = None
        spans, t = [], 0
        if rng.random() < 0.5:
            spans = [(-99, frames + 99)]
        else:
            t = rng.randrange(0, max(1, frames // 2)) if rng.random() < 0.5 else -99
            while t < frames:
                stop = max(t, 0) + rng.randrange(3, max(5, frames))
                spans.append((t, stop))
                t = stop + (rng.randrange(0, 6) if rng.random() < 0.5 else 0)
        track = []
        script = rng.choice(self.scripts)
        size = round(rng.uniform(*em))
        at = (width * (0.5 if rng.random() < 0.7 else rng.uniform(0.3, 0.7)), height * rng.uniform(0.1, 0.92))
        for first, stop in spans:
            style = style or random_style(rng, self.fonts[script], size)
            room = width * (rng.uniform(0.5, 1.6) if cut else rng.uniform(0.25, 0.95))
            lines = [
                random_line(rng, script, max(3, int(room / (size * 0.5))))
                for _ in range(1 if rng.random() < 0.7 else 2)
            ]
            track.append((first, stop, render(lines, style, width, height, at)))
        return track


def _corner_graphic(rng: random.Random, fonts, height: int, width: int) -> Layer:
    """A score, clock, channel name or logo in a corner. It stands as still as a subtitle, but must stay."""
    size = max(8, round(height * rng.uniform(0.022, 0.06)))
    style = replace(random_style(rng, fonts, size), italic=False)
    if rng.random() < 0.6:
        style = replace(style, box=(*(rng.randrange(256) for _ in range(3)), rng.uniform(0.4, 1.0)), stroke=0)
    lines = [
        random_line(rng, rng.choice(("latin", "latin", "chinese", "cyrillic")), rng.randrange(2, 16))
        if rng.random() < 0.6
        else f"{rng.randrange(100)}{rng.choice(' :-.')}{rng.randrange(100)}"
        for _ in range(rng.choice((1, 1, 2, 3, 4)))
    ]
    reach = max(len(line) for line in lines) * size * 0.3 + size * 0.7
    x = (
        max(reach, width * rng.uniform(0.04, 0.16))
        if rng.random() < 0.5
        else width - max(reach, width * rng.uniform(0.04, 0.16))
    )
    y = len(lines) * size * 0.6 + height * rng.uniform(0.01, 0.06)
    return render(lines, style, width, height, (x, y if rng.random() < 0.75 else height - y))


def _compress(frames: np.ndarray, rng: random.Random) -> np.ndarray:
    """JPEG at a random quality on half of the clips, for the blocks and halos that real video has around letters."""
    if rng.random() < 0.5:
        return frames
    quality, out = rng.randrange(45, 95), []
    for frame in frames:
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "jpeg", quality=quality)
        out.append(np.asarray(Image.open(buffer)))
    return np.stack(out)
