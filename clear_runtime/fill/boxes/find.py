"""Find the translucent box behind a subtitle: where it stands, how much of the scene it lets through, and its colour.

Under a box of opacity a and colour c the picture is (1 - a) * scene + a * c. The scene goes on across the box's edges,
so pixels just inside them are the ones just outside, times 1 - a, plus a * c: one and the same line through the samples
of all four sides and of every frame. Hardly anything else in a film is so, and a box is believed only where all of it
holds.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ...frames.region import Region
from .appearances import Appearance, appearances, blocks_in, overlap
from .box import Box
from .edges import Side
from .growing import followed
from .options import DEFAULT, BoxOptions


def find_boxes(frames: Tensor, mask: Tensor, options: BoxOptions = DEFAULT) -> list[tuple[Box, Tensor]]:
    """The translucent boxes around the marks of mask [T, H, W], in frames [T, H, W, 3] in 0..1 that follow one another,
    each with its strength [T]. Those of one frame do not overlap."""
    found: list[tuple[Box, Tensor]] = []
    for appearance in appearances(mask, options):
        for first, stop in ((appearance.first, appearance.stop), *_parts(appearance, options)):
            taken = _taken(found, appearance.region, len(frames))
            if taken[first:stop].float().mean() > options.taken:
                continue
            box = find_box(frames[first:stop], appearance.region, options)
            if box is not None:
                strength = box.strength(frames)
                if (strength[first:stop] > 0).float().mean() < options.stands:
                    continue
                if _cuts(box, mask[(first + stop) // 2]):
                    continue
                strength[_taken(found, box.region, len(frames))] = 0
                found.append((box, strength))
    if options.grows:
        for box, strength in list(found):
            taken = _taken(found, box.region, len(frames)) & (strength == 0)
            found += followed(frames, mask, box, strength, taken, _fit_at)
    return found


def _fit_at(frame: Tensor, marked: Region, known: Box) -> Box | None:
    """A box like one that is known around marks in a single frame [1, H, W, 3]; None where it does not explain it."""
    sides = Side.around(frame, marked, known.options)
    if sides is None:
        return None
    box, _ = _edges(sides, known.through, known.added, known.options)
    return box if box is not None and _contains(box, marked) and _holds(frame, box) else None


def _cuts(box: Box, mask: Tensor) -> bool:
    """Whether an upper or lower edge of a box runs through a row of letters in a frame's mask [H, W]: of two rows on
    one box, one has none of its own."""
    own = box.region
    for row in blocks_in(mask > 0):
        beside = min(row.right, own.right) - max(row.left, own.left)
        inside = min(row.bottom, own.bottom) - max(row.top, own.top)
        beyond = max(own.top - row.top, row.bottom - own.bottom)
        if beside > 0 and inside > box.options.cut * row.height and beyond > box.options.beyond * row.height:
            return True
    return False


def _parts(appearance: Appearance, options: BoxOptions) -> list[tuple[int, int]]:
    """Halves and quarters of a run: lines that follow one another may have boxes of nearly one width."""
    count = appearance.stop - appearance.first
    cuts = [
        [appearance.first + count * n // parts for n in range(parts + 1)]
        for parts in (2, 4)
        if count >= parts * options.least_frames
    ]
    return [part for cut in cuts for part in zip(cut, cut[1:])]


def _taken(found: list[tuple[Box, Tensor]], region: Region, count: int) -> Tensor:
    """[T] bool: in which frames a box that was found overlaps this one."""
    taken = torch.zeros(count, dtype=torch.bool, device=found[0][1].device if found else None)
    for box, strength in found:
        if overlap(box.region, region) > 0:
            taken |= strength > 0
    return taken


def find_box(frames: Tensor, marked: Region, options: BoxOptions) -> Box | None:
    """The translucent box around `marked` in frames [T, H, W, 3], None where there is none or too little of it can be
    known."""
    skipped = len(frames) // 5  # boxes may fade in and out
    sample = frames[skipped : len(frames) - skipped]
    sample = sample[:: -(-len(sample) // options.sampled)]  # a view: whole frames are not copied for a box
    sides = Side.around(sample, marked, options)
    if sides is None:
        return None
    proposals = sorted((proposal for side in sides for proposal in side.proposals()), key=lambda proposal: -proposal[2])
    best, best_score = None, 0.0
    for through, added, _ in proposals[: options.proposals]:
        for _ in range(2):  # better edges give a better fit, and the other way round
            box, score = _edges(sides, through, added, options)
            if box is None or (fitted := _fit(sample, box)) is None:
                box = None
                break
            through, added = fitted
        if box is not None and score > best_score:
            best, best_score = Box(box.region, through, added.float(), options), score
    if best is None or not _contains(best, marked) or not _holds(sample, best):
        return None
    # where the edge is so soft that it is not over yet, the box is denser further inside
    deeper = _fit(sample, best, options.skip + 1)
    if deeper is not None and deeper[0] < best.through - options.denser:
        denser = replace(best, through=deeper[0], added=deeper[1].float())
        return denser if _holds(sample, denser) else best
    return best


def _edges(sides: list[Side], through: float, added: Tensor, options: BoxOptions) -> tuple[Box | None, float]:
    """Such a box where its four edges fit best, and the worst edge's score; None where they leave no room for a box."""
    edges = [side.best(through, added) for side in sides]
    top, bottom, left, right = (edge for edge, _ in edges)
    if bottom - top < options.smallest or right - left < options.smallest:
        return None, 0.0
    return Box(Region.between(top, left, bottom, right), through, added, options), min(score for _, score in edges)


