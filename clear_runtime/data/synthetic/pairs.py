"""Random training pairs: a scene, the same scene with overlaid text, and the exact mask of the text.

The label of a single frame is *overlaid text*: subtitles, captions, titles, and also names, scores and clocks in
corners. Nothing in a single frame tells these apart; which of them is the subtitle is for time and place to say.
Lettering of the scene (turned, blurred with it) is rare and not labelled.
"""

import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops

from . import sources
from .degrade import degraded
from .layouts import corner_text, moved, random_text
from .letters import Overlay, marked
from .negatives import draw_negatives
from .pictographs import random_pictograph
from .scenes import Pictures, random_scene
from .scripts import TRAINED

CORNERS = 0.1  # share of frames with text in a corner or at the border
SECOND = 0.16  # share of frames with a second text elsewhere
LEGIBLE = 22  # levels of 255 by which the letters must change what is under them, on average
BUSY = 0.3  # share of scenes with something drawn into them that looks like text and is none


class Drawn(NamedTuple):
    """clean, subtitled [H, W, 3] uint8, mask [H, W] bool, and what was laid over."""

    clean: np.ndarray
    subtitled: np.ndarray
    mask: np.ndarray
    overlays: list[Overlay]


class PairMaker:
    """Draws pairs from the pictures and fonts of one split of a folder filled by data.sources.

    `make(seed, ...)` and `frame(seed, ...)` are pure functions of their seed.
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
        em: tuple[float, float] | None = None,
        frame_height: int | None = None,
        boxes: bool = False,
    ):
        """-> clean, subtitled [T, H, W, 3] uint8 and mask [T, H, W] bool.

        empty: share of pairs without text. em: smallest and largest letters in pixels; None for all that occur.
        frame_height: where the crop is a part of a larger frame, text may stand anywhere in it and be cut by its
        border. boxes: whether boxes behind letters are in the mask too: what changed, instead of what is text.
        """
        if frames == 1:
            drawn = self.frame(seed, height, width, empty, em, frame_height is not None, boxes)
            return drawn.clean[None], drawn.subtitled[None], drawn.mask[None]
        rng = random.Random(seed)
        clean = random_scene(rng, self.pictures, frames, height, width, signs=self.fonts)
        track = (
            [] if rng.random() < empty else self._track(rng, frames, height, width, em, cut=frame_height is not None)
        )
        fade, subtitled, mask = rng.choice((0, 0, 0, 2, 4)), [], []
        settings = rng.getrandbits(32)
        smallest = min((block.size for _, _, blocks in track for block in blocks), default=32.0)
        for t, ground in enumerate(clean):
            frame, label = Image.fromarray(ground), Image.new("L", (width, height))
            for first, stop, blocks in track:
                if first <= t < stop:
                    strength = min(1.0, (t - first + 1) / (fade + 1), (stop - t) / (fade + 1))
                    for block in blocks:
                        block.over(frame, strength)
                        block.mark(label, strength, boxes)
            subtitled.append(np.asarray(degraded(frame, random.Random(settings), smallest)))
            mask.append(marked(label))
        return clean, np.stack(subtitled), np.stack(mask)

    def frame(
        self,
        seed,
        height: int,
        width: int,
        empty: float = 0.1,
        em: tuple[float, float] | None = None,
        cut: bool = True,
        boxes: bool = False,
        busy: float = BUSY,
        corners: float = CORNERS,
        **text,
    ) -> Drawn:
        """A single frame, see make. cut: whether it is a part of a larger one. busy, corners: shares of frames. text:
        see random_text."""
        rng = random.Random(seed)
        ground = Image.fromarray(random_scene(rng, self.pictures, 1, height, width, signs=self.fonts)[0])
        if rng.random() < busy:
            draw_negatives(rng, ground, rng.choice((1, 1, 2, 3)))
        clean = np.array(ground)
        overlays: list[Overlay] = []
        if rng.random() >= empty:
            for n in range(1 + (rng.random() < SECOND) + (rng.random() < SECOND / 3)):
                overlays += random_text(
                    rng,
                    self.fonts,
                    self.scripts,
                    width,
                    height,
                    em,
                    cut,
                    pictograph=random_pictograph,
                    **(text if n == 0 else {}),
                )
            if rng.random() < corners:
                overlays.append(corner_text(rng, self.fonts, self.scripts, width, height, cut))
        label = Image.new("L", (width, height))
        shown = []
        for overlay in overlays:
            strength, before = 1.0 if rng.random() < 0.92 else rng.uniform(0.3, 1.0), ground.copy()
            overlay.over(ground, strength)
            if legible(overlay, before, ground):
                overlay.seen(before, ground).mark(label, strength, boxes)
                shown.append(overlay)
            else:
                ground = before
        smallest = min((overlay.size for overlay in shown), default=32.0)
        return Drawn(clean, np.array(degraded(ground, rng, smallest)), marked(label), shown)

    def _track(
        self, rng: random.Random, frames: int, height: int, width: int, em, cut: bool
    ) -> list[tuple[int, int, list[Overlay]]]:
        """One text for the whole clip, or texts of one look and place that come, go and change."""
        spans, t = [], 0
        if rng.random() < 0.5:
            spans = [(-99, frames + 99)]
        else:
            t = rng.randrange(0, max(1, frames // 2)) if rng.random() < 0.5 else -99
            while t < frames:
                stop = max(t, 0) + rng.randrange(3, max(5, frames))
                spans.append((t, stop))
                t = stop + (rng.randrange(0, 6) if rng.random() < 0.5 else 0)
        return self._in_turn(rng, spans, width, height, em, cut)

    def _in_turn(
        self,
        rng: random.Random,
        spans,
        width: int,
        height: int,
        em,
        cut: bool,
        kind=None,
        size=None,
        room=None,
        look=None,
    ) -> list[tuple[int, int, list[Overlay]]]:
        """A text for each span (first, stop): all of one look, at the place of the first. The rest: see random_text."""
        script, state = rng.choice(self.scripts), rng.getrandbits(32)
        first: list = []
        track: list = []

        def same(drawn):
            """The look of the first text, for all of them."""
            first.append(look(drawn) if look and not first else drawn)
            return first[0]

        for n, span in enumerate(spans):
            if n:
                kind, size = track[0][2][0].kind, first[0].size
            blocks = random_text(
                random.Random(f"{state} {n}"),
                self.fonts,
                (script,),
                width,
                height,
                em,
                cut,
                kind,
                size,
                room,
                look=same,
            )
            track.append((*span, _where(track[0][2][0], blocks) if n else blocks))
        return track

    def lines(self, seed, frames: int, height: int, width: int, spans, **text) -> Drawn:
        """Lines of one look that take turns over a moving scene, one for each of `spans` (first, stop), as they were
        drawn: clean, subtitled [T, H, W, 3] and mask [T, H, W]. text: see random_text."""
        rng = random.Random(seed)
        clean = random_scene(rng, self.pictures, frames, height, width)
        track = self._in_turn(rng, spans, width, height, None, False, **text)
        subtitled, mask = [], []
        for t, ground in enumerate(clean):
            before, frame, label = Image.fromarray(ground), Image.fromarray(ground), Image.new("L", (width, height))
            shown = [block for first, stop, blocks in track if first <= t < stop for block in blocks]
            for block in shown:
                block.over(frame)
            for block in shown:
                block.seen(before, frame).mark(label)
            subtitled.append(np.asarray(frame))
            mask.append(marked(label))
        overlays = [block for _, _, blocks in track for block in blocks]
        return Drawn(np.asarray(clean), np.stack(subtitled), np.stack(mask), overlays)


def legible(overlay: Overlay, before: Image.Image, after: Image.Image) -> bool:
    """Whether a text can be told from the picture it was drawn over; blue on blue is nothing to learn from. A text
    with a box is."""
    area = overlay.left, overlay.top, overlay.left + overlay.letters.width, overlay.top + overlay.letters.height
    area = max(0, area[0]), max(0, area[1]), min(before.width, area[2]), min(before.height, area[3])
    if area[0] >= area[2] or area[1] >= area[3]:
        return False
    letters = overlay.letters.crop(
        (area[0] - overlay.left, area[1] - overlay.top, area[2] - overlay.left, area[3] - overlay.top)
    )
    change = ImageChops.difference(before.crop(area), after.crop(area))
    inside = np.asarray(letters) > 128
    if not inside.any():
        inside = np.asarray(letters) > 12
    return bool(inside.any()) and float(np.asarray(change).max(-1)[inside].mean()) >= LEGIBLE


def _where(first: Overlay, blocks: list[Overlay]) -> list[Overlay]:
    """Blocks moved to where another text stands."""
    x, y = first.left + first.picture.width / 2, first.top + first.picture.height / 2
    dx, dy = x - blocks[0].left - blocks[0].picture.width / 2, y - blocks[0].top - blocks[0].picture.height / 2
    return [moved(b, b.left + b.picture.width / 2 + dx, b.top + b.picture.height / 2 + dy) for b in blocks]
