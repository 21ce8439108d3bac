"""Where another shot begins, to the frame: what is painted is not blended across it.

A line that stands over the cut is no part of either shot: bright letters over a dark scene would make two shots alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..frames.region import Region
from .align import camera, correlation, overlap

CUT = 0.3
"""Correlation of two looks, without their text, under which they are of two shots."""
AT_ONCE = 0.5
"""Correlation of two frames, one after the other, under which it is a cut and no fast movement of the camera."""
MIXED, BOTH = 0.95, 0.2
"""One shot dissolves into another where a frame half way between two is a mix of them: its correlation with the best
mix, and the weight in it that either has, at least."""
HALF_WAY = 12
"""Frames, at the usual rate, from it to either: half a second."""
FLAT = 4.0
"""Levels of 255, as a standard deviation, under which a frame shows one colour and its noise; and by which the colours
of two such frames differ at least."""
NEAR = 8.0
"""Levels by which frames of two shots differ on average at least: an even wall that moves on is like nothing."""
DARK = 16.0
"""Levels under which a pixel is black, of bars or of a hall: two shots of one stage have much of it in common."""
FADED = 0.8
"""How much of its contrast a picture has left, half a second on either side of a fade's frame, at most."""
STEP = 2
"""Every second pixel of the small frames is enough."""
SURE = 6.0
"""How sure of the camera's movement it must be (align.py)."""
LEAST = 0.2
"""Share of the frame that must be left beside text to tell."""


@dataclass(frozen=True)
class ShotRules:
    """sudden, related: a slide on black is like a lit stage; up to the second of these, a correlation, it is a cut
    where the picture changes so many times as much as from any other frame beside to the next; sudden 0: it is none.
    moved: in a hand's shake a frame is unlike the one before, but for one that moved; from that correlation on, it is
    none. dissolves: whether shots may dissolve into one another. fades: whether they may come out of one colour, and go
    into it."""

    sudden: float = 3.0
    related: float = 0.6
    moved: float = 0.65
    dissolves: bool = True
    fades: bool = True


class Shots:
    """first: frames with which one begins, 0 among them. dissolves: frames, from and to, in which one turns into
    another, or comes out of one colour or goes into it."""

    def __init__(self, rules: ShotRules = ShotRules()) -> None:
        self.rules = rules
        self.first = [0]
        self.dissolves: list[tuple[int, int]] = []
        self._before: tuple[int, np.ndarray, Sequence[Region]] | None = None

    def look(self, t: int, frames: Mapping[int, np.ndarray], text: Sequence[Region]) -> None:
        """A look at frame t. frames: number -> small frame [h, w, 3] of those since the look before, and of t, and
        of some before. text: where it has some, in pixels of these."""
        before, self._before = self._before, (t, frames[t], text)
        if before is None:
            return
        scene = _beside([*text, *before[2]], frames[t].shape[:2])
        if scene.mean() < LEAST:
            return
        apart = _alike(before[1], frames[t], scene)
        if apart >= self.rules.related:
            return
        near = [one for one in frames if one - 1 in frames]
        steps = {one: _alike(frames[one - 1], frames[one], scene) for one in near if one > before[0]}
        first = min(steps, key=lambda one: steps[one], default=None)
        if first is None:
            return
        changes = apart < CUT and steps[first] < AT_ONCE or self._is_sudden(first, steps[first], frames, scene)
        if changes and _moved_on(frames[first - 1], frames[first], scene) < self.rules.moved:
            self.first.append(first)

    def _is_sudden(self, first: int, step: float, frames: Mapping[int, np.ndarray], scene: np.ndarray) -> bool:
        """Whether the picture changes with one frame, and hardly with the others. step: how alike it is to the one
        before."""
        near = [one for one in frames if one - 1 in frames]
        if not self.rules.sudden or step >= self.rules.related:
            return False
        changes = {one: float(np.abs(_grey(frames[one], scene) - _grey(frames[one - 1], scene)).mean()) for one in near}
        others = [change for one, change in changes.items() if one != first]
        return bool(others) and changes[first] >= max(NEAR, self.rules.sudden * max(others))

    @property
    def changes(self) -> list[int]:
        """Frames at which all of the picture becomes another: a shot's first, and some of those that mix two."""
        return [*self.first, *(t for first, stop in self.dissolves for t in range(first, stop, 3))]

    def look_back(self, half_way: int, frames: Mapping[int, np.ndarray], text: Sequence[Region]) -> None:
        """Whether the picture of the last of these frames has been dissolved into. half_way: frames from what may be a
        mix to either of what it mixes; the rest as of `look`."""
        last = max(frames)
        first = last - 2 * half_way
        if first not in frames:
            return
        scene = _beside(text, frames[last].shape[:2])
        if scene.mean() < LEAST:
            return
        before, between, after = (_grey(frames[t], scene) for t in range(first, last + 1, half_way))
        fades = self.rules.fades and _is_fade(before, between, after)
        unlike = self.rules.dissolves and _alike(frames[first], frames[last], scene) < AT_ONCE
        if fades or unlike and _is_mix(before, between, after):
            if self.dissolves and self.dissolves[-1][1] >= first:
                first = self.dissolves.pop()[0]
            self.dissolves.append((first, last + 1))


