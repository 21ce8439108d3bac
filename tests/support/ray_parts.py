"""What workers of a Ray are given in tests: their machines come to this file by PYTHONPATH."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from tiny_film import Noisy, white


@dataclass(frozen=True)
class Mortal:
    """An engine and a prior; the first worker that asks for them dies of it. folder: gets a file for each machine that
    asked, by its number in the cluster, and `died`."""

    folder: Path

    def __call__(self):
        # an extra, and a second to import
        import ray

        (self.folder / ray.get_runtime_context().get_node_id()).touch()
        try:
            (self.folder / "died").touch(exist_ok=False)
        except FileExistsError:
            return Noisy(), white
        os.kill(os.getpid(), signal.SIGKILL)
