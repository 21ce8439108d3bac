"""How long a row is there before and after the prior sees it: fades, and the frames between two looks.

A letter that fades in is its colour mixed into the scene: its pattern is there before it can be read. So the pattern of
the row where it is surest is looked for in the frames beside, until it is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..frames.region import Region
from .align import part, shift
from .rows import Row

FADE = 30
"""Frames, at the usual rate, that a fade takes at most: a second."""
GONE = 0.08
"""Share of the letters' contrast under which they are gone: on a clean picture, 3 to 10 levels of 255."""
UNLIKE, ALIKE = 0.35, 0.75
"""Correlation with the letters' pattern under which it is not they that are seen: where they are as weak as the scene,
and where they are strong. Other letters of the same colour at the same place come to 0.5."""
STANDS = 0.7
"""Share of the letters' strength from which they have not faded at all."""
SUDDEN = 0.6
"""Share of their strength that letters lose from one frame to the next where they go at once. What is left is the
scene's: an edge of it looks a little like a row."""
PER_STRENGTH = 2.5
"""How fast the one becomes the other: at a third of their strength, letters outshine the scene."""


@dataclass(frozen=True, eq=False)
class Pattern:
    """A row's letters against what is around them. region: in the pixels of the small frames [h, w, 3]. contrast: of
    each pixel to its surroundings [h, w, 3]; letters: [h, w], how much each pixel is one, 0..1."""

    region: Region
    contrast: np.ndarray
    letters: np.ndarray
    reach: int

    @classmethod
    def of(cls, row: Row, small: np.ndarray, scale: float) -> Pattern:
        """From the small frame in which a row was seen; scale: its size over the masks'."""
        room = max(2, round(row.letter * scale))
        top, left = int(row.region.top * scale), int(row.region.left * scale)
        height, width = (max(1, round(side * scale)) for side in row.soft.shape)
        inner = Region(top, left, min(height, small.shape[0] - top), min(width, small.shape[1] - left))
        region = inner.grown(room, *small.shape[:2])
        letters = np.zeros((region.height, region.width), dtype=np.float32)
        place = inner.within(region)
        step_y, step_x = row.soft.shape[0] / height, row.soft.shape[1] / width
        ys = np.minimum((np.arange(inner.height) + 0.5) * step_y, row.soft.shape[0] - 1).astype(int)
        xs = np.minimum((np.arange(inner.width) + 0.5) * step_x, row.soft.shape[1] - 1).astype(int)
        letters[place.rows, place.columns] = row.soft[np.ix_(ys, xs)] / 255
        return cls(region, _contrast(small, region, room), letters, room)

    def share(self, small: np.ndarray) -> tuple[float, float]:
        """(how strong the letters are in a small frame, as a share of the pattern's; how alike)."""
        seen = _contrast(small, self.region, self.reach)
        weight = self.letters[..., None]
        own = float((weight * self.contrast**2).sum())
        other = float((weight * seen**2).sum())
        both = float((weight * self.contrast * seen).sum())
        return both / max(own, 1e-6), both / max((own * other) ** 0.5, 1e-6)

    def stands(self, small: np.ndarray, nearby: bool = True) -> bool:
        """Whether a small frame shows most of the letters as they are, at their place or nearby: where the camera has
        moved on, a sign has not gone."""
        here = self._stands_at(small, self.region)
        if here or not nearby:
            return here
        wide = self.region.grown(self.reach, *small.shape[:2])
        own, seen = self.letters * self.contrast.mean(2), _contrast(small, wide, self.reach).mean(2)
        down, right = (round(by) for by in shift(part(own, self.region, wide), seen, self.reach))
        top, left = max(0, self.region.top + down), max(0, self.region.left + right)
        place = Region(top, left, self.region.height, self.region.width)
        return place.bottom <= len(small) and place.right <= small.shape[1] and self._stands_at(small, place)

    def _stands_at(self, small: np.ndarray, place: Region) -> bool:
        """The same of one place. It is asked of one part of the row after the other: where something walks before a
        sign on a wall, the sign has not gone."""
        seen, weight = _contrast(small, place, self.reach), self.letters[..., None]
        along = 1 if self.letters.shape[1] >= self.letters.shape[0] else 0
        size = self.letters.shape[along]
        parts = np.arange(0, size, min(size, 2 * self.reach))
        own, other, both = (
            np.add.reduceat((weight * product).sum((1 - along, 2)), parts)
            for product in (self.contrast**2, seen**2, self.contrast * seen)
        )
        alike = (both >= STANDS * own) & (both >= ALIKE * np.sqrt(own * other))
        total = float(own.sum())
        return total > 0 and float(own[alike].sum()) >= 0.5 * total  # what has no contrast says nothing

    def frames_there(self, small: Iterable[np.ndarray], most: int = FADE) -> int:
        """In how many of these frames, from the first on, it is there, `most` at most; before the first it is there as
        it is here."""
        count, before = 0, 1.0
        for frame in small:
            strength, alike = self.share(frame)
            enough = min(ALIKE, max(UNLIKE, PER_STRENGTH * strength))
            if count == most or strength < max(GONE, before - SUDDEN) or alike < enough:
                break
            count, before = count + 1, strength
        return count


def _contrast(frame: np.ndarray, region: Region, reach: int) -> np.ndarray:
    seen = frame[region.rows, region.columns].astype(np.float32)
    return seen - ndimage.uniform_filter(seen, (2 * reach + 1, 2 * reach + 1, 0), mode="nearest")
