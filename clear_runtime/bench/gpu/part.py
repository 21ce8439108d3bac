"""What the parts' processes share: their arguments, their results, and how something is timed on a device."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .results import PartResults

log = logging.getLogger(__name__)


@dataclass
class Run:
    """A part's process. data: what `bench prepare` made. work: a folder for its results and files. seconds: what it may
    take. tiny: a rehearsal, with small shapes. rest: further arguments."""

    data: Path
    work: Path
    device: torch.device
    tiny: bool
    seconds: float
    results: PartResults
    began: float
    rest: argparse.Namespace

    @property
    def left(self) -> float:
        """Seconds until the runner ends this process."""
        return self.seconds - (time.monotonic() - self.began)

    def attempt(self, name: str, function: Callable[[], Any], takes: float = 0) -> Any:
        """A figure by its name, or why there is none: its failure, or that fewer than `takes` seconds are left."""
        if self.left < takes:
            return self.results.add(name, {"skipped": f"{self.left:.0f} s were left, it takes about {takes:g}"})
        try:
            value = function()
            self.results.add(name, value)
            return value
        except Exception as failure:  # the figures after it are still worth having
            log.exception("%s failed", name)
            self.results.add(name, {"failed": f"{type(failure).__name__}: {failure}"[:500]})
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return None


def begin(argv: list[str] | None = None, add: Callable[[argparse.ArgumentParser], None] = lambda parser: None) -> Run:
    """From a process's arguments. add: puts further ones to the parser."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--tiny", action="store_true")
    add(parser)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if args.tiny:
        torch.set_num_threads(1)
    return Run(
        args.data,
        args.work,
        torch.device(args.device),
        args.tiny,
        args.seconds,
        PartResults(args.results),
        time.monotonic(),
        args,
    )


@dataclass(frozen=True)
class Measured:
    """What something took: seconds, and the most bytes of the device's memory (None on a CPU)."""

    seconds: float
    memory: int | None
    made: Any = None

    def row(self, frames: int = 0, **more) -> dict:
        """As it is written down; frames: what `seconds a frame` is counted by."""
        each = {"seconds_a_frame": round(self.seconds / frames, 5)} if frames else {}
        gib = {} if self.memory is None else {"gib": round(self.memory / 2**30, 2)}
        return {"seconds": round(self.seconds, 4), **each, **gib, **more}


def cost(device: torch.device, function: Callable[[], Any], repeat: int = 1) -> Measured:
    """Time a function's work on a device, to the end of what it started there: the mean of `repeat` calls."""
    wait(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    began = time.perf_counter()
    for _ in range(repeat):
        made = function()
    wait(device)
    seconds = (time.perf_counter() - began) / repeat
    return Measured(seconds, torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None, made)


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
