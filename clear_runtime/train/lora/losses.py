"""The terms of Stage II: L_stage2 = L_distill + L_gen + 0.1 L_sparse (CLEAR, section 3.3).

Shapes: M_pred, M_prior and eps_gen [N, t, h, w] on the latent grid, the masks in 0..1.
"""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

LOWEST, HIGHEST, PERIOD = 5.0, 15.0, 40  # of alpha, and the steps of one up and down
GAMMA, DELTA = 0.8, 1e-6  # of the focal factor
_SURE = 1e-4  # masks are kept this far from 0 and 1 where their logarithm is taken


@dataclass(frozen=True)
class Recipe:
    """Which parts of the method take part. The default is all of them.

    weighting: what (1 + alpha M) is made of: "none" (no weight at all), "prior" or "predicted". detached: whether
    M_pred is cut off from L_gen's gradient. distill, sparse: factors of their terms. gamma: exponent of the focal
    factor, 0 for none.
    """

    weighting: str = "predicted"
    detached: bool = False
    distill: float = 1.0
    sparse: float = 0.1
    gamma: float = GAMMA


RECIPES = {
    "lora only": Recipe("none", True, 0.0, 0.0),
    "prior": Recipe("prior", True, 0.0, 0.0),
    "distillation": Recipe("predicted", True, 1.0, 0.0),
    "adaptation": Recipe("predicted", False, 1.0, 0.0),
    "clear": Recipe(),
    "prior, not focal": Recipe("prior", True, 0.0, 0.0, gamma=0.0),
    "clear, not focal": Recipe(gamma=0.0),
}
"""The first five: the rows of the paper's ablation, each with one part more than the one before: the plain
flow-matching LoRA, the prior as weight with the focal factor, an occlusion head distilled from the prior in its place,
that head's mask not detached, and the consistency terms, which make it whole. The last two leave out the focal factor,
which asks for something else than the mean of what is possible: small networks and PSNR want that mean."""


def alpha(k: int) -> float:
    """alpha(k): a triangle wave over the steps, from 5 up to 15 and down again within 40."""
    way = abs((k % PERIOD) / (PERIOD / 2) - 1)  # 1 at the start, 0 in the middle
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


def gen(error: Tensor, m_pred: Tensor, m_prior: Tensor, a: float, recipe: Recipe = Recipe()) -> Tensor:
    """L_gen: the mean of w eps_gen, with the mask that the recipe weighs by."""
    if recipe.weighting == "none":
        return error.mean()
    mask = m_prior if recipe.weighting == "prior" else m_pred.detach() if recipe.detached else m_pred
    return (weight(error, mask, a, recipe.gamma) * error).mean()


def distill(m_pred: Tensor, m_prior: Tensor) -> Tensor:
    """L_distill = SmoothL1(M_pred, M_prior)."""
    return F.smooth_l1_loss(m_pred, m_prior)


def sparse(m_pred: Tensor, m_prior: Tensor) -> Tensor:
    """L_sparse = mean |M_pred| + KL(M_pred || M_prior), each position of a mask being the odds of "subtitle" or not."""
    p, q = m_pred.clamp(_SURE, 1 - _SURE), m_prior.clamp(_SURE, 1 - _SURE)
    divergence = p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()
    return m_pred.abs().mean() + divergence.mean()


def stage_two(
    error: Tensor, m_pred: Tensor, m_prior: Tensor, a: float, recipe: Recipe = Recipe()
) -> tuple[Tensor, dict[str, Tensor]]:
    """L_stage2 and its terms by name ("gen", "distill", "sparse"), without their factors. A factor of 0 leaves a term
    out and reports it."""
    terms = {
        "gen": gen(error, m_pred, m_prior, a, recipe),
        "distill": distill(m_pred, m_prior),
        "sparse": sparse(m_pred, m_prior),
    }
    return terms["gen"] + recipe.distill * terms["distill"] + recipe.sparse * terms["sparse"], terms
