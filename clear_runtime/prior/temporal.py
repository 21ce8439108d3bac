"""Temporal evidence: what a prior that looks at single frames cannot know.

A subtitle stands still and switches on and off; a sign moves with the scene. So a marked place counts where a few frames
earlier or later the same letters stand in the same colours. One of the two is enough: at its first frame a line has only a
future, at its last one only a past.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..box_filter import box_mean

FAINT = 0.05  # soft mask under which a pixel is not marked at all
ALIGN = 32    # pixels: boxes of marks begin on this grid, so that one cut a little otherwise is judged in the same cells
SHORTEST = 7
"""Frames that a line stands at least: 0.3 s. Signs that a slow camera carries along are marked for fewer at any one place."""


@dataclass(frozen=True)
class Look:
    """A look `lag` frames away. doubt, sure: shares of a neighbourhood's letters that are still there; under the first the look
    speaks against a subtitle, over the second for one."""
    lag: int
    doubt: float
    sure: float


@dataclass(frozen=True)
class Evidence:
    """looks: any of them may speak for a place. The near one knows lines that are cut short, and so must be strict; the far one
    sees slow signs move. hold: frames by which a frame's evidence also speaks for its neighbours (fades). reach: radius, in
    shares of the frame's height, of the neighbourhood that is judged as one. change: RGB distance from which a pixel is another
    one. long_side: evidence is gathered on frames of at most this many pixels.

    The thresholds stand where subtitles and moving signs part on generated clips with signs in subtitles' own typefaces: 4
    frames on, 9 in 10 subtitle pixels keep at least 0.9 of their neighbourhood, and 3 in 4 sign pixels at most 0.84 at a
    quarter of a pixel per frame, 0.66 at half a pixel, 0.44 at one pixel.
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
    """Soft masks [T, H, W] of frames [T, H, W, 3] -> the same, smoothed over time and without what moves with the scene.

    Scenes that stand still say nothing about their signs: there everything stays marked. Fewer than three frames come back
    as they are.
    """
    if len(masks) < 3:
        return masks
    box, inside = _refine(masks, frames, evidence)
    whole = torch.zeros(masks.shape)
    whole[(slice(None), *box)] = inside
    return whole


def smooth(masks: Tensor) -> Tensor:
    """The median of each frame's mask and its neighbours': single dropouts and flashes go, switching on and off stays sharp."""
    around = torch.cat([masks[:1], masks, masks[-1:]])
    before, after = around[:-2], around[2:]
    return torch.maximum(torch.minimum(before, after), torch.minimum(torch.maximum(before, after), masks))


def keep_lasting(mask: Tensor) -> Tensor:
    """Binary masks [T, H, W] of frames in a row without the marks that come and go within SHORTEST frames at their place.

    A mark in the first or last frame may go on beyond it, and counts as lasting there.
    """
    reach = min(SHORTEST, len(mask)) - 1
    times = lambda x, before, after: F.pad(x, (0, 0, 0, 0, before, after), mode="constant", value=1.0)
    always = -F.max_pool3d(-times(mask.float()[None, None], reach, reach), (reach + 1, 1, 1), 1)  # all of SHORTEST frames in a row
    return F.max_pool3d(always, (reach + 1, 1, 1), 1)[0, 0]  # and every frame of such a row


