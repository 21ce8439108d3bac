"""Take hidden pixels from other frames in which they can be seen: at the same place where the background stands still,
and along the motion of the picture where it moves.

Lines of text change, subtitles come and go, and a camera that moves shows beside a letter what it will hide, or hid, a
few frames away.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from ..frames.box_filter import box_mean
from .exemplar import Exemplar
from .flow import OpticalFlow, warped
from .motion import Motion, at_points, followed, halved_points

RADII = ((3, 1.0), (4, 0.03), (5, 0.001))
"""(reach, weight) at half the frame's size, a quarter and an eighth, so 6, 16 and 40 of its pixels: the neighbourhoods
in which two frames are compared. The far ones count where the near ones hold no pixel that both frames show: in the
middle of a box or between tight strokes."""
SOURCES = 4
"""Other frames that a frame borrows from at the same place at most, those that show most of its hidden pixels first."""
AWAY = 48
"""Frames over which motion is followed at most, in each direction."""
LENDERS = 24
"""Frames that are borrowed from along the motion at most, in each direction, nearest first."""
NEWS = 0.02
"""Share of a frame's hidden pixels that one more lender has to show for the first time."""
REST = 0.02
"""Share of the hidden pixels that lenders leave to the spatial fill, from which texture is worth looking for."""
FILL_ERROR = 0.3
"""Squared error of the spatial fill as a share of the surroundings' variance. With 0.1 still scenes come back 2 to 5 dB
worse; with 0.6 what moves gains 0.1 dB, and what changes without moving loses as much."""
NOISE = (1.5 / 255) ** 2
"""Squared difference that two frames of a still scene show anyway; keeps the weights finite."""


class Borrower:
    """Mixes true pixels into the spatial fill of a piece's frames.

    pixels [T, 3, h, w] in 0..1, known [T, 1, h, w] bool; still: whether pixels are borrowed at the same place in
    other frames; moving: whether along the motion; texture: whether what no
    frame shows is given texture (exemplar.py); optical_flow: another than our own. Frames are asked for in their
    order.
    """

    def __init__(
        self,
        pixels: Tensor,
        known: Tensor,
        still: bool = True,
        moving: bool = True,
        texture: bool = True,
        optical_flow: OpticalFlow | None = None,
    ):
        self.pixels, self.known, self.moving = pixels, known, moving
        self.motion = Motion(pixels, known, flows=moving, optical_flow=optical_flow)
        self.texture = Exemplar(pixels, known, self.motion, moving) if texture else None
        self.still = lenders(known) if still else [torch.empty(0, dtype=torch.long)] * len(known)

    def __call__(self, t: int, filled: Tensor) -> Tensor:
        """Frame t's spatial fill [3, h, w], true pixels of other frames mixed into its holes.

        Each candidate is weighted against the fill by how far both may be off: the candidate by how much its frame
        differs from this one around the hole, the fill by how much the surroundings vary. So nothing switches on or off
        from frame to frame, and where no frame agrees with this one the fill stays.
        """
        rows, columns = (~self.known[t, 0]).nonzero(as_tuple=True)
        points = torch.stack([columns, rows], 1).float()
        compare = _Comparison(self.motion, t)
        lent, total = filled.new_zeros(3, len(points)), filled.new_ones(len(points))  # the fill's own weight is 1
        for frame, field in self._lenders(t, points):
            weight, drift = at_points(compare(frame, field), halved_points(points)).split((1, 3))
            colours, shown = self._seen(frame, points, field)
            weight = weight * shown
            lent, total = lent + weight * (colours - drift), total + weight[0]
        own = filled[:, rows, columns]
        if self.texture is not None and (1 / total).mean() > REST:
            own = self.texture(t, own, points)
        mixed = lent + own
        out = filled.clone()
        out[:, rows, columns] = mixed / total
        return out

    def _lenders(self, t: int, points: Tensor) -> Iterator[tuple[int, Tensor | None]]:
        """Frames to borrow from, each with the flow into it [1, 3, h/2, w/2], or None where all stands still."""
        for frame in self.still[t].tolist():
            yield frame, None
        if not self.moving:
            return
        for direction in (1, -1):
            wanted, field = self._that_show(t, points, direction), None
            for frame, step in self.motion.steps(t, direction):
                if not wanted:
                    break
                field = followed(field, step)
                if frame == wanted[0]:
                    yield wanted.pop(0), field

    def _that_show(self, t: int, points: Tensor, direction: int) -> list[int]:
        """The frames in one direction that show enough points which no nearer one shows, nearest first."""
        at, hidden, sure = halved_points(points), points.new_ones(len(points)), points.new_ones(len(points))
        chosen: list[int] = []
        for frame, step in self.motion.steps(t, direction):
            if abs(frame - t) > AWAY or len(chosen) == LENDERS or hidden.sum() < NEWS * len(points):
                break
            move = at_points(step, at)
            at, sure = at + move[:2].T, sure * move[2]
            shown = (at_points(self.motion.shown[frame : frame + 1], at)[0] > 0.99) * sure
            if (hidden * shown).sum() >= NEWS * len(points):
                hidden = hidden * (1 - shown)
                chosen.append(frame)
        return chosen

    def _seen(self, frame: int, points: Tensor, field: Tensor | None) -> tuple[Tensor, Tensor]:
        """A lender's colours [3, n] where the points are, and whether all that they are made of is known [n]."""
        pixels, known = self.pixels[frame : frame + 1].float(), self.known[frame : frame + 1].float()
        if field is None:
            rows, columns = points.long().T.flip(0)
            return pixels[0, :, rows, columns], known[0, 0, rows, columns]
        at = points + 2 * at_points(field[:, :2], halved_points(points)).T
        # what is not known is 0 and out of the count: a place that is nearly a pixel's has a trace of its neighbours'
        alone = torch.cat([pixels * known, known], 1)
        (sharp, full), (soft, part) = (at_points(alone, at, mode).split((3, 1)) for mode in ("bicubic", "bilinear"))
        sharp, soft = (sharp / full.clamp_min(0.5)).clamp(0, 1), soft / part.clamp_min(0.5)
        # a cubic reaches a pixel farther than the four that a place lies between
        inner = -F.max_pool2d(F.pad(-known, (1, 1, 1, 1)), 3, 1)
        shown, whole = (at_points(torch.cat([known, inner], 1), at) > 0.999).split(1)
        return torch.where(whole, sharp, soft), shown[0]


