"""Dense optical flow between neighbouring frames whose holes are left out and completed from around.

Horn and Schunck's smoothness with a data term that is pooled over a window and normalised by its gradient (Bruhn et
al., "Lucas/Kanade meets Horn/Schunck", 2005), and a pull towards the affine movement that the whole picture has in
common (Odobez and Bouthemy, "Robust multiresolution estimation of parametric motion models", 1995), coarse to fine with
warping. Where a pixel is hidden in either frame the data term is left out, so that the other two decide there: the flow
of a hole is the smooth continuation of its surroundings'.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from ..frames.box_filter import box_mean, mean_of_four
from .harmonic import harmonic

OpticalFlow = Callable[[Tensor, Tensor], Tensor]
"""Any other flow, as of a network: (first, second) [N, 3, h, w] in 0..1, with something smooth in their holes -> where
each pixel of `first` lies in `second` [N, 2, h, w], pixels to the right and downwards."""

COARSEST = 6
"""Pixels of the smaller side of the coarsest level, at least."""
WARPS = 3
"""How often the second frame is warped by what is known so far, at each level."""
STEPS = 8
"""Jacobi steps after each warp."""
SMOOTH = 0.2
"""Weight of the smoothness term against a data term whose eigenvalues are 0 to 1."""
CAMERA = 0.1
"""The same of the movement that the whole picture has in common: a place that says little by itself goes along."""
STEADY = 0.1
"""How reluctant that movement is to be more than a shift, as a share of what speaks for any."""
EVEN = 1e-5
"""How reluctant it is to be anything, as a share of the same: beyond what float32 rounds off."""
FITS = 4
"""Least squares by which that movement is found."""
SAMPLE = 5000
"""Pixels at least by which it is found."""
NOISE = 3 / 255
"""Gradients and differences below it say little."""
REACH = 12
"""Pixels on every side of the squares that the data term is pooled over: wider than letters are tall, so that what
moves under them is told by the picture and not by what lies between two strokes."""
LARGEST = 1.0
"""Pixels that the flow changes by at most with each warp; a level more doubles what a pixel stands for."""


def flow(first: Tensor, second: Tensor, shown: Tensor, shown_too: Tensor) -> Tensor:
    """Where each pixel of `first` lies in `second`: [N, 2, h, w], pixels to the right and downwards.

    first, second: [N, 1, h, w], pictures in 0..1 with something smooth in their holes. shown, shown_too: [N, 1, h, w]
    float, the share of each pixel that is no hole.
    """
    levels = [[first, second, shown, shown_too]]
    while min(levels[-1][0].shape[-2:]) >= 2 * COARSEST:
        levels.append([mean_of_four(x) for x in levels[-1]])
    field = first.new_zeros(len(first), 2, *mean_of_four(levels[-1][0]).shape[-2:])
    for n, (one, other, seen, seen_too) in reversed(list(enumerate(levels))):
        if n < len(levels) - 1:
            field = 2 * _finer(field, levels[n + 1][0].shape[-2:])
        for _ in range(WARPS):
            field = _closer(one, other, seen, seen_too, field)
    return _finer(field, first.shape[-2:])


def continued(field: Tensor, shown: Tensor, shown_too: Tensor) -> Tensor:
    """A flow [N, 2, h, w] that knows of no holes, with the smooth continuation of its surroundings where either picture
    has one; shown, shown_too as of `flow`."""
    sure = (shown > 0.9) & ((warped(shown_too, field) > 0.9) | (warped(torch.ones_like(shown), field) < 0.999))
    out = field.clone()
    some = sure.flatten(1).any(1)
    out[some] = harmonic(field[some], sure[some])
    return out


def warped(pictures: Tensor, field: Tensor) -> Tensor:
    """pictures [N, C, h, w] seen along a flow [N, 2, h, w] of pixels; 0 from beyond the border."""
    base, scale = _grid(*field.shape[-2:], field.dtype, field.device)
    where = torch.addcmul(base, field.permute(0, 2, 3, 1), scale)
    return F.grid_sample(pictures, where, padding_mode="zeros", align_corners=True)


@lru_cache(8)
def _grid(height: int, width: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where each pixel of a picture is in -1..1 [height, width, 2], and what a pixel to the right and downwards is
    there."""
    with torch.inference_mode(False):  # it is kept, for whoever asks next
        x, y = (torch.arange(side, dtype=dtype, device=device) for side in (width, height))
        points = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)
        return places(points, (height, width)), points.new_tensor(_steps(height, width))


def _steps(height: int, width: int) -> list[float]:
    return [2 / max(1, width - 1), 2 / max(1, height - 1)]


def places(points: Tensor, size: tuple[int, int]) -> Tensor:
    """(x, y) [..., 2] in pixels of a picture of (height, width) -> in -1..1, as grid_sample wants them."""
    return points * points.new_tensor(_steps(*size)) - 1


def _finer(field: Tensor, size: tuple[int, int]) -> Tensor:
    """A flow on a grid of twice its size. Grids are halved from the top left corner."""
    return F.interpolate(field, scale_factor=2, mode="bilinear")[..., : size[0], : size[1]]


