"""Random pairs from the generator as training clips: what the bundled LoRA learns from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from .clips import Clip
from .synthetic.pairs import PairMaker

EMPTY, LETTERS, WHOLE = (
    0.05,
    (11, 34),
    352,
)  # share without a subtitle, pixels of an em, height of the frame that a clip is cut from


class GeneratedClips:
    """Clips of random scenes and subtitles, of a folder filled by data.sources. Clip n is a pure function of (seed,
    n)."""

    def __init__(
        self,
        folder: str | Path,
        count: int,
        size: tuple[int, int, int] = (13, 96, 256),
        seed: int = 0,
        validation: bool = False,
    ):
        """size: frames (4k + 1), height and width in pixels."""
        self.maker, self.size, self.sizes, self.held_back = PairMaker(Path(folder), validation), size, [size], 1
        split = "validation" if validation else "training"
        self.identities = [f"generated {split} {seed} {n} {size} {EMPTY} {LETTERS} {WHOLE}" for n in range(count)]

    def read(self, wanted: Sequence[int]) -> Iterator[tuple[int, Clip]]:
        for n in wanted:
            clean, subtitled, _ = self.maker.make(
                self.identities[n], *self.size, empty=EMPTY, em=LETTERS, frame_height=WHOLE
            )
            yield n, Clip(*(torch.from_numpy(frames).float() / 255 for frames in (subtitled, clean)))

    def __str__(self) -> str:
        return f"{len(self.identities)} generated clips of {self.size[0]} frames of {self.size[2]}x{self.size[1]}"
