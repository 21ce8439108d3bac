"""A run's options once the model's own values are in them. Apart from options.py, which ComfyUI's start shows."""

from __future__ import annotations

from dataclasses import dataclass

from .options import PriorOptions


@dataclass(frozen=True)
class ResolvedOptions(PriorOptions):
    """Options as a run has them: whatever was the model's own has its value. steps may be an epoch still."""

    long_side: int = 0
    rate: float = 0.0
    schedule: str = ""
    average: float = 0.0


def resolved(options: PriorOptions) -> ResolvedOptions:
    """The same, for those who want to know that no model's own value is missing."""
    return ResolvedOptions(**vars(options))
