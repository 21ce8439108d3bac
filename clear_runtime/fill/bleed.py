"""Colour that has run out of letters into the picture around them.

Video stores colour at half the size or less, and an encoder smooths it further: around white letters on an olive floor
the floor is grey for some pixels, at its own brightness. A fill that goes on from there is a grey smear. So colour is
taken from further out, and brightness stays: pixels around letters are still the scene's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..frames.masks import grow
from ..frames.region import blocks
from .harmonic import harmonic

LUMA = (0.2126, 0.7152, 0.0722)
"""Of BT.709. What is left of brightness with BT.601's is below what 8 bits hold."""


@dataclass(frozen=True)
class BleedRules:
    """Pixels around a hole. most: that are looked at for colour that has run. further: to a ring that is compared with
    each. far, room: from where to where a picture's colour is its own. levels: of 255, by which a ring's mean colour
    differs at least from that further out where letters' has run into it; usual: the same in multiples of what rings
    differ by where it is its own. frames: that are looked at."""

    most: int = 5
    further: int = 6
    far: int = 7
    room: int = 18
    levels: float = 1.5
    usual: float = 2.0
    frames: int = 8


def without_bleed(frames: Tensor, holes: Tensor, rules: BleedRules = BleedRules()) -> tuple[Tensor, Tensor]:
    """frames [T, H, W, 3] in 0..1 with the scene's colour around holes [T, H, W] bool where another has run into it,
    and where that is, [T, H, W] bool. Where nothing has run the frames are the same object; nothing in a hole is
    read or changed."""
    out, changed = frames, torch.zeros_like(holes)
    for block in blocks(holes, rules.room):
        inside = block.of(holes)
        reach = _reach(block.of(frames), inside, rules)
        if not reach:
            continue
        if out is frames:
            out = frames.clone()
        wide = grow(inside.float(), reach) > 0
        for frame, hidden, hole, where in zip(block.of(out), wide, inside, block.of(changed)):
            ring = hidden & ~hole
            if not ring.any() or hidden.all():
                continue
            colour = _colour(frame)
            shift = harmonic(colour.movedim(-1, 0)[None], ~hidden[None, None])[0].movedim(0, -1) - colour
            frame[ring] = (frame + _as_rgb(shift))[ring].clamp(0, 1)
            where |= ring
    return out, changed


def _reach(frames: Tensor, holes: Tensor, rules: BleedRules) -> int:
    """How many pixels around the holes of one place have another colour than those further out, 0 for none."""
    some = holes.flatten(1).any(1).nonzero()[:, 0]
    some = some[:: max(1, len(some) // rules.frames)]
    inside = holes[some].float()
    colour, means = _colour(frames[some]), []
    for _ in range(rules.room):
        wide = grow(inside, 1)
        ring = wide > inside
        if not ring.any():
            return 0  # nothing is left to compare with
        means.append(colour[ring].mean(0))
        inside = wide
    rings = 255 * torch.stack(means)
    off = (rings[rules.further :] - rings[: -rules.further]).norm(dim=1)
    runs = off[: rules.most] > rules.levels + rules.usual * off[rules.far - 1 :].amax()
    reach = int(runs.long().cumprod(0).sum())
    return reach + 1 if reach else 0  # where it can no longer be told from the picture, a rest of it is left


def _colour(frames: Tensor) -> Tensor:
    """[..., 3] -> by how much blue and red are above the brightness [..., 2]."""
    brightness = frames.float() @ frames.new_tensor(LUMA, dtype=torch.float32)
    return frames[..., [2, 0]] - brightness[..., None]


def _as_rgb(shift: Tensor) -> Tensor:
    """A change of `_colour` [..., 2] as one of the three colours that leaves the brightness as it is."""
    blue, red = shift.unbind(-1)
    return torch.stack([red, -(LUMA[0] * red + LUMA[2] * blue) / LUMA[1], blue], -1)
