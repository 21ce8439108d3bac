"""Find the translucent box behind a subtitle: where it stands, how much of the scene it lets through, and its colour.

Under a box of opacity a and colour c the picture is (1 - a) * scene + a * c. The scene goes on across the box's edges,
so pixels just inside them are the ones just outside, times 1 - a, plus a * c: one and the same line through the samples
of all four sides and of every frame. Hardly anything else in a film is so, and a box is believed only where all of it
holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from ...frames.median import temporal_median
from ...frames.region import Region, stretches

CLEAREST, DARKEST = 0.92, 0.14
"""Share of the scene that a box lets through: above the first it is hardly seen, below the second 8 bits hold too
little of it."""
LEAST_FRAMES = 5
"""Frames in a row with a mark at the same place; fewer are no evidence."""
STEADY = 0.85
"""Intersection over union of the marks' boxes in two frames from which they are the same line's."""
SAMPLED = 12
"""Frames of such a run that are looked at to find the box."""
SKIP = 2
"""An edge is judged by pixels this far outside and SKIP - 1 inside of it: boxes in resized or encoded video have soft
edges."""
PROPOSALS = 4
"""Places that look most like an edge are tried as one."""
SMALLEST = 8
"""Pixels: height and width of a box."""
PURE = 1.1
"""A box is taken for a black or white one when that leaves no more than this many times the error."""
WEAKEST, STRONGEST = 0.2, 1.15
"""Share of its full strength from which a fading box is taken off, and up to which an estimate of it is possible."""
NEARLY = 0.1
"""Estimates of the strength this close to 1 are 1: boxes do not flicker, estimates do."""
ABSENT = 0.6
"""Share of the strength by which one side's own must differ to show that this is another box."""
DENSER = 0.01
"""Change of `through` a pixel further inside from which an edge counts as softer than SKIP allows for."""
GAP = 2 * SKIP - 1
"""Pixels between the two of a pair."""
CONTRAST, COLOUR_CONTRAST = 0.02, 0.04
"""Standard deviation of the scene along the edges from which it tells the opacity of a black or white box, and of
another colour. With less, the scene is so even that filling it in does as well."""
STEP = 1.6
"""The box must explain the step at each of its edges: what is left is this many times smaller than the step, at most
..."""
ROUGH, SHARE = 2.0, 0.01
"""... and at most the first times what the scene itself changes over the same distance, and the second of the step
(squared)."""
NOISE = 3 / 255
"""What two pixels of an encoded video differ by anyway."""


@dataclass(frozen=True)
class Box:
    """A box. through: 1 - a, share of the scene that it lets through. added: a * c of [3] channels."""

    region: Region
    through: float
    added: Tensor

    def sides(self, frames: Tensor, outside: int = SKIP, inside: int = SKIP) -> list[tuple[Tensor, Tensor]]:
        """(outer, inner) pixels [T, n, 3] along top, bottom, left and right: the `outside`-th beyond the edge and the
        `inside`-th within."""
        top, left, bottom, right = self.region.top, self.region.left, self.region.bottom, self.region.right
        rows, columns = slice(top + inside, bottom - inside), slice(left + inside, right - inside)
        return [
            (frames[:, top - outside, columns], frames[:, top + inside - 1, columns]),
            (frames[:, bottom + outside - 1, columns], frames[:, bottom - inside, columns]),
            (frames[:, rows, left - outside], frames[:, rows, left + inside - 1]),
            (frames[:, rows, right + outside - 1], frames[:, rows, right - inside]),
        ]

    def strength(self, frames: Tensor) -> Tensor:
        """How much of the box is there in each of frames [T, H, W, 3]: [T], 1 where all of it, 0 where nothing or
        something else."""
        top, takes = [], []
        for outer, inner in self.sides(frames):
            full = (1 - self.through) * outer - self.added  # what the box takes away at full strength
            top.append((full * (outer - inner)).mean((1, 2)))
            takes.append(full.square().mean((1, 2)))
        top, takes = torch.stack(top, 1), torch.stack(takes, 1)  # [T, 4]
        seen = takes > COLOUR_CONTRAST**2  # at the others the scene has the box's colour
        own = (
            temporal_median(torch.where(seen, top / takes.clamp_min(1e-6), torch.nan))
            if len(frames) > 2
            else top / takes.clamp_min(1e-6)
        )
        strength, pooled = own.nanquantile(0.5, 1), top.sum(1) / takes.sum(1).clamp_min(1e-6)
        agree = ~((own - strength[:, None]).abs() > ABSENT * strength[:, None])
        strength = torch.where(agree.all(1) & (strength > WEAKEST) & (strength < STRONGEST), strength, 0)
        # mostly all of it is there, and one good estimate of the two is enough to say so
        strength = torch.where(
            (strength > 0) & (((strength - 1).abs() < NEARLY) | ((pooled - 1).abs() < NEARLY)),
            strength.new_ones(()),
            strength,
        )
        return temporal_median(strength[:, None, None])[:, 0, 0] if len(strength) > 2 else strength


