"""Floating-point operations of a step, counted from shapes."""

from __future__ import annotations

from torch import nn

from ...wan import TEXT_TOKENS, VISION_TOKENS
from .shapes import ClipSize


def step(model: nn.Module, clip: ClipSize) -> float:
    """One forward pass of a Wan transformer over a clip: the blocks' linear layers and attention, two operations for
    each multiplication."""
    block = model.blocks[0]
    width, wide, tokens = block.self_attn.q.weight.shape[0], block.ffn[0].weight.shape[0], clip.tokens
    context = TEXT_TOKENS + VISION_TOKENS
    linear = 2 * tokens * (6 * width**2 + 2 * width * wide) + 2 * 2 * context * width**2
    attention = 4 * tokens * (tokens + context) * width
    return len(model.blocks) * (linear + attention)
