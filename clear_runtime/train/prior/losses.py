"""The four terms of Stage I: L_stage1 = L_ortho + 0.5 L_adv + L_region + 0.1 L_recon (CLEAR, section 3.2).

Shapes: features [N, C, h, w] at 1/8 of the frames' size, mask logits and labels [N, 1, H, W], frames [N, 3, H, W] in
0..1.
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

FOCUS = 2.0  # gamma of the focal loss (RetinaNet, section 4)
LEAST_POSITIVE = (
    0.01  # share of pixels that the focal sum is divided by at least, so that a nearly empty batch does not blow it up
)


@dataclass(frozen=True)
class Weights:
    """What each term counts in the sum; CLEAR's own by default. Zero leaves a term out (and still reports it)."""

    ortho: float = 1.0
    adv: float = 0.5
    region: float = 1.0
    recon: float = 0.1


def ortho(f_sub: Tensor, f_content: Tensor) -> Tensor:
    """L_ortho = 1/(T H' W') sum <F_sub, F_content>^2, the inner product over channels at each position.

    Of unit vectors: with lengths left in, both encoders could please it by shrinking, which the layers after them undo.
    """
    return (F.normalize(f_sub, dim=1) * F.normalize(f_content, dim=1)).sum(1).square().mean()


def adv(leak: Tensor, confusion: Tensor, labels: Tensor) -> Tensor:
    """L_adv = what the discriminator loses by misreading the mask + what E_content loses by letting it read anything.

    leak: logits [N, 1, h, w] of the discriminator on F_content held fixed, which train the discriminator.
    confusion: logits of the discriminator held fixed on F_content, which train the encoder.

    The paper leaves the game open. Here the encoder aims at the answer "one half" and not at the wrong answer (as a
    reversed gradient or a plain minimax would have it): a discriminator that is surely wrong everywhere has read the
    mask all the same, and that game has no bound to settle at. Subtitle and rest count equally, so that log 2 = 0.693
    in either half is the value at which F_content tells nothing, whatever share of the frame is subtitle.
    """
    return leaked(leak, labels) + F.binary_cross_entropy_with_logits(confusion, torch.full_like(confusion, 0.5))


def leaked(leak: Tensor, labels: Tensor) -> Tensor:
    """The discriminator's half of L_adv: cross-entropy with the mask on its grid, subtitle and rest weighing the
    same."""
    target = F.adaptive_max_pool2d(labels, leak.shape[-2:])  # a cell with any letter in it is subtitle
    share = target.mean().clamp(1e-3, 1 - 1e-3)
    weight = target * (0.5 / share) + (1 - target) * (0.5 / (1 - share))
    return F.binary_cross_entropy_with_logits(leak, target, weight)


def region(logits: Tensor, labels: Tensor) -> Tensor:
    """L_region = focal + Dice: the mask against the pseudo-labels. Focal is summed and divided by the positives, as in
    RetinaNet."""
    wrong = (labels - logits.sigmoid()).abs()
    focal = wrong**FOCUS * F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    return focal.sum() / labels.sum().clamp(min=LEAST_POSITIVE * labels.numel()) + dice(logits, labels)


def dice(logits: Tensor, labels: Tensor, smooth: float = 20.0) -> Tensor:
    """1 - 2 |P M| / (|P| + |M|) of each frame. `smooth`, in pixels, makes an empty frame's answer "nothing" a right
    one."""
    p = logits.sigmoid()
    return (1 - (2 * (p * labels).sum((1, 2, 3)) + smooth) / ((p + labels).sum((1, 2, 3)) + smooth)).mean()


def recon(reconstruction: Tensor, clean: Tensor) -> Tensor:
    """L_recon = |X_clean - R(F_content)|: mean absolute difference of the frame rebuilt from F_content alone."""
    return F.l1_loss(reconstruction, clean)


def stage_one(outputs, labels: Tensor, clean: Tensor, weights: Weights = Weights()) -> tuple[Tensor, dict[str, Tensor]]:
    """L_stage1 and its terms by name ("ortho", "adv", "region", "recon"), unweighted, of a StageOne model's outputs."""
    terms = {
        "ortho": ortho(outputs.f_sub, outputs.f_content),
        "adv": adv(outputs.leak, outputs.confusion, labels),
        "region": region(outputs.logits, labels),
        "recon": recon(outputs.reconstruction, clean),
    }
    return sum(weight * terms[name] for name, weight in asdict(weights).items()), terms
