"""The occlusion head: what a middle block of the transformer knows about the subtitle, as a mask."""

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

HIDDEN = 64
RARE = 0.05  # share of cells that carry a subtitle, about; the head starts by saying so everywhere
BOUND = 5.0  # of the logits: M_pred goes from 0.7 to 99.3 %


class _Held(torch.autograd.Function):
    """Logits within BOUND. Beyond it a gradient passes only where it leads back.

    While the flow's error is large, L_gen, from which M_pred is not detached, asks for no mask anywhere: (1 + alpha M)
    costs most where the subtitle is. A sigmoid that was driven far out has no gradient left to come back by when the
    error has fallen, and distillation would teach it nothing for the rest of the run.
    """

    @staticmethod
    def forward(ctx, logits: Tensor) -> Tensor:
        ctx.save_for_backward(logits)
        return logits.clamp(-BOUND, BOUND)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (logits,) = ctx.saved_tensors
        return gradient.masked_fill(
            (logits.abs() > BOUND) & (gradient.sign() != logits.sign()), 0.0
        )  # a step goes against the gradient


class OcclusionHead(nn.Module):
    """H(h) = Conv1x1(SiLU(Conv3x3_64(h))) (CLEAR, section 3.3): tokens [N, t h/2 w/2, width] -> M_pred [N, t, h, w] in
    0..1.

    A token covers two by two latent cells. The logits are interpolated between tokens, so that M_pred lies on the grid
    of M_prior and of the flow's error.
    """

    def __init__(self, width: int, hidden: int = HIDDEN):
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)  # a block's activations have no scale of their own
        self.enter, self.leave = nn.Conv2d(width, hidden, 3, 1, 1), nn.Conv2d(hidden, 1, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.constant_(self.leave.bias, float(torch.logit(torch.tensor(RARE))))

    def forward(self, tokens: Tensor, grid: tuple[int, int, int]) -> Tensor:
        """grid: latent frames, height and width (t, h, w) that the tokens stand for."""
        t, h, w = grid
        maps = rearrange(self.norm(tokens.float()), "n (t h w) c -> (n t) c h w", t=t, h=h // 2, w=w // 2)
        logits = _Held.apply(self.leave(F.silu(self.enter(maps))))
        m_pred = F.interpolate(logits, (h, w), mode="bilinear").sigmoid()
        return rearrange(m_pred, "(n t) 1 h w -> n t h w", t=t)
