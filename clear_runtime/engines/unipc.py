"""UniPC on a flow, order 2, with B(h) = e^h - 1 (the paper's B2): the sampler of MiniMax-Remover's published pipeline.

Zhao et al., UniPC, 2023 (arXiv 2302.04867), for clean latents as the prediction; the same numbers as the
UniPCMultistepScheduler of diffusers 0.33.1, which that pipeline's requirements name, with flow_prediction,
use_flow_sigmas and lower_order_final. Each step first corrects the latents that it was given by what the network says
of them, then predicts the next ones.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .schedule import bent

HIGHEST = 1 - 1 / 1000
"""Noise level of the first step, before the shift: one of 1000 timesteps below 1, so that the logarithm of what is not
noise has an end. (Later versions of diffusers begin at 1, and end one step higher.)"""


def unipc_sigmas(steps: int, shift: float) -> Tensor:
    """[steps + 1] noise levels from just under 1 down to 0. Raises ClearError as schedule.sigmas does."""
    return bent(torch.linspace(HIGHEST, 0, steps + 1, dtype=torch.float64), shift).float()


class UniPC:
    """The steps of one window, in order; it remembers the two before."""

    def __init__(self) -> None:
        self._known: list[tuple[float, Tensor]] = []  # (log-SNR, clean latents) that were predicted, at most two
        self._from: tuple[Tensor, float] | None = None  # latents before the last step, and their sigma
        self._order = 1

    def __call__(self, x: Tensor, velocity: Tensor, sigma: float, following: float) -> Tensor:
        """x: latents at noise level `sigma`, of which the network says `velocity`; those at `following`."""
        clean = x - sigma * velocity
        if self._from is not None:
            x = self._moved(*self._from, sigma, clean)
        self._known = [*self._known[-1:], (_log_snr(sigma), clean)]
        if following == 0:
            return clean  # a last step of first order, as lower_order_final has it
        self._order, self._from = len(self._known), (x, sigma)
        return self._moved(x, sigma, following)

    def _moved(self, x: Tensor, sigma: float, to: float, arrived: Tensor | None = None) -> Tensor:
        """The latents x at noise level `sigma` brought to level `to`: predicted, or where the clean latents `arrived`
        are known there, corrected."""
        now, clean = self._known[-1]
        h = _log_snr(to) - now
        falls = math.expm1(-h)
        change: float | Tensor = 0.0
        here, there = 0.5, 0.5  # shares of what changed before and of what changes now
        if self._order == 2:
            before, earlier = self._known[-2]
            ratio = (before - now) / h
            slope = (earlier - clean) / ratio
            if arrived is not None:
                first = -falls / h - 1
                second = first / -h - 0.5
                first, second = first / falls, 2 * second / falls
                here = (first - second) / (1 - ratio)
                there = first - here
            change = here * slope
        if arrived is not None:
            change = change + there * (arrived - clean)
        return to / sigma * x - (1 - to) * falls * (clean + change)


def _log_snr(sigma: float) -> float:
    return math.log(1 - sigma) - math.log(sigma)
