"""CLEAR as an engine: a codec and a denoiser, the subtitled video as the control, a few Euler steps (CLEAR, section
3.4)."""

from __future__ import annotations

import math

from torch import Tensor

from ..errors import ClearError
from ..frames.latent_grid import cells_to_frames
from ..frames.windows import kept
from ..wan import GROUP
from .codec import Codec
from .denoiser import Denoiser
from .difference import changed_cells
from .engine import Needs, OnStage, Painted, Piece
from .options import EngineOptions
from .sampling import known_of, piece_noise
from .schedule import sigmas


class ClearEngine:
    """codec: frames to latents and back. denoiser: noise and control latents to clean latents. options: how it samples.
    share: of what the options keep of its change. The rest is what it needs unless the user says otherwise.

    Raises ClearError for a codec whose latent frames stand for another number of frames than Wan2.1's.
    """

    def __init__(
        self,
        codec: Codec,
        denoiser: Denoiser,
        options: EngineOptions = EngineOptions(),
        share: float = 1.0,
        max_pixels: float = math.inf,
        context: float = math.inf,
        control: str = "as is",
        region: str = "whole frame",
    ):
        if codec.temporal != GROUP:
            raise ClearError(
                f"This VAE puts {codec.temporal} frames into a latent frame. CLEAR works with VAEs of {GROUP}, such as "
                "Wan2.1's."
            )
        self.codec, self.denoiser, self.steps = codec, denoiser, options.steps
        self.keep_change, self.sigmas = share * options.keep_change, sigmas(options.steps)
        self.needs = Needs(
            multiple=2 * codec.spatial,
            group=codec.temporal,
            max_pixels=max_pixels,
            context=context,
            control=control,
            region=region,
            finds_text=control == "as is",
            tells_changes=True,
            recolours=True,
            goes_on=True,
        )

    def paint(self, piece: Piece, seed: int, on_stage: OnStage) -> Painted:
        on_stage("encode", 0)
        control = self.codec.encode(piece.frames)
        noise = piece_noise(piece, self.codec, control, seed)
        known = known_of(piece, self.codec)
        latents = self.denoiser(noise, control, self.sigmas, lambda step, _: on_stage("sample", step), known)
        on_stage("decode", self.steps)
        changed = self._changed(piece, control, latents) if piece.differs else None
        picture = self.codec.decode(latents)
        if not piece.filled or piece.whole:
            return Painted(picture, changed=changed)
        # The codec's loss is in both pictures, so that it cancels and the fill stays as sharp as it was.
        change = picture - self.codec.decode(control)
        done = 0 if piece.painted is None else kept(len(piece.painted), self.codec.temporal)
        change[done:] *= self.keep_change  # of the frames before, the window before has kept its share
        return Painted(change, onto=True, changed=changed)

    def _changed(self, piece: Piece, control: Tensor, latents: Tensor) -> Tensor:
        before = self.codec.encode(piece.source) if piece.filled else control
        return cells_to_frames(changed_cells(before, latents), self.codec.spatial, self.codec.temporal)