@dataclass(frozen=True)
class Appearance:
    """Frames first .. stop - 1 with a mark in `box`."""

    first: int
    stop: int
    region: Region


def find_boxes(frames: Tensor, mask: Tensor) -> list[tuple[Box, Tensor]]:
    """The translucent boxes around the marks of mask [T, H, W], in frames [T, H, W, 3] in 0..1 that follow one another,
    each with its strength [T]. Those of one frame do not overlap."""
    found: list[tuple[Box, Tensor]] = []
    for appearance in appearances(mask):
        for first, stop in ((appearance.first, appearance.stop), *_parts(appearance)):
            taken = _taken(found, appearance.region, frames)
            if taken[first:stop].float().mean() > 0.5:
                continue
            box = find_box(frames[first:stop], appearance.region)
            if box is not None:
                strength = box.strength(frames)
                strength[_taken(found, box.region, frames)] = 0
                found.append((box, strength))
    return found


def _parts(appearance: Appearance) -> list[tuple[int, int]]:
    """Halves and quarters of a run: lines that follow one another may have boxes of nearly one width."""
    count = appearance.stop - appearance.first
    cuts = [
        [appearance.first + count * n // parts for n in range(parts + 1)]
        for parts in (2, 4)
        if count >= parts * LEAST_FRAMES
    ]
    return [part for cut in cuts for part in zip(cut, cut[1:])]


def _taken(found: list[tuple[Box, Tensor]], region: Region, frames: Tensor) -> Tensor:
    """[T] bool: in which of frames [T, H, W, 3] a box that was found overlaps this one."""
    taken = frames.new_zeros(len(frames), dtype=torch.bool)
    for box, strength in found:
        if _overlap(box.region, region) > 0:
            taken |= strength > 0
    return taken


def appearances(mask: Tensor) -> list[Appearance]:
    """Runs of at least LEAST_FRAMES frames in which a block of marks keeps its place."""
    open_: list[list] = []  # [first, stop, boxes of each frame]
    closed: list[list] = []
    for t, frame in enumerate(mask > 0):
        going_on = []
        for region in _blocks(frame):
            appearance = next(
                (appearance for appearance in open_ if _overlap(appearance[2][-1], region) > STEADY), None
            )
            if appearance is None:
                appearance = [t, t, []]
            else:
                open_.remove(appearance)
            appearance[1], appearance[2] = t + 1, appearance[2] + [region]
            going_on.append(appearance)
        closed += open_
        open_ = going_on
    long_enough = [appearance for appearance in closed + open_ if appearance[1] - appearance[0] >= LEAST_FRAMES]
    return [
        Appearance(first, stop, _median(boxes))
        for first, stop, boxes in sorted(long_enough, key=lambda appearance: appearance[0] - appearance[1])
    ]


def _blocks(marked: Tensor) -> list[Region]:
    """Boxes around the marks [H, W] of a frame, parted where there is a row without any, or a gap wider than the block
    is high."""
    blocks = []
    for top, bottom in stretches(marked.any(1), 1):
        for left, right in stretches(marked[top:bottom].any(0), bottom - top):
            blocks.append(Region.between(top, left, bottom, right))
    return blocks


def _overlap(a: Region, b: Region) -> float:
    """Intersection over union."""
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    width = min(a.right, b.right) - max(a.left, b.left)
    both = max(0, height) * max(0, width)
    return both / (a.height * a.width + b.height * b.width - both)


def _median(boxes: list[Region]) -> Region:
    return Region.between(*torch.tensor([(b.top, b.left, b.bottom, b.right) for b in boxes]).median(0).values.tolist())


# -- one box -----------------------------------------------------------------------------------------------------------


def find_box(frames: Tensor, marked: Region) -> Box | None:
    """The translucent box around `marked` in frames [T, H, W, 3], None where there is none or too little of it can be
    known."""
    skipped = len(frames) // 5  # boxes may fade in and out
    sample = frames[skipped : len(frames) - skipped]
    sample = sample[:: -(-len(sample) // SAMPLED)]  # a view: whole frames are not copied for a box
    sides = _Side.around(sample, marked)
    if sides is None:
        return None
    proposals = sorted((proposal for side in sides for proposal in side.proposals()), key=lambda proposal: -proposal[2])
    best, best_score = None, 0.0
    for through, added, _ in proposals[:PROPOSALS]:
        for _ in range(2):  # better edges give a better fit, and the other way round
            box, score = _edges(sides, through, added)
            if box is None or (fitted := _fit(sample, box)) is None:
                box = None
                break
            through, added = fitted
        if box is not None and score > best_score:
            best, best_score = Box(box.region, through, added.float()), score
    if best is None or not _holds(sample, best):
        return None
    # where the edge is so soft that it is not over yet, the box is denser further inside
    deeper = _fit(sample, best, SKIP + 1)
    if deeper is not None and deeper[0] < best.through - DENSER:
        denser = replace(best, through=deeper[0], added=deeper[1].float())
        return denser if _holds(sample, denser) else best
    return best


def _edges(sides: list[_Side], through: float, added: Tensor) -> tuple[Box | None, float]:
    """Such a box where its four edges fit best, and the worst edge's score; None where they leave no room for a box."""
    edges = [side.best(through, added) for side in sides]
    top, bottom, left, right = (edge for edge, _ in edges)
    if bottom - top < SMALLEST or right - left < SMALLEST:
        return None, 0.0
    return Box(Region.between(top, left, bottom, right), through, added), min(score for _, score in edges)


class _Side:
    """The moments of pixel pairs across every place where one edge of a box may be."""

    def __init__(self, lines: Tensor, places: range, where):
        """lines [T, n, m, 3]: n lines parallel to the edge, from outside inwards. places: the first inner line of each
        candidate. where: candidate -> coordinate in the frame."""
        self.where, self.places = where, places
        lines = lines[:, places.start - SKIP : places.stop + SKIP - 1].float()
        mean = lines.mean((0, 2), keepdim=True)
        lines = lines - mean
        variance, mean = lines.square().mean((0, 2)), mean[0, :, 0]  # [n, 3]
        self.mean_o, self.mean_i, self.var_o, self.var_i = mean[:-GAP], mean[GAP:], variance[:-GAP], variance[GAP:]
        self.cov = (lines[:, :-GAP] * lines[:, GAP:]).mean((0, 2))
        self.step = (self.var_o + self.var_i - 2 * self.cov + (self.mean_o - self.mean_i).square()).sum(1)

    @classmethod
    def around(cls, frames: Tensor, marked: Region) -> list[_Side] | None:
        """Top, bottom, left and right; None where the frame ends too close by."""
        height, width = frames.shape[1:3]
        reach, far = max(6, marked.height // 2), SKIP + GAP
        deep = {"rows": max(4, marked.height // 3), "columns": max(4, min(marked.height, marked.width // 3))}
        rows = slice(marked.top + marked.height // 6, marked.bottom - marked.height // 6)
        columns = slice(marked.left + marked.width // 8, marked.right - marked.width // 8)
        across, down = frames[:, :, columns], frames[:, rows].transpose(1, 2)
        sides = []
        for lines, size, start, stop, inward in (
            (across, height, marked.top, marked.bottom, deep["rows"]),
            (down, width, marked.left, marked.right, deep["columns"]),
        ):
            for turned in (False, True):
                edge = size - stop if turned else start
                places = range(max(far, edge - reach), min(edge + inward, size - far))
                if len(places) < 3:
                    return None
                sides.append(
                    cls(
                        lines.flip(1) if turned else lines,
                        places,
                        (lambda at, size=size: size - at) if turned else (lambda at: at),
                    )
                )
        return sides

    def proposals(self) -> list[tuple[float, Tensor, float]]:
        """(through, added [3], how much better it explains the pairs than no box does) at the places that look like an
        edge.

        The slope is the ratio of the standard deviations (reduced major axis): both pixels of a pair differ from the
        scene at the edge by as much, so that a least squares slope would come out too small.
        """
        slope = (self.var_i.sum(1) / self.var_o.sum(1).clamp_min(1e-9)).sqrt()
        left = self.var_i.sum(1) + slope**2 * self.var_o.sum(1) - 2 * slope * self.cov.sum(1)
        better = self.step / (left + NOISE**2)
        sure = (
            (slope > DARKEST)
            & (slope < CLEAREST)
            & (self.cov.sum(1) > 0.5 * slope * self.var_o.sum(1))
            & (self.var_o.sum(1) > 3 * CONTRAST**2)
            & (better > STEP**2)
        )
        order = [int(n) for n in better.argsort(descending=True) if sure[n]][:2]
        return [(float(slope[n]), self.mean_i[n] - slope[n] * self.mean_o[n], float(better[n])) for n in order]

    def best(self, through: float, added: Tensor) -> tuple[int, float]:
        """The place in the frame where such a box's edge fits best, and the step there over what the box leaves of it,
        squared."""
        left = (
            self.var_i
            + through**2 * self.var_o
            - 2 * through * self.cov
            + (self.mean_i - through * self.mean_o - added).square()
        ).sum(1)
        usual = (
            4 * through**2 * self.step.quantile(0.3) + NOISE**2
        )  # letters make steps too, but nothing explains those
        score = self.step / (left + NOISE**2) / (left / usual).clamp_min(1)
        # a pair spans GAP pixels, so that an edge shows at GAP places in a row: it is the middle one
        total = F.avg_pool1d(score.log()[None], GAP, 1)[0]
        at = int(total.argmax()) + GAP // 2
        return self.where(self.places[at]), float(score[at])


def _fit(frames: Tensor, box: Box, skip: int = SKIP) -> tuple[float, Tensor] | None:
    """(through, added [3]) from all sides of a box together; None where they show too little of the scene."""
    pairs = box.sides(frames, skip, skip)
    outer, inner = (torch.cat([pair[k].reshape(-1, 3) for pair in pairs]).double() for k in (0, 1))
    through, added = box.through, box.added
    for _ in range(4):
        error = (inner - through * outer - added).norm(dim=1)
        kept = error <= 2.5 * error.median() + 1e-6
        o, i = outer[kept], inner[kept]
        spread = o.var(0, unbiased=False).sum()
        if spread < 3 * CONTRAST**2:
            return None
        through = float((i.var(0, unbiased=False).sum() / spread).sqrt())
        added = i.mean(0) - through * o.mean(0)
    left = (i - through * o - added).square().mean()
    fits = lambda colour, level: (i - colour - level * (o - colour)).square().mean()
    for colour in (outer.new_zeros(3), outer.new_ones(3)):
        level = _level(
            o, i, colour
        )  # most boxes are black, some white: then the level alone tells the opacity, and tells it better
        if fits(colour, level) < PURE**2 * left + NOISE**2:
            return level, (1 - level) * colour
    if spread < 3 * COLOUR_CONTRAST**2:
        return None
    # no colour is darker than black or lighter than white; the line still runs through the middle of the samples
    o, i = o.mean(0), i.mean(0)
    through = min(through, float((i / o.clamp_min(1e-6)).min()), float(((1 - i) / (1 - o).clamp_min(1e-6)).min()))
    return through, i - through * o


def _level(outer: Tensor, inner: Tensor, colour: Tensor) -> float:
    """What a box of that colour lets through, by least squares."""
    return float(((outer - colour) * (inner - colour)).sum() / (outer - colour).square().sum().clamp_min(1e-9))


def _holds(frames: Tensor, box: Box) -> bool:
    """Whether each side agrees: what the box does not explain is little beside the step, and no more than what the
    scene does."""
    if not DARKEST < box.through < CLEAREST:
        return False
    for (outer, inner), (further, _) in zip(box.sides(frames), box.sides(frames, SKIP + GAP, SKIP)):
        left = (inner - box.through * outer - box.added).square().sum(-1).mean()
        scene = box.through**2 * (outer - further).square().sum(-1).mean()
        step = (inner - outer).square().sum(-1).mean()
        if left > ROUGH**2 * (scene + NOISE**2) + SHARE * step or step < STEP**2 * left:
            return False
    return True
