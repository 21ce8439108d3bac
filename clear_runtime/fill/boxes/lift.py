"""Take the translucent boxes behind subtitles off the picture: what shows through them is the scene itself, only
dimmed.

Only the letters are then left to be filled in, and the fill has the scene on all sides of them. Where no box is found
with certainty (find.py), nothing changes.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ...frames.masks import grow
from ...frames.region import Region, stretches
from .find import NEARLY, SKIP, Box, find_boxes

log = logging.getLogger(__name__)

OUT_OF_RANGE = 10 / 255
"""A pixel this far from everything that the scene could be under the box is a letter's; on average over a box's frames,
a third of it."""
LEAST_LETTERS, MOST_HIDDEN = 0.005, 0.9
"""Shares of a box. With fewer such pixels its letters cannot be told from the scene; with more hidden there is nothing
to gain."""
UNLIKE = 0.03
"""Difference in colour between pixels at one distance from the letters and at the next from which outline, shadow and
blur go on. Averaged over a box, the scene itself differs less (0.00 to 0.02 on a dozen clips)."""
LEAST_REACH = 2
"""Pixels: no letter that was encoded ends sooner."""
FEW = 0.2
"""Share of the pixels next to the cores: with fewer at some distance, their mean says nothing."""
OVERREACH = 4
"""Pixels by which marks reach out over a box's edge. Up to there the scene was seen to go on unchanged (find.py)."""


class Lifted(NamedTuple):
    """frames [T, H, W, 3] without boxes; hidden [T, H, W], 0 or 1: what is still to be replaced; lifted [T, H, W] bool:
    where a box was."""

    frames: Tensor
    hidden: Tensor
    lifted: Tensor


def lift_boxes(frames: Tensor, mask: Tensor) -> Lifted:
    """frames [T, H, W, 3] in 0..1 that follow one another, mask [T, H, W] of the marked subtitles, 0 or 1.

    Outside `lifted` the frames keep their bits; where no box is found, frames and mask come back as they are.
    """
    lifted = torch.zeros_like(mask, dtype=torch.bool)
    out, hidden = frames, mask
    for box, strength in find_boxes(frames, mask):
        for first, stop in stretches(strength > 0):
            part = slice(first, stop)
            letters = _Letters(frames[part], box, strength[part])
            if not letters.known:
                continue
            if out is frames:
                out, hidden = frames.clone(), mask.clone()
            _lift(out[part], hidden[part], lifted[part], box, letters)
            log.debug(
                "frames %d to %d: a box at %s lets %.0f %% through", first, stop - 1, box.region, 100 * box.through
            )
    return Lifted(out, hidden, lifted)


class _Letters:
    """What stands in front of a box in a run of frames [T, H, W, 3]. scene [T, h, w, 3]: the box's part of them without
    it. hidden [T, h, w], 0 or 1: where that is no scene. known: whether the two can be told apart."""

    def __init__(self, frames: Tensor, box: Box, strength: Tensor):
        part, strength = box.region.of(frames).float(), strength.view(-1, 1, 1, 1)
        through = 1 - strength * (1 - box.through)
        scene = (part - strength * box.added) / through
        self.scene = scene.clamp(0, 1)
        full = strength.flatten() > 1 - NEARLY
        if not full.any():
            self.known = False
            return
        # letters stand still, so that their mean is free of the noise that the scene's whites have
        beyond = (scene - self.scene) * through
        lasting = (beyond[full].mean(0).abs() > OUT_OF_RANGE / 3).any(-1).float()
        seeds = torch.maximum((beyond.abs() > OUT_OF_RANGE).any(-1).float(), lasting)
        self.hidden = grow(seeds, _reach(self.scene[full], seeds[full]))
        self.known = float(lasting.mean()) >= LEAST_LETTERS and float(self.hidden.mean()) <= MOST_HIDDEN


def _reach(scene: Tensor, seeds: Tensor) -> int:
    """Pixels by which outline, shadow, blur and the encoder's ringing reach out from the letters' cores seeds [T, h,
    w]."""
    ring, inner, most = None, seeds, 0.0
    for reach in range(max(4, seeds.shape[1] // 4)):  # noqa: B007  # read after the loop
        outer = grow(inner, 1)
        beyond = outer - inner
        most = max(most, float(beyond.sum()))
        if ring is not None and (float(beyond.sum()) < FEW * most or _unlike(scene, ring, beyond) < UNLIKE):
            break
        ring, inner = beyond, outer
    return max(LEAST_REACH, reach)


def _unlike(scene: Tensor, ring: Tensor, beyond: Tensor) -> float:
    """Mean difference in colour between the pixels of `ring` and those of `beyond` next to them, largest channel."""
    planes, ring, beyond = scene.permute(0, 3, 1, 2), ring[:, None], beyond[:, None]
    around = F.avg_pool2d(torch.cat([planes * beyond, beyond], 1), 5, 1, 2)
    both = ring * (around[:, 3:] > 0)
    differs = (planes - around[:, :3] / around[:, 3:].clamp_min(1e-6)) * both
    return float((differs.sum((0, 2, 3)) / both.sum().clamp_min(1)).abs().max())


def _lift(frames: Tensor, hidden: Tensor, lifted: Tensor, box: Box, letters: _Letters) -> None:
    """Change frames, hidden and lifted of one run in place."""
    region, soft = box.region, _softness(frames, box)
    around = region.grown(OVERREACH, *hidden.shape[1:])
    near = torch.zeros_like(around.of(hidden))
    inside = Region(region.top - around.top, region.left - around.left, region.height, region.width)
    inside.of(near)[:] = letters.hidden
    # marks beyond the edge are the prior's blur, except where a letter stands across the edge
    around.of(hidden).mul_(grow(near, OVERREACH + SKIP))
    region.of(hidden)[:] = letters.hidden
    region.of(frames)[:] = letters.scene
    outer = region.grown(soft, *hidden.shape[1:])
    if soft:
        core = torch.ones_like(outer.of(hidden), dtype=torch.bool)
        core[:, 2 * soft : -2 * soft, 2 * soft : -2 * soft] = False
        outer.of(hidden)[core] = 1
    outer.of(lifted)[:] = True


def _softness(frames: Tensor, box: Box) -> int:
    """Pixels on either side of the box's edges that are neither in nor out: the fewest beyond which a step further
    changes nothing."""

    def left(at: int) -> Tensor:
        return sum(
            (inner - box.through * outer - box.added).square().mean() for outer, inner in box.sides(frames, at, at)
        )

    errors = [left(at) for at in (1, 2, 3)]
    return next((soft for soft in (0, 1) if errors[soft] <= 1.1 * errors[soft + 1]), 2)
