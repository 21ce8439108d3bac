"""What a run will take, from the film's facts and the plan: said before it begins."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ..errors import ClearError
from ..options import RemoveOptions
from .plan import Plan
from .timecode import duration

HELD = 2 * 3 + 1
"""Bytes that a window holds of each pixel of a frame: three colours in half precision, and its mark."""
WORKED_ON = 3 * 3 * 4
"""Bytes of each pixel of the part that is worked on: three copies of three colours in float32 (windowed.py)."""
BAND = 0.3
"""Share of the frame that is worked on as long as no plan says more: a line or two with room around it."""
GROWS = 3.5
"""How many times as large as the source a result is taken to be: its encoder is given more bits, for a second encoding
shall not be seen. The bundled clip grows by as much at the default quality."""
GB = 1e9


@dataclass(frozen=True)
class Cost:
    """frames: of the film; painted: those that go through a window; None where nobody knows yet. memory: bytes at most,
    beside the model's own. disk: bytes, of the result and, until it is whole, of its segments. seconds: of work.
    copied: frames that are taken over as they are."""

    frames: int | None
    painted: int | None
    memory: int
    disk: int
    seconds: float | None = None
    copied: int = 0

    def text(self) -> str:
        frames = f"{self.frames} frames" if self.frames else "The film"
        said = [frames if self.painted is None else f"{frames}, of which {self.painted} are painted"]
        if self.copied:
            said[0] += f" and {self.copied} taken over as they are"
        said.append(f"about {max(0.1, self.memory / GB):.1f} GB of memory beside the model's own")
        said.append(f"about {max(0.1, self.disk / GB):.1f} GB of disk, half of it until it is whole")
        if self.seconds is not None:
            said.append(f"about {duration(self.seconds)}")
        return "; ".join(said) + "."


def cost_of(
    size: tuple[int, int],
    frames: int | None,
    source_bytes: int,
    options: RemoveOptions,
    plan: Plan | None = None,
    painted: int | None = None,
    rates: tuple[float, float] | None = None,
    copied: int = 0,
) -> Cost:
    """size: (height, width). painted: frames in pieces that are worked on. rates: seconds for a frame that is painted,
    and for one that passes through. copied: frames that are not even decoded again."""
    pixels, window = size[0] * size[1], options.windows.window
    share = BAND
    if plan is not None:
        tallest = max((line.region.height for line in plan.removed), default=0)
        share = 1.0 if plan.everything else min(1.0, (3 * tallest + 128) / size[0])
    held = min(window, frames or window) + options.windows.overlap
    memory = round(held * pixels * (HELD + share * WORKED_ON))
    seconds = None
    if rates is not None and frames is not None and painted is not None:
        seconds = painted * rates[0] + (frames - painted - copied) * rates[1]
    return Cost(frames, painted, memory, round(2 * GROWS * source_bytes), seconds, copied)


def require_room(folder: Path, source_bytes: int, finished_bytes: int) -> None:
    """Raise ClearError where a disk has certainly not enough room: less than the segments and the result take if they
    are no larger than the source."""
    free, needed = shutil.disk_usage(folder).free, 2 * source_bytes - finished_bytes
    if free < needed:
        raise ClearError(
            f"{folder} has {free / GB:.3g} GB free, and this film needs {needed / GB:.3g} GB or more until it is "
            "whole. Free some space, or choose an output on another disk."
        )
