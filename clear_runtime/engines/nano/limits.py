"""What the bundled network was trained for, and how to keep it within that."""

from __future__ import annotations

from einops import rearrange
from torch import Tensor

from ...frames.windows import blend
from ..denoiser import Denoiser, OnStep
from ..sampling import Known

WORKING_PIXELS = 640 * 360
"""It knows letters as large as they are in a frame of this size; larger frames are scaled down for it, and only for
it."""
CONTEXT = 32
"""Working pixels around the subtitle. Its training crops had about as much."""
PIECE, SHARED = 5, 1
"""Latent frames at a time, and how many of them two pieces share. It was trained on 2 to 4 latent frames; and attention
costs the square of their number."""
STEPS = 1
"""It predicts the clean latents best in one step from pure noise; more steps lose (weights/README.md has the
figures)."""
SHARE = 0.05
"""Part of its change over a prefilled control that is kept. On generated clips 0.32 comes closest (`bench nano-lora`);
on six real ones that loses 0.65 dB, and this much nothing (`bench removal`)."""


class InPieces:
    """A Denoiser that hands a window on in shorter pieces and cross-fades them, so that windows may be as long as the
    fill likes."""

    def __init__(self, denoiser: Denoiser, piece: int = PIECE, shared: int = SHARED):
        self.denoiser, self.piece, self.shared = denoiser, piece, shared

    def __call__(
        self, noise: Tensor, control: Tensor, sigmas: Tensor, on_step: OnStep | None = None, known: Known | None = None
    ) -> Tensor:
        count = noise.shape[2]
        last = max(0, count - self.piece)
        starts = [*range(0, last, self.piece - self.shared), last]
        out = noise.new_zeros(noise.shape)
        done = 0  # latent frames that have been written
        for index, start in enumerate(starts):
            part = slice(start, start + self.piece)
            new = self.denoiser(
                noise[:, :, part],
                control[:, :, part],
                sigmas,
                _of_a_piece(on_step, index, len(starts)),
                None if known is None else known.of(start, start + self.piece),
            )
            both = done - start
            if both > 0:
                before, after = (
                    rearrange(z, "1 c t h w -> t c h w") for z in (out[:, :, start:done], new[:, :, :both])
                )
                out[:, :, start:done] = rearrange(blend(before, after), "t c h w -> 1 c t h w")
            out[:, :, max(done, start) : start + new.shape[2]] = new[:, :, max(both, 0) :]
            done = start + new.shape[2]
        return out


def _of_a_piece(on_step: OnStep | None, index: int, pieces: int) -> OnStep:
    """What a piece's steps are to the window: piece number `index` counts for its share of them."""

    def report(step: int, steps: int) -> None:
        if on_step is not None:
            on_step((index * steps + step) // pieces, steps)

    return report
