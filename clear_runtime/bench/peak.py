"""How much memory one part of a run has held at most, although a process keeps a single peak for all of its life."""

from __future__ import annotations

import contextlib
import gc
from pathlib import Path

import torch

_FORGET, _STATUS, _PEAK = Path("/proc/self/clear_refs"), Path("/proc/self/status"), "VmHWM:"


class Peak:
    """From its making on. On a GPU what torch has allocated there; on a CPU all that the process holds, its libraries
    and weights among it, where the system can forget an older peak (Linux)."""

    def __init__(self, device: torch.device):
        self._device, self._known = device, device.type == "cuda"
        gc.collect()
        if self._known:
            torch.cuda.reset_peak_memory_stats(device)
            return
        with contextlib.suppress(OSError):
            _FORGET.write_text("5")  # resets the peak alone (proc(5))
            self._known = True

    def gib(self) -> float | None:
        """GiB; None where the system does not tell."""
        if not self._known:
            return None
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device) / 2**30
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(_PEAK))
        return int(line.split()[1]) / 2**20
