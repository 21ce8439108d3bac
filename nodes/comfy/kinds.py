"""Which network a MODEL is, by what its loader has attached to it. Light: ComfyUI's start does without what paints."""

from __future__ import annotations

NANO_MARK = "clear_nano"
"""Attachment of a MODEL that came from Load CLEAR Nano; clones carry it on."""
MINIMAX_MARK = "clear_minimax"
"""Attachment of a MODEL that came from Load MiniMax-Remover: its own options, by name."""


def is_minimax(model) -> bool:
    """Whether this MODEL came from Load MiniMax-Remover, by whatever nodes it went since."""
    return model is not None and model.get_attachment(MINIMAX_MARK) is not None


def is_nano(model) -> bool:
    """Whether this MODEL came from Load CLEAR Nano, by whatever nodes it went since."""
    return bool(model.get_attachment(NANO_MARK))