def _box(masks: Sequence[Tensor]) -> tuple[slice, slice]:
    """Rows and columns that hold all marks, from the grid on; empty where nothing is marked."""
    spans = []
    for other in (1, 0):
        along = torch.stack([(mask > FAINT).any(other) for mask in masks]).any(0).nonzero().flatten()
        spans.append(slice(int(along[0]) // ALIGN * ALIGN, int(along[-1]) + 1) if len(along) else slice(0, 0))
    return tuple(spans)


def _refine(masks: Sequence[Tensor], frames: Sequence[Tensor], evidence: Evidence) -> tuple[tuple[slice, slice], Tensor]:
    """The box that holds all marks, and the refined masks in it. Nothing else of a frame is copied: a second in 4K takes gigabytes."""
    box, whole = _box(masks), masks[0].shape
    soft = smooth(torch.stack([mask[box] for mask in masks]))
    if not soft.numel():
        return box, soft
    return box, soft * _trust(soft * (soft > FAINT), torch.stack([frame[box] for frame in frames]), evidence, whole)


def _trust(masks: Tensor, frames: Tensor, evidence: Evidence, whole: tuple[int, int]) -> Tensor:
    """How far what is marked around each pixel stands still, 0..1: [T, h, w] for masks [T, h, w] and frames [T, h, w, 3], the box that
    holds all marks. whole: height and width of the frame that it is cut from."""
    height, width = masks.shape[1:]
    scale = min(1.0, evidence.long_side / max(whole))
    size = [max(1, round(side * scale)) for side in (height, width)]
    m, x = masks[:, None].float(), frames.permute(0, 3, 1, 2).float()
    if scale < 1:
        m, x = (F.interpolate(part, size, mode="bilinear", antialias=True) for part in (m, x))
    radius = max(2, round(evidence.reach * scale * whole[0]))
    marked = _around(m * m, radius).clamp(min=1e-3)
    best = torch.zeros_like(marked)
    for look in evidence.looks:
        lag = min(look.lag, len(m) - 1)
        both = _around(m[:-lag] * m[lag:] * _same(x[:-lag], x[lag:], evidence.change), radius)  # of frames t and t + lag
        best[:-lag] = torch.maximum(best[:-lag], _rise(both / marked[:-lag], look))
        best[lag:] = torch.maximum(best[lag:], _rise(both / marked[lag:], look))
    if evidence.hold:
        best = torch.stack([best[max(0, t - evidence.hold):t + evidence.hold + 1].amax(0) for t in range(len(best))])
    best = F.interpolate(best, scale_factor=float(_cell(radius)), mode="bilinear")[..., :size[0], :size[1]]
    return (F.interpolate(best, (height, width), mode="bilinear") if scale < 1 else best)[:, 0]


def refine_stream(marked: Iterable[tuple[Tensor, Tensor]], evidence: Evidence = Evidence(), chunk: int = 32) -> Iterator[tuple[Tensor, Tensor]]:
    """(frame [H, W, 3], mask [H, W]) of a video of any length -> the same with refined masks, as `refine` gives them for the whole.

    Holds chunk + twice the evidence's context of frames, and runs that context behind.
    """
    held, before, context = [], 0, evidence.context
    for one in marked:
        held.append(one)
        if len(held) == before + chunk + context:
            yield from _refined(held, before, before + chunk, evidence)
            keep = min(context, before + chunk)
            held, before = held[before + chunk - keep:], keep
    yield from _refined(held, before, len(held), evidence)


def _refined(held, start: int, stop: int, evidence: Evidence):
    frames, masks = [frame for frame, _ in held], [mask for _, mask in held]
    if len(held) < 3:  # as in refine
        yield from held[start:stop]
        return
    box, inside = _refine(masks, frames, evidence)
    for i in range(start, stop):
        whole = torch.zeros_like(masks[i])
        whole[box] = inside[i]
        yield frames[i], whole


def _rise(share: Tensor, look: Look) -> Tensor:
    """From 0 at `doubt` smoothly to 1 at `sure`."""
    x = ((share - look.doubt) / (look.sure - look.doubt)).clamp(0, 1)
    return x * x * (3 - 2 * x)


def _same(a: Tensor, b: Tensor, change: float) -> Tensor:
    return torch.exp(-((a - b).square().sum(1, keepdim=True) / change ** 2))


def _around(x: Tensor, radius: int) -> Tensor:
    """The mean of x over squares that reach `radius` pixels, on a grid of cells of _cell(radius) pixels."""
    cell = _cell(radius)
    x = F.avg_pool2d(F.pad(x, (0, -x.shape[-1] % cell, 0, -x.shape[-2] % cell)), cell)
    return box_mean(x, round(radius / cell))


def _cell(radius: int) -> int:
    return max(1, radius // 3)
