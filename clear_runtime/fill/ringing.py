"""Specks around letters: brightness that rings beside their edges, where an encoder or a scaler that sharpens was.

A mask that is wide enough for them makes the fill invent what the frame shows but for them. So the pixels stay, and
what is finer there than its surroundings is weakened by a Wiener filter. Its noise is what is usual beside the letters
in excess of what is usual further out, its signal the scene's own detail right beyond them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..frames.box_filter import box_mean
from ..frames.masks import grow
from ..frames.region import blocks

FAR_WEIGHT = 1e-3
"""Of detail that is near, beside that which is close."""


@dataclass(frozen=True)
class RingingRules:
    """Pixels. fine: reach of the square whose mean is not fine detail; rings: around a hole that are looked at; far:
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
        inside = block.of(holes)
        noise = _noise(block.of(frames), inside, rules)
        if not noise:
            continue
        if out is frames:
            out = frames.clone()
        for frame, hidden, where in zip(block.of(out), inside, block.of(changed)):
            rings = _rings(hidden, rules)
            if not rings.any():
                continue
            picture = frame.float().movedim(-1, 0)[None]
            mean = _mean(picture, ~hidden, rules)
            signal = _scene(picture - mean, ~hidden & ~rings, rules)
            share = signal / (signal + noise)
            frame[rings] = (mean + share * (picture - mean))[0].movedim(0, -1)[rings].to(frame.dtype)
            where |= rings
    return out, changed


def _noise(frames: Tensor, holes: Tensor, rules: RingingRules) -> float:
    """The energy that is in the rings around the holes of one place in excess of what is usual, 0 where that is little.
    The median over places: an edge of the scene, or its texture, is at some of them."""
    some = holes.flatten(1).any(1).nonzero()[:, 0]
    own, usual = [], []
    for t in some[:: max(1, len(some) // rules.frames)].tolist():
        wide = grow(holes[t][None].float(), rules.far)[0] > 0
        if wide.all():
            continue
        rings = _rings(holes[t], rules)
        picture = frames[t].float().movedim(-1, 0)[None]
        own.append(_detail(picture, holes[t], rules)[0, 0][rings])
        usual.append(_detail(picture, wide, rules)[0, 0][rings])
    if not own:
        return 0.0
    here, there = torch.cat(own), torch.cat(usual)
    comparable = there.isfinite()
    if not comparable.any():
        return 0.0
    here, there = here[comparable], there[comparable]
    excess = float((here - there).median())
    return excess if excess > rules.usual * float(there.median()) + (rules.noise / 255) ** 2 else 0.0


def _detail(picture: Tensor, hidden: Tensor, rules: RingingRules) -> Tensor:
    """The energy of what is finer than its surroundings in the rings around `hidden` [h, w] bool, from near them, of
    [1, 3, h, w]: [1, 1, h, w]; NaN where none is near."""
    rings = _rings(hidden, rules)[None, None].float()
    energy = (picture - _mean(picture, ~hidden, rules)).square().mean(1, keepdim=True) * rings
    return box_mean(energy, rules.near) / box_mean(rings, rules.near)


def _scene(fine: Tensor, shown: Tensor, rules: RingingRules) -> Tensor:
    """The energy of the scene's fine detail [1, 3, h, w] from where it is shown [h, w] bool: an edge that goes on
    beyond the rings counts where it is; from far away only what nothing near tells."""
    weight = shown[None, None].float()
    both = torch.cat([fine.square().mean(1, keepdim=True) * weight, weight], 1)
    energy, weight = (box_mean(both, rules.close) + FAR_WEIGHT * box_mean(both, rules.near)).split(1, 1)
    return energy / weight.clamp_min(1e-9)


def _mean(picture: Tensor, shown: Tensor, rules: RingingRules) -> Tensor:
    """The mean of what is shown [h, w] bool around each pixel of [1, 3, h, w]."""
    weight = shown[None, None].float()
    return box_mean(picture * weight, rules.fine) / box_mean(weight, rules.fine).clamp_min(1e-6)


def _rings(hidden: Tensor, rules: RingingRules) -> Tensor:
    return (grow(hidden[None].float(), rules.rings)[0] > 0) & ~hidden
