"""In which numbers a small network runs fastest."""

from __future__ import annotations

import torch

AMPERE = 8
"""Its major compute capability."""


def halves(device: torch.device) -> bool:
    """Whether arithmetic in bfloat16 is faster there: on CUDA's cards from Ampere on, and on CPUs that multiply it
    themselves. Others do it by emulation, or not at all."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= AMPERE
    return device.type == "cpu" and cpu_has_bfloat16()


def cpu_has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 itself; where it does not, that is slower than float32."""
    asks = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(ask is not None and ask() for ask in asks)
