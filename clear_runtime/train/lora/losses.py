"""The terms of Stage II: L_stage2 = L_distill + L_gen + 0.1 L_sparse (CLEAR, section 3.3).

Shapes: M_pred, M_prior and eps_gen [N, t, h, w] on the latent grid, the masks in 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from ...engines.schedule import sigmas
from ...wan import TIMESTEPS

LOWEST, HIGHEST = 5.0, 15.0  # of alpha
PERIOD, SHORT_PERIOD = 40, 20  # steps of one up and down: the paper's, and what its authors' code has
RAMP = 200  # steps until a ramped alpha is whole: about when distillation has settled on the bundled model
GAMMA, DELTA = 0.8, 1e-6  # of the focal factor
RELEASED_GAMMA, RELEASED_CLAMP = 1.5, (0.1, 20.0)  # what the released weights were trained by (train_stage2.py)
SCALES, CHARBONNIER = (1, 4, 8, 16), 1e-3  # of the differences of latent frames there, and where these turn linear
TEMPORAL = 0.1  # their factor there, to begin with: it is learned
_SURE = 1e-4  # masks are kept this far from 0 and 1 where their logarithm is taken


@dataclass(frozen=True)
class Recipe:
    """Which parts of the method take part. The default is all of them, as the paper writes them.

    weighting: what (1 + alpha M) is made of: "none" (no weight at all), "prior", "hard prior" (where it is above a
    half) or "predicted". detached: whether M_pred is cut off from L_gen's gradient. feedback: whether that gradient is
    turned round and centred, so that M_pred rises where the error is above the mean. distill, sparse: factors of their
    terms; kl: of the divergence in the second. gamma: exponent of the focal factor, 0 for none. fixed: whether that
    factor has no gradient of its own. clamp: bounds of the weight. period, ramp: of alpha. temporal: whether the
    differences of latent frames count, and every step by its noise level. painted: whether the subtitle is painted over
    in the control of 60 % of the examples.
    """

    weighting: str = "predicted"
    detached: bool = False
    distill: float = 1.0
    sparse: float = 0.1
    gamma: float = GAMMA
    kl: float = 1.0
    feedback: bool = False
    fixed: bool = False
    clamp: tuple[float, float] | None = None
    period: int = PERIOD
    ramp: int = 0
    temporal: bool = False
    painted: bool = False

    @property
    def has_head(self) -> bool:
        """Whether the occlusion head learns."""
        return bool(self.distill or self.sparse)

    def alpha(self, k: int) -> float:
        """alpha of step k, from 0: a triangle wave from 5 up to 15 and down again, slowly coming in where it is
        ramped."""
        return alpha(k, self.period) * (min(1.0, k / self.ramp) if self.ramp else 1.0)


_LIVING = Recipe(kl=0.5, period=SHORT_PERIOD)
"""The authors' helper (models/occlusion_head.py) has half the divergence, and an alpha that peaks every 20 steps."""
RECIPES = {
    "prior": Recipe("prior", True, 0.0, 0.0, gamma=0.0),
    "lora only": Recipe("none", True, 0.0, 0.0),
    "focal prior": Recipe("prior", True, 0.0, 0.0),
    "distillation": Recipe("predicted", True, 1.0, 0.0),
    "adaptation": Recipe("predicted", False, 1.0, 0.0),
    "paper": Recipe(),
    "paper, not focal": Recipe(gamma=0.0),
    "paper, detached": replace(_LIVING, detached=True),
    "paper, ramped": replace(_LIVING, ramp=RAMP),
    "feedback": replace(_LIVING, feedback=True),
    "released": Recipe(
        "hard prior",
        True,
        0.0,
        0.0,
        RELEASED_GAMMA,
        fixed=True,
        clamp=RELEASED_CLAMP,
        period=SHORT_PERIOD,
        temporal=True,
        painted=True,
    ),
}
"""The first is the best of our own comparison. The next five are the rows of the paper's ablation, each with one part
more than the one before: the plain flow-matching LoRA, the prior as weight with the focal factor, an occlusion head
distilled from the prior in its place, that head's mask not detached, and the consistency terms, which make it whole.
Without the focal factor: it asks for something else than the mean of what is possible, and small networks and PSNR want
that mean. Three in which the head's mask can live; and what the released weights were trained by."""


def alpha(k: int, period: int = PERIOD) -> float:
    """alpha(k): a triangle wave over the steps, from 5 up to 15 and down again within a period."""
    way = abs((k % period) / (period / 2) - 1)  # 1 at the start, 0 in the middle
    return HIGHEST - (HIGHEST - LOWEST) * way


def eps_gen(velocity: Tensor, target: Tensor, gain: Tensor | None = None) -> Tensor:
    """eps_gen of each position: the squared error of the flow prediction, mean over channels. [N, C, t, h, w] -> [N, t,
    h, w].

    gain: what each channel counts, [C] of mean 1 (a codec whose channels move pixels unequally); None for all alike.
    """
    error = (velocity.float() - target.float()).square()
    return (error if gain is None else error * gain.view(1, -1, 1, 1, 1)).mean(1)


