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
    """Pixels around a hole. most: that are looked at for colour that has run; room: that this needs, twice as many, for
    it is compared with what a scene shows anyway. share: of the letters' colour that a ring of pixels has at least
    where it has run into it; usual: the same in multiples of what rings further out seem to have. noise: levels of 255
    by which letters and scene differ without saying anything. frames: that are looked at."""

    most: int = 5
    room: int = 18
    share: float = 0.03
    usual: float = 2.0
    noise: float = 2.0
    frames: int = 8


def without_bleed(frames: Tensor, holes: Tensor, rules: BleedRules = BleedRules()) -> tuple[Tensor, Tensor]:
    """frames [T, H, W, 3] in 0..1 with the scene's colour around holes [T, H, W] bool where another has run into it,
    and where that is, [T, H, W] bool. Where nothing has run the frames are the same object; nothing in a hole is
    changed."""
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
    """How many pixels around the holes of one place have some of the letters' colour, 0 for none."""
    some = holes.flatten(1).any(1).nonzero()[:, 0]
    some = some[:: max(1, len(some) // rules.frames)]
    inside, colour = holes[some, None].float(), _colour(frames[some]).movedim(-1, 1)
    letters = torch.stack([of[:, hole[0] > 0].median(1).values for of, hole in zip(colour, inside)])[..., None, None]
    far = rules.most + 1
    if (grow(inside[:, 0], 2 * far) > 0).flatten(1).all(1).any():
        return 0  # nothing is left to compare with
    shares = _shares(colour, letters, inside, rules)
    usual = _shares(colour, letters, grow(inside[:, 0], far)[:, None], rules).abs().amax()
    runs = shares > rules.share + rules.usual * usual
    reach = int(runs.long().cumprod(0).sum())
    return reach + 1 if reach else 0  # where it can no longer be told from the picture, a rest of it is left


def _shares(colour: Tensor, letters: Tensor, holes: Tensor, rules: BleedRules) -> Tensor:
    """How much of the letters' colour [N, 2, 1, 1] each ring around holes [N, 1, h, w] has, least squares [most], where
    the scene's is the smooth continuation of what is further out. Where both are one colour that says nothing."""
    wide = grow(holes[:, 0], rules.most + 1)[:, None] > 0
    scene = harmonic(colour, ~wide)
    apart, off = letters - scene, colour - scene
    shares = []
    for _ in range(rules.most):
        wider = grow(holes[:, 0], 1)[:, None]
        ring = wider - holes
        size = (apart.square() * ring).sum() + ring.sum() * (rules.noise / 255) ** 2
        shares.append((off * apart * ring).sum() / size)
        holes = wider
    return torch.stack(shares)


def _colour(frames: Tensor) -> Tensor:
    """[..., 3] -> by how much blue and red are above the brightness [..., 2]."""
    brightness = frames.float() @ frames.new_tensor(LUMA, dtype=torch.float32)
    return frames[..., [2, 0]] - brightness[..., None]


def _as_rgb(shift: Tensor) -> Tensor:
    """A change of `_colour` [..., 2] as one of the three colours that leaves the brightness as it is."""
    blue, red = shift.unbind(-1)
    return torch.stack([red, -(LUMA[0] * red + LUMA[2] * blue) / LUMA[1], blue], -1)
