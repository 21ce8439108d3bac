"""Take hidden pixels from other frames in which they can be seen: at the same place where the background stands still,
and along the motion of the picture where it moves.

Lines of text change, subtitles come and go, and a camera that moves shows beside a letter what it will hide, or hid, a
few frames away.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..frames.box_filter import box_mean, mean_of_four
from ..frames.parallel import in_order
from .exemplar import Exemplar
from .flow import OpticalFlow, warped
from .harmonic import harmonic
from .lend import sampled, shown_at
from .motion import Motion, at_points, followed, halved_points
from .network import Painter

RADII = ((1, 1.0), (2, 0.03), (2, 0.001))
"""(reach, weight) at a quarter of the frame's size, an eighth and a sixteenth, so 6, 20 and 40 of its pixels: the
neighbourhoods in which two frames are compared. The far ones count where the near ones hold no pixel that both frames
show: in the middle of a box or between tight strokes."""
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
SURE = 10.0
"""Weight, the fill's own 1 among it, from which on what is lent counts as known: the fill and the network go on from
it. With 4 four kinds of moving pictures gain 0.3 dB more and clips that hardly move lose up to 0.2; with 2, 0.4 and
0.5."""
AROUND = 32
"""Pixels beside a frame's holes that the network is shown."""
FILL_ERROR = 0.3
"""Squared error of the spatial fill as a share of the surroundings' variance. With 0.1 still scenes come back 2 to 5 dB
worse; with 0.6 what moves gains 0.1 dB, and what changes without moving loses as much."""
MANY = 3
"""Lenders that agree, or do so better than the spatial fill, after which a hidden pixel needs no more: the mean of many
has less texture, and takes longer."""
SHOWN = 0.005
"""Share of a frame's hidden pixels that a lender has to show to be compared."""
SAMPLE = 4000
"""Hidden pixels at least by which lenders are chosen."""
NOISE = (1.5 / 255) ** 2
"""Squared difference that two frames of a still scene show anyway; keeps the weights finite."""


