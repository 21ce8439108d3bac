"""How far a removal is, in one unit from its first frame to its last."""

from __future__ import annotations

from dataclasses import dataclass

from .frames.windows import WindowOptions, plan

FILLING, ENCODING, DECODING, BLENDING, CHECKING = 2.0, 0.5, 0.75, 0.25, 0.5
"""What a window takes beside its sampling, in steps of it: about what the bundled model does on the bundled clip."""
AROUND = FILLING + ENCODING + DECODING + BLENDING + CHECKING


@dataclass
class Progress:
    """The unit is a frame that was looked at; a frame that is painted counts as the engine's `steps` of these, and as
    AROUND for what comes before sampling and after it.

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
    _part: float = 0.0

    @property
    def cost(self) -> float:
        """Of painting a frame."""
        return max(1, self.steps) + AROUND

    def at(self, stage: str, step: int) -> tuple[int, int | None, float]:
        """(done, in all, share of the next window that is done), where a stage begins, or `step` steps of sampling are
        done; "done" is a window's end and the next one's beginning. Never less than before."""
        self._part = 0.0 if stage == "done" else max(self._part, self._begins(stage, step) / self.cost)
        painted, whole = self.windows + self._part, None
        if self.total is None:
            share = painted * (self.options.window - self.options.overlap)
        else:
            windows = len(plan(self.total, self.options.window, self.options.overlap))
            share = min(1, painted / max(1, windows)) * self.total
            whole = self.finds * self.total + round(self.cost * self.total)
        self._most = max(self._most, self.found + round(self.cost * share))
        return self._most, whole, self._part

    def _begins(self, stage: str, step: int) -> float:
        """Where in a window, in steps."""
        sampling = FILLING + ENCODING
        sampled = sampling + max(1, self.steps)
        places = {
            "encode": FILLING,
            "sample": sampling + step,
            "decode": sampled,
            "blend": sampled + DECODING,
            "check": sampled + DECODING + BLENDING,
        }
        return places.get(stage, 0.0)
