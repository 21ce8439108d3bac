"""How far a row's outline, glow or shadow reaches beyond its marks, judged from the picture.

A mask that is too wide makes the fill invent what the frame shows; one that is too tight leaves a rim. Around letters
that are whole inside their marks, one ring of pixels is on average like the next; where an outline ends or a glow
fades, it is not. An outline ends at each letter alike, while what the scene shows there differs from one to the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True)
class GrowthRules:
    """Pixels of the masks. least, most: of growth. beyond: from where on the picture is the scene's alone, and room: up
    to where it is looked at. levels: of 255, by which the mean colours of two rings differ at least where something
    ends; usual: the same in multiples of what is usual further out. letters: share of a row's letters that show at
    least `part` of such a step, where they are `few` or more. large: height of letters up to which all this holds."""

    least: int = 1
    most: int = 8
    beyond: int = 12
    room: int = 24
    levels: float = 2.5
    usual: float = 3.0
    letters: float = 0.4
    part: float = 0.3
    few: int = 4
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
    if (np.bincount(distance.ravel(), minlength=rules.room)[: rules.room] == 0).any():
        return rules.least  # the frame's edge or another row is too near to tell
    steps = np.diff(_rings(crop, distance, rules.room), axis=0)  # steps[g]: from ring g to g + 1
    sizes = np.linalg.norm(steps, axis=1)
    ends = sizes > rules.levels + rules.usual * sizes[rules.beyond :].mean()
    ends[: rules.most + 1] &= _alike(crop, marks, distance, steps[: rules.most + 1], rules)
    last = np.flatnonzero(ends[: rules.most + 1])
    return max(rules.least, int(last[-1])) if len(last) else rules.least


def _rings(crop: np.ndarray, distance: np.ndarray, count: int) -> np.ndarray:
    """The mean colour of each ring of a picture [h, w, 3], [count, 3]; of one without a pixel NaN."""
    sums = [np.bincount(distance.ravel(), crop[..., c].ravel(), count + 1)[:count] for c in range(3)]
    pixels = np.bincount(distance.ravel(), minlength=count + 1)[:count, None]
    return np.divide(np.stack(sums, 1), pixels, out=np.full((count, 3), np.nan), where=pixels > 0)


def _alike(
    crop: np.ndarray, marks: np.ndarray, distance: np.ndarray, steps: np.ndarray, rules: GrowthRules
) -> np.ndarray:
    """Which of n steps [n, 3] from ring to ring of a row the letters show alike, [n] bool: all of them where they are
    too few to tell. A letter is as wide as the row is high."""
    lines, columns = (np.flatnonzero(marks.any(axis)) for axis in (1, 0))
    first, width = columns[0], columns[-1] + 1 - columns[0]
    count = round(width / (lines[-1] + 1 - lines[0]))
    if count < rules.few:
        return np.ones(len(steps), bool)
    cuts = [0, *(first + width * np.arange(1, count) // count), marks.shape[1]]
    means = np.stack([_rings(crop[:, a:b], distance[:, a:b], len(steps) + 1) for a, b in zip(cuts, cuts[1:])])
    along = (np.diff(means, axis=1) * steps).sum(2)  # [letters, n]; NaN where a letter has no such ring
    return (along >= rules.part * np.square(steps).sum(1)).mean(0) >= rules.letters
