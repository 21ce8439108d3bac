"""How far a row's outline, glow or shadow reaches beyond its marks, judged from the picture.

A mask that is too wide makes the fill invent what the frame shows; one that is too tight leaves a rim. Around letters
that are whole inside their marks, one ring of pixels is on average like the next; where an outline ends or a glow
fades, it is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True)
class GrowthRules:
    """Pixels of the masks. least, most: of growth. beyond: from where on the picture is the scene's alone, and room: up
    to where it is looked at. levels: of 255, by which the mean colours of two rings differ at least where something
    ends; usual: the same in multiples of what is usual further out. large: height of letters up to which all this
    holds."""

    least: int = 1
    most: int = 8
    beyond: int = 12
    room: int = 24
    levels: float = 2.5
    usual: float = 3.0
    large: float = 80.0

    def step(self, letter: float) -> int:
        """By how much smaller a picture of letters so high is judged: their glow and shadow are as much wider."""
        return max(1, round(letter / self.large))


def growth(
    crop: np.ndarray, marks: np.ndarray, others: np.ndarray, letter: float = 0.0, rules: GrowthRules = GrowthRules()
) -> int:
    """Pixels by which marks [h, w] bool of letters so high must be widened in a picture [h, w, 3] uint8, which shows
    rules.step(letter) times `room` pixels around them. others: [h, w] bool, what is marked besides."""
    step = rules.step(letter)
    if step > 1:
        small = [part[::step, ::step] for part in (crop, marks, others)]
        wide = growth(small[0], small[1], small[2], rules=rules)
        return step * wide if wide > rules.least else rules.least
    if not marks.any():
        return rules.least
    distance = np.minimum(ndimage.distance_transform_cdt(~marks, "chessboard"), rules.room)
    distance[ndimage.binary_dilation(others & ~marks, iterations=rules.most)] = rules.room
    rings = np.arange(rules.room)
    if (np.bincount(distance.ravel(), minlength=rules.room)[: rules.room] == 0).any():
        return rules.least  # the frame's edge or another row is too near to tell
    means = np.stack([ndimage.mean(crop[..., c].astype(np.float32), distance, rings) for c in range(3)], 1)
    steps = np.linalg.norm(np.diff(means, axis=0), axis=1)  # steps[g]: from ring g to g + 1
    ends = steps > rules.levels + rules.usual * steps[rules.beyond :].mean()
    last = np.flatnonzero(ends[: rules.most + 1])
    return max(rules.least, int(last[-1])) if len(last) else rules.least