class Borrower:
    """Mixes true pixels into the spatial fill of a piece's frames.

    pixels [T, 3, h, w] in 0..1, known [T, 1, h, w] bool; still: whether pixels are borrowed at the same place in
    other frames; moving: whether along the motion; painter: paints what no frame shows (network.py), which else is
    smooth; texture: whether it is given texture (exemplar.py); optical_flow: another than our own.
    """

    def __init__(
        self,
        pixels: Tensor,
        known: Tensor,
        still: bool = True,
        moving: bool = True,
        texture: bool = True,
        optical_flow: OpticalFlow | None = None,
        painter: Painter | None = None,
    ):
        self.pixels, self.known, self.moving, self.painter = pixels, known, moving, painter
        self.motion = Motion(pixels, known, flows=moving, optical_flow=optical_flow)
        self.texture = Exemplar(pixels, known, self.motion, moving) if texture else None
        self.still = lenders(known) if still else [torch.empty(0, dtype=torch.long)] * len(known)

    def frames(self, wanted: Sequence[int]) -> Iterator[Tensor]:
        """Each of the frames [3, h, w], with true pixels of other frames and the spatial fill mixed in its holes. Each
        of them has some, and some known pixel."""
        return in_order(self._begun, wanted, self.pixels.device, self._textured)

    def _begun(self, t: int) -> _Begun:
        """What frame t needs no other frame's result for.

        Each candidate is weighted against the fill by how far both may be off: the candidate by how much its frame
        differs from this one around the hole, the fill by how much the surroundings vary. So nothing switches on or off
        from frame to frame, and where no frame agrees with this one the fill stays.
        """
        rows, columns = (~self.known[t, 0]).nonzero(as_tuple=True)
        points = torch.stack([columns, rows], 1).float()
        lent, total = self._lent(t, points)
        # what is painted goes on from what was lent, not only from what stands around both
        sure = total >= SURE
        picture, known = self.pixels[t].float(), self.known[t]
        if sure.any():
            at = (slice(None), rows[sure], columns[sure])
            picture, known = picture.clone(), known.clone()
            picture[at], known[at] = lent[:, sure] / (total[sure] - 1), True
        filled = harmonic(picture[None], known[None])[0]
        if self.painter is not None and not sure.all() and (1 / total).mean() > REST:
            filled = self._painted(self.painter, filled, known)
        return _Begun(filled, points, lent, total)

    def _textured(self, t: int, begun: _Begun) -> Tensor:
        """Frame t, after the one before it: a texture's choice is kept from frame to frame."""
        columns, rows = begun.points.long().T
        own, rest = begun.filled[:, rows, columns], 1 / begun.total
        if self.texture is not None and rest.mean() > REST and (begun.total < SURE).any():
            left = begun.total < SURE
            own[:, left] = self.texture(t, own[:, left], begun.points[left])
        out = begun.filled.clone()
        out[:, rows, columns] = (begun.lent + own) / begun.total
        return out

    def _painted(self, painter: Painter, filled: Tensor, known: Tensor) -> Tensor:
        """A spatial fill [3, h, w] of what is not known [1, h, w] bool, with what the network makes of it there."""
        hidden = (~known[0]).nonzero()
        top, left = (hidden.amin(0) - AROUND).clamp_min(0).tolist()
        bottom, right = (hidden.amax(0) + 1 + AROUND).tolist()
        part = (slice(None), slice(top, bottom), slice(left, right))
        out = filled.clone()
        out[part] = painter(filled[part][None], known[part][None])[0]
        return out

    def _lent(self, t: int, points: Tensor) -> tuple[Tensor, Tensor]:
        """What other frames show at frame t's hidden points [n, 2] (x, y), times its weight [3, n], and the sum of the
        weights, the spatial fill's own 1 among it [n]."""
        at, compare = halved_points(points), _Comparison(self.motion, t)
        quarter = halved_points(at)
        enough = at_points(compare.enough, quarter)[0]
        lent, total, good = (
            points.new_zeros(3, len(points)),
            points.new_ones(len(points)),
            points.new_zeros(len(points)),
        )
        for frame, field in self._lenders(t, points):
            some = (good < MANY).nonzero()[:, 0]
            if len(some) < NEWS * len(points):
                break
            there = points[some] if field is None else points[some] + 2 * at_points(field[:, :2], at[some]).T
            shown = shown_at(self.known[frame, 0], there)
            if shown.sum() < SHOWN * len(points):
                continue
            some, there = some[shown], there[shown]
            weight, drift = at_points(compare(frame, field), quarter[some]).split((1, 3))
            colours = sampled(self.pixels[frame], self.known[frame, 0], there)
            lent[:, some] += weight * (colours - drift).clamp(0, 1)
            total[some] += weight[0]
            good[some] += weight[0] > enough[some]
        return lent, total

    def _lenders(self, t: int, points: Tensor) -> Iterator[tuple[int, Tensor | None]]:
        """Frames to borrow from, each with the flow into it [1, 3, h/2, w/2], or None where all stands still."""
        for frame in self.still[t].tolist():
            yield frame, None
        if self.moving:
            ways = [self._along(t, points, direction) for direction in (1, -1)]
            yield from heapq.merge(*ways, key=lambda lender: abs(lender[0] - t))

    def _along(self, t: int, points: Tensor, direction: int) -> Iterator[tuple[int, Tensor]]:
        """The lenders in one direction, nearest first, as of `_lenders`."""
        wanted, field = self._that_show(t, points[:: max(1, len(points) // SAMPLE)], direction), None
        for frame, step in self.motion.steps(t, direction):
            if not wanted:
                break
            field = followed(field, step)
            if frame == wanted[0]:
                wanted.pop(0)
                yield frame, field

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


@dataclass(frozen=True)
class _Begun:
    """A frame's spatial fill [3, h, w], its hidden points [n, 2] (x, y), what other frames show there times its weight
    [3, n], and the sum of the weights, the spatial fill's own 1 among it [n]."""

    filled: Tensor
    points: Tensor
    lent: Tensor
    total: Tensor


class _Comparison:
    """Compares frame t with others."""

    def __init__(self, motion: Motion, t: int):
        self.motion, self.one, self.visible = motion, motion.colours[t : t + 1], motion.shown[t : t + 1]
        mean, square = _around(torch.cat([self.one, self.one.square()], 1), self.visible)[0].split(3, 1)
        # the fill's squared error, and from which weight on a lender agrees
        self.varies = FILL_ERROR * (square - mean.square()).mean(1, keepdim=True).clamp_min(0) + NOISE / 4
        self.enough = (self.varies / (2 * NOISE)).square().clamp_max(1)

    def __call__(self, frame: int, field: Tensor | None) -> Tensor:
        """A lender's weight against the fill's 1, and by how much it is brighter around, [1, 4, h/4, w/4]."""
        lender = self.motion.seen[frame : frame + 1]
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
            weight = weight * mean_of_four(field[:, 2:])
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
    """The weighted mean of [N, C, h, w] around every pixel of half its size, from near to far, and the weight it rests
    on."""
    x = mean_of_four(torch.cat([values * weight, weight], 1))
    size, total, scale = x.shape[-2:], torch.zeros_like(x), 1
    for reach, share in RADII:
        near = share * box_mean(x, reach)
        if scale > 1:
            near = F.interpolate(near, scale_factor=scale, mode="bilinear")[..., : size[0], : size[1]]
        total = total + near
        x, scale = mean_of_four(x), 2 * scale
    return total[:, :-1] / total[:, -1:].clamp_min(1e-12), total[:, -1:]
