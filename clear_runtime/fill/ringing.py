"""Specks around letters: brightness that rings beside their edges, where an encoder or a scaler that sharpens was.

A mask that is wide enough for them makes the fill invent what the frame shows but for them. So the pixels stay, and
what is not as the median around it is weakened by a Wiener filter. Its noise is what is usual beside the letters
in excess of what is usual further out, its signal the scene's own detail right beyond them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..frames.box_filter import box_mean
from ..frames.masks import grow
from ..frames.region import blocks
from .letterbox import without_bars

FAR_WEIGHT = 1e-3
"""Of detail that is near, beside that which is close."""


@dataclass(frozen=True)
class RingingRules:
    """Pixels. fine: reach of the square whose median is no speck; rings: around a hole that are looked at; far:
    by which a hole is widened to see what its rings would have without letters; near: reach of the square over which
    both are taken; close: the same for the scene's own detail where specks are weakened. usual: energy in multiples of
    what rings would have without letters, and noise: levels of 255, that there must be more for letters to ring.
    frames: that are looked at."""

    fine: int = 2
    rings: int = 2
    far: int = 5
    near: int = 24
    close: int = 4
    usual: float = 1.0
    noise: float = 1.0
    frames: int = 8


def without_ringing(frames: Tensor, holes: Tensor, rules: RingingRules = RingingRules()) -> tuple[Tensor, Tensor]:
    """frames [T, H, W, 3] in 0..1 with weaker fine detail around holes [T, H, W] bool where letters ring, and where
    that is, [T, H, W] bool. Where nothing rings the frames are the same object; nothing in a hole is changed."""
    out, changed = frames, torch.zeros_like(holes)
    for block in blocks(holes, rules.far + rules.rings + rules.near):
        # a letterbox bar's edge beside letters is none of theirs
        picture = without_bars(block.of(frames), ~block.of(holes))
        inside = picture.of(block.of(holes))
        noise = _noise(picture.of(block.of(frames)), inside, rules)
        if not noise:
            continue
        if out is frames:
            out = frames.clone()
        for frame, hidden, where in zip(picture.of(block.of(out)), inside, picture.of(block.of(changed))):
            rings = _rings(hidden, rules)
            if not rings.any():
                continue
            pixels = frame.float().movedim(-1, 0)
            median, signal = _median(pixels, hidden, rings, rules), _scene(pixels, ~hidden & ~rings, rules)[rings]
            share = signal / (signal + noise)
            frame[rings] = (median + share * (pixels[:, rings] - median)).T.to(frame.dtype)
            where |= rings
    return out, changed


def _noise(frames: Tensor, holes: Tensor, rules: RingingRules) -> float:
    """The energy that is in the rings around the holes of one place in excess of what is usual, 0 where that is little.
    The median over places: the scene's texture is at some of them."""
    some = holes.flatten(1).any(1).nonzero()[:, 0]
    own, usual = [], []
    for t in some[:: max(1, len(some) // rules.frames)].tolist():
        rings, pixels = _rings(holes[t], rules), frames[t].float().movedim(-1, 0)
        wide = grow(holes[t][None].float(), rules.far)[0] > 0
        here, there = (_energy(pixels, hidden, rules)[rings] for hidden in (holes[t], wide))
        comparable = there.isfinite()
        own.append(here[comparable])
        usual.append(there[comparable])
    here, there = (torch.cat(found) if found else frames.new_empty(0) for found in (own, usual))
    if not len(here):
        return 0.0
    excess = float((here - there).median())
    return excess if excess > rules.usual * float(there.median()) + (rules.noise / 255) ** 2 else 0.0


def _energy(pixels: Tensor, hidden: Tensor, rules: RingingRules) -> Tensor:
    """By how much the rings around `hidden` [h, w] bool differ from their medians in [3, h, w], squared, from near them
    [h, w]; NaN where none is near."""
    rings = _rings(hidden, rules)
    off = torch.zeros_like(pixels[0])
    off[rings] = (pixels[:, rings] - _median(pixels, hidden, rings, rules)).square().mean(0)
    sums = box_mean(torch.stack([off, rings.float()])[None], rules.near)[0]
    return sums[0] / sums[1]


def _median(pixels: Tensor, hidden: Tensor, at: Tensor, rules: RingingRules) -> Tensor:
    """The median of what is not hidden [h, w] bool around the n pixels `at` [h, w] bool, of [3, h, w]: [3, n]. An edge
    of the scene stays in it, and what is alone does not."""
    reach = rules.fine
    shown = F.pad(pixels.masked_fill(hidden, torch.nan), (reach,) * 4, value=torch.nan)
    y, x = at.nonzero(as_tuple=True)
    steps = range(2 * reach + 1)
    around = torch.stack([shown[:, y + down, x + right] for down in steps for right in steps])
    return around.nanmedian(0).values


def _scene(pixels: Tensor, shown: Tensor, rules: RingingRules) -> Tensor:
    """The energy of the scene's fine detail [h, w] in [3, h, w] from where it is shown [h, w] bool: texture that goes
    on beyond the rings counts where it is; from far away only what nothing near tells."""
    weight = shown.float()
    mean = box_mean((pixels * weight)[None], rules.fine)[0] / box_mean(weight[None, None], rules.fine)[0].clamp_min(
        1e-6
    )
    both = torch.stack([(pixels - mean).square().mean(0) * weight, weight])[None]
    energy, weight = (box_mean(both, rules.close) + FAR_WEIGHT * box_mean(both, rules.near))[0]
    return energy / weight.clamp_min(1e-9)


def _rings(hidden: Tensor, rules: RingingRules) -> Tensor:
    return (grow(hidden[None].float(), rules.rings)[0] > 0) & ~hidden
