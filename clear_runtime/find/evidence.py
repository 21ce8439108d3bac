"""Temporal evidence: what a prior that looks at single frames cannot know.

A subtitle stands still and switches on and off; a sign moves with the scene. So a marked place counts where a few
frames earlier or later the same letters stand in the same colours. One of the two is enough: at its first frame a line
has only a future, at its last one only a past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional as F

from ..frames.box_filter import box_mean
from ..frames.median import median_of_three
from ..frames.region import Region, bounds

FAINT = 0.05  # soft mask under which a pixel is not marked at all
CHUNK = 16  # frames of a video of any length that are judged at a time
SHORTEST = 7
"""Frames that a line stands at least: 0.3 s. Signs that a slow camera carries along are marked for fewer at any one
place."""


@dataclass(frozen=True)
class Look:
    """A look `lag` frames away. doubt, sure: shares of a neighbourhood's letters that are still there; under the first
    the look speaks against a subtitle, over the second for one."""

    lag: int
    doubt: float
    sure: float


@dataclass(frozen=True)
class Evidence:
    """looks: any of them may speak for a place. The near one knows lines that are cut short, and so must be strict; the
    far one sees slow signs move. hold: frames by which a frame's evidence also speaks for its neighbours (fades).
    reach: radius, in shares of the frame's height, of the neighbourhood that is judged as one. change: RGB distance
    from which a pixel is another one. long_side: evidence is gathered on frames of at most this many pixels.

    The thresholds stand where subtitles and moving signs part on generated clips with signs in subtitles' own
    typefaces: 4 frames on, 9 in 10 subtitle pixels keep at least 0.9 of their neighbourhood, and 3 in 4 sign pixels at
    most 0.84 at a quarter of a pixel per frame, 0.66 at half a pixel, 0.44 at one pixel.
    """

    looks: tuple[Look, ...] = (Look(4, 0.7, 0.9), Look(8, 0.5, 0.75))
    hold: int = 3
    reach: float = 0.03
    change: float = 0.25
    long_side: int = 640

    @property
    def context(self) -> int:
        """Frames on either side that a frame's result depends on."""
        return max(look.lag for look in self.looks) + self.hold + 1


def refine(masks: Tensor, frames: Tensor, evidence: Evidence = Evidence()) -> Tensor:
    """Soft masks [T, H, W] of frames [T, H, W, 3] -> the same, smoothed over time and without what moves with the
    scene.

    Scenes that stand still say nothing about their signs: there everything stays marked. Fewer than three frames come
    back as they are.
    """
    refined = [mask for _, mask in refine_stream(zip(frames, masks), evidence, chunk=len(masks))]
    return torch.stack(refined) if refined else masks


def refine_stream(
    marked: Iterable[tuple[Tensor, Tensor]], evidence: Evidence = Evidence(), chunk: int = CHUNK
) -> Iterator[tuple[Tensor, Tensor]]:
    """(frame [H, W, 3], soft mask [H, W]) of a video of any length -> the same with refined masks, as `refine` gives
    them for the whole.

    Holds chunk + twice the evidence's context of frames, and runs that context behind.
    """
    seen = (_Seen(frame, mask, evidence) for frame, mask in _smoothed(marked))
    for one, trust in in_chunks(seen, lambda held: _trust(held, evidence), evidence.context, chunk):
        yield one.frame, one.refined(trust)


def keep_lasting(mask: Tensor) -> Tensor:
    """Binary masks [T, H, W] of frames in a row, bool, without the marks that come and go within SHORTEST frames at
    their place.

    A mark in the first or last frame may go on beyond it, and counts as lasting there.
    """
    mask = mask.bool()
    return mask & (_lasted(mask) + _lasted(mask.flip(0)).flip(0) > SHORTEST)


def in_chunks(items: Iterable, work: Callable[[list], Sequence], context: int, chunk: int = CHUNK) -> Iterator[tuple]:
    """(item, its result) in order, where `work` gives the results of items that follow one another, each of which
    depends on `context` items on either side at most. Holds chunk + twice the context of items, and runs that context
    behind."""
    held, before = [], 0
    for one in items:
        held.append(one)
        if len(held) == before + chunk + context:
            yield from list(zip(held, work(held)))[before : before + chunk]
            keep = min(context, before + chunk)
            held, before = held[before + chunk - keep :], keep
    if held:
        yield from list(zip(held, work(held)))[before:]


