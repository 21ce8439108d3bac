"""In which numbers a small network runs fastest."""

from __future__ import annotations

import torch


def halves(device: torch.device) -> bool:
    """Whether arithmetic in bfloat16 is faster there: on graphics cards, and on CPUs that multiply it themselves."""
    return device.type != "cpu" or cpu_has_bfloat16()


def cpu_has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 itself; where it does not, that is slower than float32."""
    asks = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(ask is not None and ask() for ask in asks)
