"""What is left of a case's subtitle, and what was done to the picture under it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..metrics import Lpips, flicker, masked_psnr
from .cases import BenchCase
from .ocr import Reader, ReadLine, Seen, at_subtitle, read_at_subtitle, two_views


@dataclass(frozen=True)
class Scores:
    """psnr in dB and flicker in 0..255 inside the grown mask; lpips of the subtitle's box. boxes: lines of text found
    at the subtitle's place, per frame; still_read: mean share of the burned characters that are still read, 0..1;
    worst: the worst frame's. None: not measured."""

    psnr: float
    flicker: float
    lpips: float | None = None
    boxes: float | None = None
    still_read: float | None = None
    worst: float | None = None


class Reading:
    """What is read in every `every`-th frame that has a subtitle. lines: by frame, all that is found in the whole
    subtitled frame."""

    def __init__(self, case: BenchCase, read: Reader, every: int):
        self.case, self.read, self.around = case, read, case.mask.any(0)
        shown = case.mask.flatten(1).any(1).nonzero().flatten().tolist()
        self.lines: dict[int, list[ReadLine]] = {}
        self.before: dict[int, Seen] = {}
        for index in shown[::every]:
            views = two_views(read, case.subtitled[index], self.around)
            self.lines[index] = views[0]
            self.before[index] = at_subtitle(views, case.mask[index])

    def check(self, frames: Tensor) -> dict[str, float]:
        """boxes, still_read and worst of Scores, of the case's frames [T, H, W, 3] as some method left them."""
        seen = {
            index: read_at_subtitle(self.read, frames[index], self.case.mask[index], self.around)
            for index in self.before
        }
        shares = [seen[index].share(before) for index, before in self.before.items()]
        return {
            "boxes": sum(max(one.boxes) for one in seen.values()) / len(seen),
            "still_read": sum(shares) / len(shares),
            "worst": max(shares),
        }


def score(case: BenchCase, frames: Tensor, lpips: Lpips | None, reading: Reading | None) -> Scores:
    """All that can be said of one method's frames [T, H, W, 3]."""
    return Scores(
        masked_psnr(frames, case.clean, case.grown),
        255 * flicker(frames, case.clean, case.grown),
        lpips(frames, case.clean, case.grown) if lpips else None,
        **(reading.check(frames) if reading else {}),
    )
