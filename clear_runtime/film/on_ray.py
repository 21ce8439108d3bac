"""Segments made by the machines of a Ray cluster, or by several processes of this one.

A worker has the pack's own code from here (Ray takes it over), and its packages and the film from its own machine: the
film lies under one path everywhere.
"""

from __future__ import annotations

import logging
import platform
import socket
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from ..errors import ClearError
from .elsewhere import MakesParts, Order, Parcel, make_segment
from .identity import file_identity, same_file

log = logging.getLogger(__name__)

INSTALL = 'python -m pip install "ray>=2.9"'
TICK = 1.0
"""Seconds between two looks at what has come."""
ANSWERS = 10.0
"""Seconds in which a Ray answers."""
PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Machine:
    """What a machine says of itself. refused: why it cannot read a file, in words. differs: of versions by name."""

    refused: str
    versions: dict[str, str]


def require_ray() -> None:
    """Raise ClearError where Ray is not installed."""
    if find_spec("ray") is None:
        raise ClearError(f"Several machines need Ray, which is not installed. Install it with `{INSTALL}`.")


@contextmanager
def on_ray(address: str, parts: MakesParts, device: str, files: Sequence[Path] = ()) -> Iterator[RayWorkers]:
    """The workers of a Ray at an address: `auto`, HOST:PORT, ray://HOST:PORT, or `local` for one of this machine alone,
    begun here and ended with the block. files: what they read besides the film. Raises ClearError where there is none.
    """
    require_ray()
    _require_answer(address)
    # an extra, and a second to import
    import ray

    try:
        ray.init(
            address,
            runtime_env={"py_modules": [str(PACKAGE)]},
            log_to_driver=False,
            logging_level=logging.ERROR,
            **({"include_dashboard": False} if address == "local" else {}),
        )
    except (ConnectionError, RuntimeError, ValueError, AssertionError, ray.exceptions.RayError) as error:
        raise _nobody(address, error) from error
    try:
        yield RayWorkers(parts, device, files)
    finally:
        ray.shutdown()


def _require_answer(address: str) -> None:
    """Ray itself asks for minutes before it gives up. Raises ClearError where nobody answers at HOST:PORT."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWERS).close()
    except (OSError, OverflowError) as error:
        raise _nobody(address, error) from error


def _nobody(address: str, error: Exception) -> ClearError:
    if "ersion mismatch" in str(error):
        return ClearError(
            f"The Ray at {address} does not go with this one ({' '.join(str(error).split())}). Have one version of Ray "
            "and of Python on all machines."
        )
    return ClearError(
        f"There is no Ray at {address} ({error}). Begin one with `ray start --head` (where it asks for a token, have "
        "RAY_AUTH_TOKEN set as for it), or name local for processes of this machine."
    )


class RayWorkers:
    """A task for each segment. A worker on a GPU has one of its own; on CPUs it takes as many cores as torch does here
    (OMP_NUM_THREADS), for another number of threads sums in another order."""

    def __init__(self, parts: MakesParts, device: str, files: Sequence[Path]):
        self.parts, self._files = parts, files
        self._known: dict[Path, dict[str, Any]] = {}
        self.gpus = int(device.startswith("cuda"))
        self.threads = max(1, torch.get_num_threads() // (max(1, torch.cuda.device_count()) if self.gpus else 1))

    def require(self, source: Path) -> None:
        """Each machine that can have a worker reads the film and has the packages that this one has."""
        # an extra, and a second to import
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        nodes = [node for node in ray.nodes() if node["Alive"] and self._fits(node["Resources"])]
        if not nodes:
            raise ClearError(
                f"No machine of this Ray has {self.threads} CPU cores{' and a GPU' if self.gpus else ''} for a worker. "
                "Set OMP_NUM_THREADS to how many cores one shall take."
            )
        self._known = {path.absolute(): file_identity(path) for path in (source, *self._files)}
        asked = {}
        for node in nodes:
            where = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            task = ray.remote(machine).options(num_cpus=0, scheduling_strategy=where)
            asked[task.remote(self._known)] = node["NodeManagerAddress"]
        here = machine({})
        for ref, name in asked.items():
            _compare(name, _answer(ref), here)
        slots = sum(self._slots(node["Resources"]) for node in nodes)
        log.info("Ray: %d machine%s, %d workers at a time", len(nodes), "s" if len(nodes) > 1 else "", slots)

    def _fits(self, resources: Mapping[str, float]) -> bool:
        return self._slots(resources) > 0

    def _slots(self, resources: Mapping[str, float]) -> int:
        slots = resources.get("CPU", 0) // self.threads
        return int(min(slots, resources.get("GPU", 0)) if self.gpus else slots)

    def make(self, order: Order, cuts: Sequence[tuple[int, int]]) -> Generator[Parcel | None, None, None]:
        # an extra, and a second to import
        import ray

        task = ray.remote(segment_of).options(num_cpus=self.threads, num_gpus=self.gpus)
        told, known, here = ray.put(order), self._known, machine({})
        waiting = [task.remote(told, first, stop, known, here) for first, stop in cuts]
        try:
            while waiting:
                ready, waiting = ray.wait(waiting, timeout=TICK)
                yield _answer(ready[0]) if ready else None
        finally:
            for ref in waiting:
                ray.cancel(ref, force=True)


def _answer(ref) -> Any:
    """What a task gave. Raises ClearError where its machine is gone, or could not begin it."""
    # an extra, and a second to import
    import ray

    try:
        return ray.get(ref)
    except ray.exceptions.RayTaskError:
        raise  # a defect, with the worker's traceback
    except ray.exceptions.RayError as error:
        raise ClearError(
            f"A worker of Ray was lost ({str(error).splitlines()[0]}). What is finished stays: run again."
        ) from error


def segment_of(
    order: Order, first: int, stop: int, files: Mapping[Path, Mapping[str, Any]], told_by: Machine
) -> Parcel:
    """What a task is: a segment, made by a machine that may have come after the others were asked."""
    try:
        _compare(platform.node(), machine(files), told_by)
    except ClearError as error:
        return Parcel(refused=str(error))
    return make_segment(order, first, stop)


def machine(files: Mapping[Path, Mapping[str, Any]]) -> Machine:
    """What the machine that this runs on can read of files, by path and identity, and which versions it has."""
    # brings FFmpeg's libraries: only where a film is cleaned
    import av

    refused = ""
    for path, known in files.items():
        try:
            if not same_file(file_identity(path), known):
                refused = refused or f"{path} is another file there"
        except ClearError as error:
            refused = refused or str(error)
    return Machine(refused, {"av": av.__version__, "torch": torch.__version__, "processor": platform.machine()})


def _compare(name: str, there: Machine, here: Machine) -> None:
    """Raise ClearError where segments of a machine would not be this one's; where they may differ by rounding, say
    so."""
    if there.refused:
        raise ClearError(
            f"The worker on {name} cannot go by the same files: {there.refused} Put them where every machine has them "
            "under one path."
        )
    if there.versions["av"] != here.versions["av"]:
        raise ClearError(
            f"The worker on {name} has PyAV {there.versions['av']}, here it is {here.versions['av']}: segments of two "
            "encoders cannot be laid end to end. Install one version everywhere."
        )
    for what in ("torch", "processor"):
        if there.versions[what] != here.versions[what]:
            log.warning(
                "%s: %s %s, here %s; its frames may differ by rounding",
                name,
                what,
                there.versions[what],
                here.versions[what],
            )