class _Comparison:
    """Compares frame t with others."""

    def __init__(self, motion: Motion, t: int):
        self.motion, self.one, self.visible = motion, motion.colours[t : t + 1], motion.shown[t : t + 1]
        mean, square = _around(torch.cat([self.one, self.one.square()], 1), self.visible)[0].split(3, 1)
        self.varies = FILL_ERROR * (square - mean.square()).mean(1, keepdim=True).clamp_min(0) + NOISE / 4

    def __call__(self, frame: int, field: Tensor | None) -> Tensor:
        """A lender's weight against the fill's 1, and by how much it is brighter around, [1, 4, h/2, w/2]."""
        lender = torch.cat([self.motion.colours[frame : frame + 1], self.motion.shown[frame : frame + 1]], 1)
        if field is not None:
            lender = warped(lender, field[:, :2])
        off = lender[:, :3] - self.one
        shared = self.visible * lender[:, 3:4]
        means, there = _around(torch.cat([off.square().mean(1, keepdim=True), off], 1), shared)
        drift = means[:, 1:]
        differs = (means[:, :1] - drift.square().mean(1, keepdim=True)).clamp_min(0)
        # the square makes the better of the two win clearly
        weight = (self.varies / (differs + NOISE)).square() * (there > 0)
        if field is not None:
            weight = weight * field[:, 2:]
        return torch.cat([weight, drift], 1)


def lenders(known: Tensor) -> list[Tensor]:
    """known [T, 1, h, w] bool -> for each frame the others [n] that it borrows from, at most SOURCES. One frame is
    nearest to a hidden pixel on each side: the last before and the first after that show it."""
    count = len(known)
    votes = torch.zeros(count, count, dtype=torch.long, device=known.device)
    for order in (range(count), reversed(range(count))):
        nearest = torch.full(known.shape[1:], count, device=known.device)  # so far none
        for t in order:
            nearest = torch.where(known[t], t, nearest)
            votes[t] += nearest[~known[t]].bincount(minlength=count + 1)[:count]
    most = votes.argsort(descending=True, stable=True)[:, :SOURCES]
    return [frames[row[frames] > 0] for frames, row in zip(most, votes)]


def _around(values: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """The weighted mean of [N, C, h, w] around every pixel, from near to far, and the weight it rests on."""
    size = values.shape[-2:]
    x, total, scale = torch.cat([values * weight, weight], 1), torch.zeros_like(weight), 1
    for reach, share in RADII:
        near = share * box_mean(x, reach)
        if scale > 1:
            near = F.interpolate(near, scale_factor=scale, mode="bilinear")[..., : size[0], : size[1]]
        total = total + near
        x, scale = F.avg_pool2d(x, 2, ceil_mode=True), 2 * scale
    return total[:, :-1] / total[:, -1:].clamp_min(1e-12), total[:, -1:]