def _fit(frames: Tensor, box: Box, skip: int | None = None) -> tuple[float, Tensor] | None:
    """(through, added [3]) from all sides of a box together; None where they show too little of the scene."""
    options, pairs = box.options, box.sides(frames, skip, skip)
    outer, inner = (torch.cat([pair[k].reshape(-1, 3) for pair in pairs]).double() for k in (0, 1))
    through, added = box.through, box.added
    for _ in range(options.refits):
        error = (inner - through * outer - added).norm(dim=1)
        kept = error <= options.outlier * error.median() + 1e-6
        o, i = outer[kept], inner[kept]
        spread = o.var(0, unbiased=False).sum()
        if spread < 3 * options.contrast**2:
            return None
        through = float((i.var(0, unbiased=False).sum() / spread).sqrt())
        added = i.mean(0) - through * o.mean(0)
    left = (i - through * o - added).square().mean()
    fits = lambda colour, level: (i - colour - level * (o - colour)).square().mean()
    for colour in (outer.new_zeros(3), outer.new_ones(3)):
        level = _level(
            o, i, colour
        )  # most boxes are black, some white: then the level alone tells the opacity, and tells it better
        if fits(colour, level) < options.pure**2 * left + options.noise**2:
            return level, (1 - level) * colour
    if spread < 3 * options.colour_contrast**2:
        return None
    # no colour is darker than black or lighter than white; the line still runs through the middle of the samples
    o, i = o.mean(0), i.mean(0)
    through = min(through, float((i / o.clamp_min(1e-6)).min()), float(((1 - i) / (1 - o).clamp_min(1e-6)).min()))
    return through, i - through * o


def _level(outer: Tensor, inner: Tensor, colour: Tensor) -> float:
    """What a box of that colour lets through, by least squares."""
    return float(((outer - colour) * (inner - colour)).sum() / (outer - colour).square().sum().clamp_min(1e-9))


def _contains(box: Box, marked: Region) -> bool:
    """Whether the letters lie on the box: an edge that runs through them is the scene's."""
    own, room = box.region, box.options.beyond * marked.height
    beyond = (own.top - marked.top, own.left - marked.left, marked.bottom - own.bottom, marked.right - own.right)
    return max(beyond) <= room


def _holds(frames: Tensor, box: Box) -> bool:
    """Whether each side agrees: what the box does not explain is little beside the step, and no more than what the
    scene does."""
    options = box.options
    if not options.darkest < box.through < options.clearest:
        return False
    for (outer, inner), (further, _) in zip(
        box.sides(frames), box.sides(frames, options.skip + options.gap, options.skip)
    ):
        left = (inner - box.through * outer - box.added).square().sum(-1).mean()
        scene = box.through**2 * (outer - further).square().sum(-1).mean()
        step = (inner - outer).square().sum(-1).mean()
        if left > options.rough**2 * (scene + options.noise**2) + options.share * step or step < options.step**2 * left:
            return False
    return True