def weight(error: Tensor, mask: Tensor, a: float, gamma: float = GAMMA) -> Tensor:
    """w = (1 + alpha M) (eps_gen + 1e-6)^gamma, gamma 0.8. Nothing is detached: neither the mask nor, as in RetinaNet,
    the focal factor."""
    return (1 + a * mask) * (error + DELTA) ** gamma


class _Reversed(torch.autograd.Function):
    """A mask [N, t, h, w] as it is, whose gradient is turned round and loses its mean over each example: dL_gen/dM =
    alpha (eps + delta)^gamma eps is positive everywhere, most where the error is large, so that descent lowers the mask
    there most. The paper says that a high error raises the mask; this does."""

    @staticmethod
    def forward(ctx, mask: Tensor) -> Tensor:
        return mask.view_as(mask)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        return gradient.mean(tuple(range(1, gradient.ndim)), keepdim=True) - gradient


def _mask(m_pred: Tensor, m_prior: Tensor, recipe: Recipe) -> Tensor:
    if recipe.weighting == "prior":
        return m_prior
    if recipe.weighting == "hard prior":
        return (m_prior > 0.5).to(m_prior.dtype)
    if recipe.feedback:
        return _Reversed.apply(m_pred)
    return m_pred.detach() if recipe.detached else m_pred


def gen(error: Tensor, m_pred: Tensor, m_prior: Tensor, a: float, recipe: Recipe = Recipe()) -> Tensor:
    """L_gen: the mean of w eps_gen, with the mask that the recipe weighs by."""
    if recipe.weighting == "none":
        return error.mean()
    w = weight(error.detach() if recipe.fixed else error, _mask(m_pred, m_prior, recipe), a, recipe.gamma)
    return ((w if recipe.clamp is None else w.clamp(*recipe.clamp)) * error).mean()


def temporal(velocity: Tensor) -> Tensor:
    """How much the predicted velocity [N, C, t, h, w] changes from latent frame to latent frame: Charbonnier's distance
    of frames 1, 4, 8 and 16 apart, each over its distance, mean over those that the example is long enough for."""
    scales = [scale for scale in SCALES if scale < velocity.shape[2]]
    if not scales:
        return velocity.new_zeros(())
    apart = [(velocity[:, :, scale:] - velocity[:, :, :-scale], scale) for scale in scales]
    return sum((step.square() + CHARBONNIER**2).sqrt().mean() / scale for step, scale in apart) / len(scales)


def level_weight(sigma: Tensor) -> Tensor:
    """What a noise level [N] counts where the recipe says so: a bell around the middle of the timesteps, lowered to 0
    at its ends, of mean 1 over the thousand shifted ones (DiffSynth's flow-matching scheduler in training); of the
    nearest of these."""
    levels = sigmas(TIMESTEPS)[:-1].to(sigma.device)
    bell = (-2 * (levels - 0.5).square()).exp()
    lowered = bell - bell.min()
    return (lowered / lowered.mean())[(levels - sigma[:, None]).abs().argmin(1)]


def distill(m_pred: Tensor, m_prior: Tensor) -> Tensor:
    """L_distill = SmoothL1(M_pred, M_prior)."""
    return F.smooth_l1_loss(m_pred, m_prior)


def sparse(m_pred: Tensor, m_prior: Tensor, kl: float = 1.0) -> Tensor:
    """L_sparse = mean |M_pred| + kl KL(M_pred || M_prior), each position of a mask being the odds of "subtitle" or
    not."""
    p, q = m_pred.clamp(_SURE, 1 - _SURE), m_prior.clamp(_SURE, 1 - _SURE)
    divergence = p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()
    return m_pred.abs().mean() + kl * divergence.mean()


def stage_two(
    error: Tensor,
    m_pred: Tensor,
    m_prior: Tensor,
    a: float,
    recipe: Recipe = Recipe(),
    velocity: Tensor | None = None,
    sigma: Tensor | None = None,
    factor: Tensor | float = TEMPORAL,
) -> tuple[Tensor, dict[str, Tensor]]:
    """L_stage2 and its terms by name ("gen", "distill", "sparse", and "temporal" where the recipe has it), without
    their factors. A factor of 0 leaves a term out and reports it.

    velocity [N, C, t, h, w], sigma [N], factor: the prediction, its noise levels and what the temporal term counts;
    used by recipes that have it.
    """
    terms = {
        "gen": gen(error, m_pred, m_prior, a, recipe),
        "distill": distill(m_pred, m_prior),
        "sparse": sparse(m_pred, m_prior, recipe.kl),
    }
    total = terms["gen"] + recipe.distill * terms["distill"] + recipe.sparse * terms["sparse"]
    if recipe.temporal and velocity is not None and sigma is not None:
        terms["temporal"] = temporal(velocity)
        total = (total + factor * terms["temporal"]) * level_weight(sigma).mean()
    return total, terms
