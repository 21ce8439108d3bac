"""Which colours another model made of the source's: learned where both show the same, and taken back."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

CELL = 4
"""Side in pixels of the squares whose means are compared: what a codec or another size did to single pixels is lost."""
ENOUGH, MOST = 64, 50_000
"""Squares without which nothing is learned, and as many as are looked at, evenly taken."""
SURE = 3e-3
"""Of the mean squared error, what a coefficient that differs from the identity's by 1 costs: colours that the squares
do not show are moved as little as can be."""
ROUNDS, KEPT = 4, 0.8
"""Times that it is learned anew, and from which share of the squares, those that fit best: what the other model moved
or took away, letters among it, says nothing of colours."""
GAIN = 0.8
"""The error of the squares that fit must fall below so much of what it was, or the colours stay as they are given."""
STRUCTURE = 0.03
"""Standard deviation of brightness over a frame's squares under which it has nothing to be told by."""
SAME = 0.35
"""Correlation of their brightness under which two frames show different things."""


class Squares:
    """The same frames twice [T, h, w, 3], and where they are known [T, h, w] bool: as means of squares."""

    def __init__(self, given: Tensor, source: Tensor, known: Tensor):
        self.given, self.source = _means(given), _means(source)
        self.whole = _means(known[..., None].float())[..., 0] > 0.999

    def learned(self) -> Tensor | None:
        """The map [10, 3] of `recoloured` that brings what was given closest to the source; None where that does not
        help, or too little is known."""
        every = 1 + int(self.whole.sum()) // MOST
        x, y = _terms(self.given[self.whole][::every]), self.source[self.whole][::every]
        if len(x) < ENOUGH:
            return None
        here = _closest(x[:, 1:4] - y)
        for _ in range(ROUNDS):
            found = _solved(x[here], y[here])
            here = _closest(x @ found - y)
        before, after = ((made[here] - y[here]).square().mean() for made in (x[:, 1:4], x @ found))
        return found if after < GAIN**2 * before else None

    def others(self) -> list[int]:
        """The frames of which too little fits: what was given shows something else there."""
        found = []
        for t, (given, source, whole) in enumerate(zip(self.given, self.source, self.whole)):
            a, b = (x[whole].mean(-1) for x in (given, source))
            if len(b) < ENOUGH or b.std() < STRUCTURE:
                continue
            a, b = a - a.mean(), b - b.mean()
            if (a * b).sum() < SAME * a.norm() * b.norm() or a.norm() == 0:
                found.append(t)
        return found


def recoloured(frames: Tensor, learned: Tensor) -> Tensor:
    """Frames [..., 3] by a map [10, 3]: each channel a polynomial of the second degree of all three, which is as good
    as gain, offset, gamma, saturation or another matrix of colours."""
    return _terms(frames) @ learned


def _means(pixels: Tensor) -> Tensor:
    """[T, h, w, c] -> [T, h / CELL, w / CELL, c]; what is over at the edges is left out."""
    cells = F.avg_pool2d(rearrange(pixels, "t h w c -> t c h w"), CELL)
    return rearrange(cells, "t c h w -> t h w c")


def _terms(colours: Tensor) -> Tensor:
    """[..., 3] -> [..., 10]: 1, the channels, their squares, their products."""
    r, g, b = colours.unbind(-1)
    return torch.stack([torch.ones_like(r), r, g, b, r * r, g * g, b * b, r * g, g * b, b * r], -1)


def _solved(x: Tensor, y: Tensor) -> Tensor:
    """The least squares of x [N, 10] @ m = y [N, 3], drawn towards the identity."""
    identity = torch.zeros(x.shape[1], 3, dtype=torch.float64)
    identity[1:4] = torch.eye(3)
    x, y = x.double(), y.double()
    normal = x.T @ x / len(x) + SURE**2 * torch.eye(x.shape[1], dtype=torch.float64)
    return (identity + torch.linalg.solve(normal, x.T @ (y - x @ identity) / len(x))).float()


def _closest(error: Tensor) -> Tensor:
    """Numbers of the rows of error [N, 3] that are the smallest, a share KEPT of them."""
    return error.norm(dim=-1).argsort()[: max(ENOUGH, int(KEPT * len(error)))]