def _smoothed(marked: Iterable[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    """(frame, mask) of a video of any length with the masks that `temporal_median` gives."""
    coming, last = iter(marked), None
    now = next(coming, None)
    while now is not None:
        (frame, mask), after = now, next(coming, None)
        yield frame, median_of_three(mask if last is None else last, mask, mask if after is None else after[1])
        last, now = mask, after


def _lasted(mask: Tensor) -> Tensor:
    """For how many frames, up to each, a pixel of [T, H, W] has been marked in a row: uint8, at most SHORTEST. Before
    the first it was."""
    lasted = torch.empty_like(mask, dtype=torch.uint8)
    now = mask.new_full(mask.shape[1:], SHORTEST, dtype=torch.uint8)
    for t, marked in enumerate(mask):
        lasted[t] = now = (now + 1).clamp(max=SHORTEST) * marked
    return lasted


class _Seen:
    """A frame [H, W, 3] and its mask [H, W], with both as small as they are judged: marks [1, h, w] and colours [3, h,
    w], None where nothing is marked; all but the frame on the mask's device. No more than that is copied: a second of
    frames in 4K takes gigabytes."""

    def __init__(self, frame: Tensor, mask: Tensor, evidence: Evidence):
        self.frame, self.mask, self.marks, self.colours = frame, mask * (mask > FAINT), None, None
        scale = min(1.0, evidence.long_side / max(mask.shape))
        self.size = tuple(max(1, round(side * scale)) for side in mask.shape)
        if self.mask.any():
            self.marks, self.colours = (
                self._scaled(self.mask[None]),
                self._scaled(frame.permute(2, 0, 1)).to(mask.device),
            )

    def _scaled(self, part: Tensor) -> Tensor:
        small = part.shape[1:] != self.size
        return (
            F.interpolate(part[None].float(), self.size, mode="bilinear", antialias=True)[0] if small else part.float()
        )

    def refined(self, trust: tuple[Region, Tensor] | None) -> Tensor:
        """The mask by how far it is trusted [h, w], in a region of the small frame; all of it where nobody can say."""
        if trust is None or self.marks is None:
            return self.mask
        region, inside = trust
        whole = inside.new_zeros(1, *self.size)
        region.of(whole)[:] = inside
        return self.mask * F.interpolate(whole[None], tuple(self.mask.shape), mode="bilinear")[0, 0]


def _trust(held: Sequence[_Seen], evidence: Evidence) -> list[tuple[Region, Tensor] | None]:
    """How far what is marked around each pixel of the small frames stands still, 0..1, in the region that holds all
    marks; None for fewer than three frames."""
    some = [one.marks for one in held if one.marks is not None]
    if len(held) < 3 or not some:
        return [None] * len(held)
    radius = max(2, round(evidence.reach * held[0].size[0]))
    cell = _cell(radius)
    # Cells are those of the whole frame, and reach further than the marks, because the result is interpolated between
    # them.
    box = bounds(reduce(torch.maximum, some), 2 * cell)
    if box is None:
        return [None] * len(held)
    region = Region.between(box.top // cell * cell, box.left // cell * cell, box.bottom, box.right)
    empty = some[0].new_zeros(4, region.height, region.width)
    m, x = torch.stack(
        [empty if one.marks is None else torch.cat([region.of(one.marks), region.of(one.colours)]) for one in held]
    ).split([1, 3], 1)
    marked = _around(m * m, radius).clamp(min=1e-3)
    best = torch.zeros_like(marked)
    for look in evidence.looks:
        lag = min(look.lag, len(m) - 1)
        both = _around(
            m[:-lag] * m[lag:] * _same(x[:-lag], x[lag:], evidence.change), radius
        )  # of frames t and t + lag
        best[:-lag] = torch.maximum(best[:-lag], _rise(both / marked[:-lag], look))
        best[lag:] = torch.maximum(best[lag:], _rise(both / marked[lag:], look))
    if evidence.hold:
        best = torch.stack([best[max(0, t - evidence.hold) : t + evidence.hold + 1].amax(0) for t in range(len(best))])
    best = F.interpolate(best, scale_factor=float(cell), mode="bilinear")[:, 0, : region.height, : region.width]
    return [(region, inside) for inside in best]


def _rise(share: Tensor, look: Look) -> Tensor:
    """From 0 at `doubt` smoothly to 1 at `sure`."""
    x = ((share - look.doubt) / (look.sure - look.doubt)).clamp(0, 1)
    return x * x * (3 - 2 * x)


def _same(a: Tensor, b: Tensor, change: float) -> Tensor:
    return torch.exp(-((a - b).square().sum(1, keepdim=True) / change**2))


def _around(x: Tensor, radius: int) -> Tensor:
    """The mean of x over squares that reach `radius` pixels, on a grid of cells of _cell(radius) pixels."""
    cell = _cell(radius)
    x = F.avg_pool2d(F.pad(x, (0, -x.shape[-1] % cell, 0, -x.shape[-2] % cell)), cell)
    return box_mean(x, round(radius / cell))


def _cell(radius: int) -> int:
    return max(1, radius // 3)