def _is_mix(before: np.ndarray, between: np.ndarray, after: np.ndarray) -> bool:
    both = np.stack([before - before.mean(), after - after.mean()], 1)
    weights = np.linalg.lstsq(both, between - between.mean(), rcond=None)[0]
    return min(weights) >= BOTH and correlation(both @ weights, between) >= MIXED


def _is_fade(before: np.ndarray, between: np.ndarray, after: np.ndarray) -> bool:
    """Whether a picture comes out of one colour, or goes into it: the same one, with more contrast, or less."""
    faint, clear = sorted((before, after), key=np.std)
    if not faint.std() < between.std() < clear.std() or clear.std() < 2 * FLAT or faint.std() > FADED * clear.std():
        return False
    same = between if faint.std() < FLAT else faint
    return correlation(same, clear) >= MIXED


def is_cut(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether one small frame [h, w, 3], or grey [h, w, 1], is of another shot than the frame before it."""
    return _alike(before, after, _beside([], after.shape[:2])) < AT_ONCE


def _beside(text: Sequence[Region], size: tuple[int, ...]) -> np.ndarray:
    """The pixels of a frame without text [h, w] bool."""
    scene = np.ones(size, dtype=bool)
    for region in text:
        scene[region.rows, region.columns] = False
    return scene[::STEP, ::STEP]


def _alike(one: np.ndarray, two: np.ndarray, scene: np.ndarray) -> float:
    a, b = _grey(one, scene), _grey(two, scene)
    if max(a.std(), b.std()) < FLAT:
        return float(abs(a.mean() - b.mean()) < FLAT)
    if np.abs(a - b).mean() < NEAR:
        return 1.0
    shows = (a > DARK) | (b > DARK)
    return correlation(a[shows], b[shows]) if shows.mean() >= LEAST else correlation(a, b)


def _moved_on(one: np.ndarray, two: np.ndarray, scene: np.ndarray) -> float:
    """How alike two frames are where the second one shows the first one's scene moved."""
    a, b = (np.where(scene, grey, grey[scene].mean()) for grey in (_grey_of(one), _grey_of(two)))
    down, right, sure = camera(a, b, min(a.shape) // 3)
    moved = Region(round(down), round(right), *a.shape)
    there = overlap(Region(0, 0, *a.shape), moved)
    if sure < SURE or there is None:
        return 0.0
    was = there.within(moved)
    both = scene[there.rows, there.columns] & scene[was.rows, was.columns]
    return correlation(a[was.rows, was.columns][both], b[there.rows, there.columns][both]) if both.any() else 0.0


def _grey(frame: np.ndarray, scene: np.ndarray) -> np.ndarray:
    return _grey_of(frame)[scene]


def _grey_of(frame: np.ndarray) -> np.ndarray:
    return frame[::STEP, ::STEP].mean(2, dtype=np.float32)
