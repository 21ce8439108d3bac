"""What a text detector still finds in a cleaned film whose clean original nobody has.

    python -m clear_runtime bench leftover SOURCE RESULT ... [--area "subtitle 0%,75%,100%,25%"] [--every N]

Text boxes in the area where the subtitle is, before and after, in every N-th frame; and how near the result is to the
source outside of it, mean PSNR in dB, after the result's encoding. A detector also takes lettering of the scene, faces
and grass for text: look at the pictures before you believe a number. Needs the extra `evaluate`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from statistics import fmean

from torch import Tensor

from ..errors import ClearError
from ..frames.areas import SUBTITLE, masks_of
from ..media.video import read_frames
from .ocr import Reader, ReadLine, load_reader
from .tables import table

log = logging.getLogger(__name__)
AREA = "subtitle 0%,66%,100%,34%"
EVERY = 6
EQUAL = 99.0
"""dB of frames that are equal."""


@dataclass(frozen=True)
class Leftover:
    """Text boxes in the area before and after; dB outside of it; frames that were looked at."""

    before: int
    after: int
    outside: float
    frames: int


def leftover(source: Path, result: Path, read: Reader, area: str = AREA, every: int = EVERY) -> Leftover:
    """One film against its source. Raises ClearError where they differ in size or number of frames, and for an area
    that is none."""
    before = after = frames = 0
    decibels = []
    for old, new in _pairs(source, result, every):
        inside = masks_of(area, *old.shape[:2])[SUBTITLE][0] > 0
        before, after, frames = before + _in(read(old), inside), after + _in(read(new), inside), frames + 1
        error = float((old.float() - new.float())[~inside].square().mean()) if not inside.all() else 0.0
        decibels.append(min(EQUAL, -10 * math.log10(error)) if error else EQUAL)
    return Leftover(before, after, fmean(decibels), frames)


def _pairs(source: Path, result: Path, every: int) -> Iterator[tuple[Tensor, Tensor]]:
    for old, new in islice(zip_longest(read_frames(source), read_frames(result)), 0, None, every):
        if old is None or new is None or old.shape != new.shape:
            raise ClearError(f"{result.name} has not the frames of {source.name}. Give the film that was made of it.")
        yield old, new


def _in(lines: list[ReadLine], inside: Tensor) -> int:
    """Boxes whose middle is in the area [H, W] bool."""
    height, width = inside.shape
    middles = (line.corners.mean(0) for line in lines)
    return sum(bool(inside[min(height - 1, int(y)), min(width - 1, int(x))]) for x, y in middles)


def run(films: list[Path], area: str = AREA, every: int = EVERY) -> None:
    """Measure, and log the table. Raises ClearError for a film without its result."""
    if len(films) % 2:
        raise ClearError("Give SOURCE RESULT pairs: each film, and what was made of it.")
    read, rows, found = load_reader(), {}, []
    for source, result in zip(films[::2], films[1::2]):
        one = leftover(source, result, read, area, every)
        found.append(one)
        rows[source.stem] = [f"{one.before}", f"{one.after}", f"{one.outside:.2f}"]
    if len(found) > 1:
        rows["**all**"] = [f"{sum(one.before for one in found)}", f"{sum(one.after for one in found)}", ""]
    log.info("%s", table("film", ["boxes before", "boxes after", "dB outside"], rows))
