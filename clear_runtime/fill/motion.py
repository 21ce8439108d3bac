"""How the picture moves from frame to frame around the holes, and where a pixel is some frames away."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from ..frames.box_filter import mean_of_four
from ..frames.parallel import cores_used, in_order
from .flow import OpticalFlow, continued, flow, places, warped
from .harmonic import harmonic

GPU_BATCH = 8
"""Pairs of frames whose flow is sought at once on a GPU."""
CPU_BATCH, CPU_PIXELS = (2, 16), 250_000
"""The same on a CPU, at least and at most, and how many pixels of the grid they have together: a flow is made of
hundreds of small operations, each of which takes a while to begin. 16 pairs of 320x64 take half as long in one batch as
in eight, four of 320x176 four fifths; much larger ones gain nothing and take memory."""
RETURNS = 1.0
"""Pixels of the grid within which the way there and back again has to end."""
CUT = 0.3
"""Share of the picture whose way returns, at least; less is a cut."""


class Motion:
    """A piece at half its size, and the flow between its neighbouring frames: all that is computed densely.

    pixels [T, 3, h, w] in 0..1, known [T, 1, h, w] bool. colours [T, 3, h/2, w/2]: with something smooth in the holes;
    shown [T, 1, h/2, w/2]: the share of each pixel of this grid that is known; seen [T, 4, h/2, w/2]: both.
    optical_flow: another flow than our own.
    """

    def __init__(self, pixels: Tensor, known: Tensor, flows: bool = True, optical_flow: OpticalFlow | None = None):
        self._optical_flow = optical_flow
        device = pixels.device
        halves = in_order(lambda t: halved(pixels[t : t + 1].float(), known[t : t + 1]), range(len(pixels)), device)
        self.seen = torch.cat([torch.cat(one, 1) for one in halves])
        self.colours, self.shown = self.seen[:, :3], self.seen[:, 3:]
        count = len(pixels) - 1 if flows else 0
        batch = GPU_BATCH if device.type != "cpu" else _cpu_batch(count, self.shown[0].numel())
        starts = range(0, count, batch)
        pairs = list(in_order(lambda start: self._pairs(slice(start, start + batch + 1)), starts, device))
        none = self.colours.new_zeros(0, 3, *self.colours.shape[-2:])
        self.ahead, self.back = (torch.cat([none, *(pair[i] for pair in pairs)]) for i in (0, 1))
        self._returns = [[_share(field) >= CUT for field in fields] for fields in (self.ahead, self.back)]

    def _pairs(self, frames: slice) -> tuple[Tensor, Tensor]:
        colours, shown = self.colours[frames], self.shown[frames]
        ahead = self._flow(colours[:-1], colours[1:], shown[:-1], shown[1:])
        back = self._flow(colours[1:], colours[:-1], shown[1:], shown[:-1])
        return torch.cat([ahead, _returns(ahead, back)], 1), torch.cat([back, _returns(back, ahead)], 1)

    def _flow(self, first: Tensor, second: Tensor, shown: Tensor, shown_too: Tensor) -> Tensor:
        if self._optical_flow is None:
            return flow(first.mean(1, keepdim=True), second.mean(1, keepdim=True), shown, shown_too)
        return continued(self._optical_flow(first, second).to(first), shown, shown_too)

    def steps(self, t: int, direction: int) -> Iterator[tuple[int, Tensor]]:
        """The frames after t (direction 1) or before it (-1), nearest first and up to a cut, each with the flow [1, 3,
        h/2, w/2] into it from the one that was passed last: x and y in pixels of the grid, and how sure, 0..1."""
        while 0 <= t + direction < len(self.shown):
            at, fields = (t, self.ahead) if direction > 0 else (t - 1, self.back)
            if not self._returns[direction < 0][at]:
                return
            t += direction
            yield t, fields[at : at + 1]


def _share(field: Tensor) -> float:
    """Of a flow [3, h, w] (x, y, how sure), how much of it returns."""
    return float((field[2] > 0.5).float().mean())


def _cpu_batch(pairs: int, pixels: int) -> int:
    """How many of so many pairs go together, of pictures with so many pixels: each core has some."""
    least, most = CPU_BATCH
    return max(least, min(most, CPU_PIXELS // pixels, -(-pairs // cores_used())))


def followed(so_far: Tensor | None, step: Tensor) -> Tensor:
    """A flow [1, 3, h, w] (x, y, how sure) continued by one more step, which begins where it ends."""
    if so_far is None:
        return step
    seen = warped(step, so_far[:, :2])
    return torch.cat([so_far[:, :2] + seen[:, :2], so_far[:, 2:] * seen[:, 2:]], 1)


def halved(pixels: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """[N, C, h, w] at half the size without what is not known [N, 1, h, w], holes filled smoothly; and the share of
    each pixel that is known."""
    seen = known.float()
    share = mean_of_four(seen)
    half = mean_of_four(pixels * seen) / share.clamp_min(1e-6)
    return (harmonic(half, share > 0) if share.any() else half), share


def at_points(pictures: Tensor, points: Tensor, mode: str = "bilinear") -> Tensor:
    """[1, C, h, w] at points [n, 2] of (x, y) in its pixels -> [C, n]; 0 beyond the border."""
    where = places(points, pictures.shape[-2:])[None, None]
    return F.grid_sample(pictures, where, mode=mode, padding_mode="zeros", align_corners=True)[0, :, 0]


def halved_points(points: Tensor) -> Tensor:
    """Points (x, y) of the frame, in pixels of the grid of half its size."""
    return (points - 0.5) / 2


def _returns(there: Tensor, back: Tensor) -> Tensor:
    """How well the way back ends where the way there began, [N, 1, h, w] of 0 to 1; 0 where it leaves the picture."""
    off = (there + warped(back, there)).square().sum(1, keepdim=True)
    inside = warped(torch.ones_like(off), there) > 0.999
    return inside / (1 + (off / RETURNS**2).square())
