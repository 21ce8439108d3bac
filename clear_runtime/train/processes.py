"""One process, or the several that `accelerate launch` starts: the few things that training asks of either."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from importlib import import_module
from math import ceil

import torch
from torch import Tensor, nn

from ..device import require_device
from ..errors import ClearError

PATIENCE = timedelta(
    days=2
)  # a process may read or encode a whole collection while the others wait; torch's own limit is 10 minutes


class Processes:
    """rank: number of this process. count: how many there are. device: where this one computes. main: whether it writes
    files.

    Work with several processes belongs in a `with` of it, which closes their connection: a thread of gloo's that still
    holds a tensor when the interpreter ends aborts a run that went well. What `prepare` gave must be gone by then, for
    it holds the connection too."""

    def __init__(self, device: str | torch.device | None = None, alone: bool = False):
        """alone: train in this process only, whatever the environment says of others (rented machines have WORLD_SIZE
        set at times)."""
        self.count = 1 if alone else int(os.environ.get("WORLD_SIZE", "1"))
        self._accelerator = None
        if self.count > 1:
            try:
                # an optional package: one process goes without it
                from accelerate import Accelerator
                from accelerate.utils import InitProcessGroupKwargs
            except ImportError as missing:
                raise ClearError(
                    "Training with several processes needs accelerate: pip install accelerate"
                ) from missing
            import_module(
                "torch.distributed.nn"
            )  # DDP would; imported after the connection, its functions keep that as their default for ever
            # The trainers say themselves in which precision they compute, and scale no loss: what `accelerate config`
            # was told does not count.
            self._accelerator = Accelerator(
                cpu=str(device) == "cpu",
                mixed_precision="no",
                kwargs_handlers=[InitProcessGroupKwargs(timeout=PATIENCE)],
            )
            _require_copies(self._accelerator.distributed_type.value)
            self.count = self._accelerator.num_processes
        self.rank = self._accelerator.process_index if self._accelerator else 0
        self.main = self.rank == 0
        if self._accelerator:
            self.device = self._accelerator.device
        else:
            self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
            require_device(self.device)

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, failed: type[BaseException] | None, *_) -> None:
        if (
            self._accelerator and not failed
        ):  # after a failure the others may still be waiting for this one, and NCCL would wait for them
            self._accelerator.end_training()

    def prepare(self, model: nn.Module) -> nn.Module:
        """The model to call in training; its gradients are averaged over all processes."""
        return self._accelerator.prepare_model(model) if self._accelerator else model

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss. Not accelerate's own, which divides by what `accelerate config` was told about
        accumulation."""
        loss.backward()

    def gathering(self, model: nn.Module) -> AbstractContextManager:
        """While gradients of a prepared model only add up in each process: the next backward outside of this averages
        them all."""
        return self._accelerator.no_sync(model) if self._accelerator else nullcontext()

    def part(self, items: Sequence) -> Sequence:
        """This process's own of some items that every process has: neighbours stay together."""
        each = ceil(len(items) / self.count)
        return items[self.rank * each : (self.rank + 1) * each]

    def wait(self) -> None:
        """Until every process is here."""
        if self._accelerator:
            self._accelerator.wait_for_everyone()

    def shared(self, value):
        """What the main process has; the others' own is not looked at. Every process must ask."""
        if not self._accelerator:
            return value
        # an optional package: one process goes without it
        from accelerate.utils import broadcast_object_list

        return broadcast_object_list([value if self.main else None])[0]

    def any(self, here: bool) -> bool:
        """Whether something holds in one process at least, so that all of them do the same. Every process must ask."""
        return self.mean({"": float(here)})[""] > 0

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Numbers that every process has one of, averaged over all of them."""
        if not self._accelerator:
            return values
        gathered = self._accelerator.reduce(
            torch.tensor(list(values.values()), dtype=torch.float64, device=self.device), "mean"
        )
        return dict(zip(values, gathered.tolist()))


def _require_copies(kind: str) -> None:
    """Raise ClearError unless every process has the whole model and shares gradients alone. kind: of accelerate's
    DistributedType."""
    if kind != "NO" and not kind.startswith("MULTI_"):
        raise ClearError(
            f"accelerate is set up for {kind}; the trainers want the whole model in each process. Run `accelerate "
            "config` and choose neither DeepSpeed nor FSDP nor Megatron-LM, or begin with `accelerate launch "
            "--multi_gpu`."
        )
