"""MiniMax-Remover as an engine (Zi et al., 2025, arXiv 2505.24873): a Wan that paints holes, told where they are by two
conditions, and neither by a text nor by a second, unguided prediction.

Beside 16 channels of noise it is shown the video with grey in the holes, and the holes themselves as a black and white
video, both through the VAE.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ClearError
from ..frames.region import blocks
from ..wan import GROUP
from .codec import Codec
from .denoiser import Denoiser
from .engine import Needs, OnStage, Painted, Piece
from .options import UNIPC, EngineOptions, MiniMaxOptions
from .sampling import known_of, piece_noise
from .schedule import sigmas
from .unipc import unipc_sigmas

STEPS = 6
"""Its README's number."""
GREY = 0.5
"""Of a hole: 0 where the VAE's values go from -1 to 1."""


class MiniMaxEngine:
    """codec: frames to latents and back. denoiser: noise and 32 further channels to clean latents, by the sampler that
    `own` names. options: steps and seed, as for every engine.

    Raises ClearError for a codec whose latent frames stand for another number of frames than Wan2.1's.
    """

    def __init__(
        self,
        codec: Codec,
        denoiser: Denoiser,
        options: EngineOptions = EngineOptions(steps=STEPS),
        own: MiniMaxOptions = MiniMaxOptions(),
    ):
        if codec.temporal != GROUP:
            raise ClearError(
                f"This VAE puts {codec.temporal} frames into a latent frame. MiniMax-Remover works with VAEs of "
                f"{GROUP}, such as Wan2.1's."
            )
        self.codec, self.denoiser, self.steps, self.dilate = codec, denoiser, options.steps, own.dilate
        self.sigmas = (unipc_sigmas if own.sampler == UNIPC else sigmas)(options.steps, own.shift)
        self.needs = Needs(multiple=2 * codec.spatial, group=codec.temporal, recolours=True, holes=True, goes_on=True)

    def paint(self, piece: Piece, seed: int, on_stage: OnStage) -> Painted:
        if not piece.holes.any():
            on_stage("sample", self.steps)
            return Painted(piece.frames)
        on_stage("encode", 0)
        condition = self._condition(piece)
        noise = piece_noise(piece, self.codec, condition, seed)
        known = known_of(piece, self.codec)
        latents = self.denoiser(noise, condition, self.sigmas, lambda step, _: on_stage("sample", step), known)
        on_stage("decode", self.steps)
        return Painted(self.codec.decode(latents))

    def _condition(self, piece: Piece) -> Tensor:
        """[1, 32, t, h, w]: the latents of the frames with grey holes, and those of the holes, white on black."""
        holes = widened(piece.holes, self.dilate)[..., None]
        grey = self.codec.encode(torch.where(holes, GREY, piece.frames))
        return torch.cat([grey, self.codec.encode(holes.float().expand(-1, -1, -1, 3))], 1)


def widened(holes: Tensor, times: int) -> Tensor:
    """Holes [T, h, w] bool, each pixel of them spread to its four neighbours so many times, as SciPy's binary_dilation
    has it, which the published pipeline calls."""
    out = holes.clone()
    for block in blocks(holes, times) if times else ():
        wide = block.of(holes)[:, None].float()
        for _ in range(times):
            wide = F.max_pool2d(wide, (3, 1), 1, (1, 0)).maximum(F.max_pool2d(wide, (1, 3), 1, (0, 1)))
        block.of(out)[:] |= wide[:, 0] > 0
    return out
