"""How many frames a length of time is: what is known of text is known in seconds, and videos have 8 to 60 frames in
one."""

from __future__ import annotations

from dataclasses import dataclass

USUAL = 25.0
"""Frames a second where nobody says: from 24 to 30, a rule means the same."""
LEAST, MOST = 4.0, 120.0
"""Frames a second beyond which nothing is told apart: a slide show, a slow-motion shot."""
EVERY = 3
"""Frames, at the usual rate, from one look to the next: text stands for longer, and the frames between are told by its
pattern."""
MOST_APART = 8
"""The same at any rate: so many frames are told by what the looks beside them show."""


@dataclass(frozen=True)
class Pace:
    """fps: frames a second; 0 where nobody says. Anything beyond what text is shown at counts as the nearest."""

    fps: float = 0.0

    def frames(self, usual: float, least: int = 1) -> int:
        """As many as take as long as `usual` frames at the usual rate."""
        return max(least, round(usual * self.rate / USUAL))

    @property
    def rate(self) -> float:
        return min(MOST, max(LEAST, self.fps)) if self.fps else USUAL

    @property
    def every(self) -> int:
        """Frames from one look to the next: never further apart in time than at the slowest usual rate."""
        return min(MOST_APART, max(1, int(EVERY * self.rate / 24)))
