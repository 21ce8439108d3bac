"""The options that both trainers have, each with a default of its own."""

from __future__ import annotations

import math
from typing import Any

from ..option import option

LARGEST_SEED = 2**63 - 1
"""torch takes no longer one."""


def weight_decay(default: float) -> Any:
    """A field: AdamW's."""
    return option(
        default,
        "AdamW's weight decay, no unit.",
        zh="AdamW 的权重衰减，无单位。",
        name_zh="权重衰减",
        low=0,
        under=math.inf,
    )


def checkpoint_every(default: int) -> Any:
    """A field: steps."""
    return option(
        default,
        "Steps between two checkpoints: what a power cut may cost.",
        zh="每隔多少步保存一次检查点：断电时最多损失这么多步。",
        name_zh="检查点间隔",
        unit="steps",
        low=1,
    )


def seed(help: str, zh: str) -> Any:
    """A field: of whatever `help`, and `zh` in Chinese, say is drawn from it."""
    return option(0, help, zh=zh, name_zh="种子", low=-LARGEST_SEED, high=LARGEST_SEED, least=0, most=2**31 - 1)
