"""Whether a device is there to compute on, asked before any long work."""

from __future__ import annotations

import torch

from .errors import ClearError


def require_device(device: torch.device) -> None:
    """Raise ClearError for a device that this machine has not, or on which nothing can be computed (meta)."""
    try:
        works = torch.zeros(1, device=device).add(1).item() == 1
    except (RuntimeError, AssertionError, ImportError) as error:  # a torch built for the CPU alone raises the second
        why = next(iter(str(error).splitlines()), "") or type(error).__name__
        works = False
    else:
        why = "it computes wrongly"
    if not works:
        raise ClearError(
            f"There is no device {device} here that this torch can use ({why}). Take the CPU with --device cpu, or see "
            "whether the GPU's driver is there and this torch was built for it."
        )