def _closer(first: Tensor, second: Tensor, shown: Tensor, shown_too: Tensor, field: Tensor) -> Tensor:
    """A flow [N, 2, h/2, w/2], in pixels of the level, after one more linearisation of the difference around it; the
    rest as of `flow`, no levels.

    The picture is compared at the level's own size. What is made of that is pooled over squares much wider than a pixel
    anyway: a flow of half the size says the same.
    """
    seen, seen_shown = warped(torch.cat([second, shown_too], 1), _finer(field, first.shape[-2:])).split(1, 1)
    x, y = _gradient((first + seen) / 2)
    change = seen - first
    # a pixel beside a hole has the hole's colour in its gradient
    sure = (shown * seen_shown > 0.9).float()
    sure = -F.max_pool2d(-sure, 3, 1, 1)
    trust = sure / (change.square() + NOISE**2).sqrt()
    camera = _affine(x, y, change, trust, field)
    at = trust * x, trust * y
    pooled = box_mean(
        mean_of_four(torch.cat([at[0] * x, at[0] * y, at[1] * y, at[0] * change, at[1] * change], 1)), REACH // 2
    )
    scale = 1 / (pooled[:, 0:1] + pooled[:, 2:3] + NOISE)
    xx, xy, yy, xt, yt = (pooled * scale).split(1, 1)
    tie = SMOOTH + CAMERA
    xx, yy = xx + tie, yy + tie
    determinant = xx * yy - xy * xy
    same, other = torch.cat([yy, xx], 1) / determinant, xy / determinant
    pull = CAMERA * camera - tie * field - torch.cat([xt, yt], 1)
    wide = F.pad(field, (1, 1, 1, 1), mode="replicate")
    new = wide[..., 1:-1, 1:-1]
    for _ in range(STEPS):
        around = wide[..., 1:-1, :-2] + wide[..., 1:-1, 2:]
        around += wide[..., :-2, 1:-1]
        around += wide[..., 2:, 1:-1]
        wanted = torch.add(pull, around, alpha=SMOOTH / 4)
        step = torch.mul(same, wanted, out=around).addcmul_(other, wanted.flip(1), value=-1)
        torch.add(step.clamp_(-LARGEST, LARGEST), field, out=new)
        _repeat_edges_(wide)
    return new.contiguous()


def _affine(x: Tensor, y: Tensor, change: Tensor, trust: Tensor, field: Tensor) -> Tensor:
    """The flow [N, 2, h/2, w/2] that one affine movement of the whole picture makes: what a camera does.

    x, y: the gradient; change: the difference that is left along the flow so far, `field`; all of them [N, C, h, w],
    but for this, of half the size. Least squares, weighted anew by what is left, so that what moves otherwise does not
    count (iteratively reweighted, as of a Lorentzian).
    """
    height, width = field.shape[-2:]
    across = torch.linspace(-1, 1, width, dtype=x.dtype, device=x.device).expand(height, -1)
    along = torch.linspace(-1, 1, height, dtype=x.dtype, device=x.device)[:, None].expand(-1, width)
    basis = torch.stack([torch.ones_like(across), across, along])
    apart = max(1, math.isqrt(height * width // SAMPLE))
    x, y, change, trust = (of[..., :: 2 * apart, :: 2 * apart] for of in (x, y, change, trust))
    so_far = field[..., ::apart, ::apart]
    few = basis[:, ::apart, ::apart].flatten(1)
    rows = torch.cat([x.flatten(2) * few, y.flatten(2) * few], 1)  # [N, 6, pixels]
    target, weight = (change - x * so_far[:, 0:1] - y * so_far[:, 1:2]).flatten(1), trust.flatten(1)
    # a little of each, where all of the picture changes in one direction: what else is there says nothing
    steady = STEADY * x.new_tensor([0, 1, 1, 0, 1, 1]) + EVEN
    found = x.new_zeros(len(x), 6)
    for _ in range(FITS):
        left = (rows * weight[:, None]) @ rows.mT
        left = left + torch.diag_embed(left.diagonal(dim1=1, dim2=2).mean(1, keepdim=True) * steady + 1e-6)
        right = (rows * (weight * -target)[:, None]).sum(2)
        found = torch.linalg.solve(left, right)
        rest = (found[:, None] @ rows)[:, 0] + target
        weight = trust.flatten(1) * NOISE / (rest.square() + NOISE**2)
    return (found.view(-1, 2, 3) @ basis.flatten(1)).view(-1, 2, height, width)


def _gradient(x: Tensor) -> tuple[Tensor, Tensor]:
    p = F.pad(x, (1, 1, 1, 1), mode="replicate")
    return (p[..., 1:-1, 2:] - p[..., 1:-1, :-2]) / 2, (p[..., 2:, 1:-1] - p[..., :-2, 1:-1]) / 2


def _repeat_edges_(wide: Tensor) -> None:
    """Set what lies around a picture, one pixel on each side of [..., h, w], to what is beside it; the corners not."""
    wide[..., 0, :], wide[..., -1, :] = wide[..., 1, :], wide[..., -2, :]
    wide[..., 0], wide[..., -1] = wide[..., 1], wide[..., -2]
