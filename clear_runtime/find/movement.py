"""How a row of text moved while it was there, and how the scene did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .align import SAME, SAME_GROWN, alike_grown, moved
from .track import Look, Track

MOST_GROWN = 2.5
"""How many times as large as at its smallest a row that grows about its middle becomes at most."""
LEAST = 3.0
"""Pixels that a row shakes at least: a prior's marks of one that stands differ by less."""
SHAKES, TO_AND_FRO = 0.4, 2.0
"""Of the letters' height, within which a row that shakes stays; how much longer its way is than to where it ends."""


@dataclass(frozen=True)
class Movement:
    """How a track moved. with_scene, against_scene: steps in which the scene moved and the row with it, or stood.
    standing: share of its looks at the place where it was most often. travelled: pixels between its furthest places.
    grows: whether it grew or shrank about its middle, which counts as its place then. shakes: whether it moved to and
    fro about its place."""

    with_scene: int
    against_scene: int
    standing: float
    travelled: float
    grows: bool = False
    shakes: bool = False


def movement(
    track: Track, cameras: Mapping[int, tuple[float, float]], scale: float, reach: int, samples: int = 12
) -> Movement:
    """How a track moved, from some of its looks. cameras: of each look, how far the scene has moved since the first, in
    pixels of the masks; scale: the masks' longer side over 1280. reach: pixels that a row moves at most."""
    looks = [track.looks[i] for i in np.unique(np.linspace(0, len(track.looks) - 1, samples).round().astype(int))]
    places, grown = _places(track, looks, reach)
    at = places / scale
    scene = np.array([cameras[look.t] for look in looks]) / scale
    still = np.linalg.norm(at[:, None] - at, axis=2) <= 1.5
    steps, pans = np.diff(at, axis=0), np.diff(scene, axis=0)
    far = np.linalg.norm(pans, axis=1)
    pans_well = far >= 2
    together = np.linalg.norm(steps - pans, axis=1) <= 0.35 * far + 0.7
    stays = np.linalg.norm(steps, axis=1) <= 0.25 * far + 0.5
    return Movement(
        int((pans_well & together).sum()),
        int((pans_well & stays & ~together).sum()),
        float(still.mean(1).max()),
        float(np.ptp(at, axis=0).max()),
        grown >= len(looks) / 4,
        _shakes(places, track.letter),
    )


def shakes(track: Track, samples: int = 12) -> bool:
    """Whether a row moves to and fro about its place, by its first looks."""
    looks = track.looks[:samples]
    return _shakes(_places(track, looks, round(track.letter))[0], track.letter)


def _places(track: Track, looks: Sequence[Look], reach: int) -> tuple[np.ndarray, int]:
    """(how far down and right of the fullest look's place [n, 2] a row is in some, in how many it has another size)."""
    places, grown = _about(track.fullest, looks, reach)
    if not grown and np.ptp(places, axis=0).max() > LEAST:  # the fullest may show something else with it
        others = _about(looks[len(looks) // 2], looks, reach)
        places, grown = others if others[1] else (places, grown)
    return places, grown


def _about(middle: Look, looks: Sequence[Look], reach: int) -> tuple[np.ndarray, int]:
    places, grown = [], 0
    for look in looks:
        both = middle.row.soft, middle.row.region, look.row.soft, look.row.region
        down, right, how = moved(*both, reach)
        if how < SAME and alike_grown(*both, MOST_GROWN) >= SAME_GROWN:
            down, right, grown = 0.0, 0.0, grown + 1
        places.append((down, right))
    return np.array(places), grown


def _shakes(places: np.ndarray, letter: float) -> bool:
    """Whether places [n, 2], in order, go to and fro, no further than a part of a letter's height."""
    reach = float(np.ptp(places, axis=0).max()) if len(places) >= 4 else 0.0
    if not LEAST <= reach <= SHAKES * letter:
        return False
    way, ends = (np.linalg.norm(np.diff(at, axis=0), axis=1).sum() for at in (places, places[[0, -1]]))
    return bool(way >= TO_AND_FRO * max(1.0, ends))
