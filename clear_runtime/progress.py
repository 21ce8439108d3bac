"""How far a removal is, in one unit from its first frame to its last."""

from __future__ import annotations

from dataclasses import dataclass

from .frames.windows import WindowOptions, plan


@dataclass
class Progress:
    """The unit is a frame that was looked at; painting one counts as the engine's `steps` of these.

    total: frames of the video, None while nobody knows. finds: whether frames are looked at first. found: frames looked
    at; windows: those that are painted.
    """

    total: int | None
    options: WindowOptions
    steps: int
    finds: bool
    found: int = 0
    windows: int = 0
    _most: int = 0

    def at(self, step: int) -> tuple[int, int | None]:
        """(done, in all) with `step` steps of the next window done. Never less than before."""
        painted = self.windows + step / max(1, self.steps)
        cost = max(1, self.steps)
        if self.total is None:
            share, whole = painted * (self.options.window - self.options.overlap), None
        else:
            windows = len(plan(self.total, self.options.window, self.options.overlap))
            share, whole = min(1, painted / max(1, windows)) * self.total, (self.finds + cost) * self.total
        self._most = max(self._most, self.found + round(cost * share))
        return self._most, whole
