"""The fill alone as an engine: no network, in seconds. What every network has to be better than."""

from __future__ import annotations

from ..fill.flow import OpticalFlow
from ..fill.plain import MARGIN, fill
from .engine import Needs, OnStage, Painted, Piece

FADES = 0.5
"""Of the overlap, what is painted twice. All of it gains 0.02 dB, for the mean of two fills is nearer to the truth, and
takes a tenth longer; a long overlap, as at a film's end, up to twice as long."""


class PlainFill:
    """Works at the source's own resolution, on the holes and what the fill looks at around them. optical_flow:
    what it follows, where it is another than its own."""

    needs = Needs(scaled=False, context=MARGIN, region="subtitle band", holes=True, fades=FADES)
    steps = 1

    def __init__(self, optical_flow: OpticalFlow | None = None):
        self.optical_flow = optical_flow

    def paint(self, piece: Piece, seed: int, on_stage: OnStage) -> Painted:
        picture = fill(piece.frames, piece.holes, optical_flow=self.optical_flow, unpainted=piece.unpainted)
        on_stage("sample", self.steps)
        return Painted(picture)
