"""A training run's state on disk: what it must bring back to go on as if it had never stopped."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path

import torch

from ..atomic import WholeFile
from ..checkpoint import read_tensors
from ..errors import ClearError

log = logging.getLogger(__name__)


class TrainingState:
    """What a run must bring back to go on as if it had never stopped: parts with a state_dict, torch's generators, the
    step.

    parts: by name. options: what the weights depend on, plain values by name; a run is continued with the same ones
    only. words: what options are called whose values tell a user nothing. generators: whether torch's own belong to the
    run; they are the whole process's, and one that lives on after the run keeps its own. path: the file. saved: the
    step after which it was written last; saved_at: when (time.monotonic), or when this start began.
    """

    def __init__(
        self,
        folder: str | Path,
        parts: dict,
        options: Mapping,
        words: Mapping[str, str] | None = None,
        generators: bool = True,
    ):
        self.path, self.parts, self.saved, self.saved_at = Path(folder) / "training.pt", parts, 0, time.monotonic()
        self.options, self.words, self.generators = dict(options), dict(words or {}), generators

    def read(self) -> Mapping | None:
        """What the file holds, None where there is none. Raises ClearError when it is of other options, or of another
        trainer."""
        if not self.path.exists():
            return None
        stored = read_tensors(self.path)
        if (
            not isinstance(stored.get("options"), Mapping)
            or not all(name in stored for name in self.parts)
            or set(self.options) - set(stored["options"])
        ):
            raise ClearError(
                f"{self.path} is not a checkpoint of this trainer: it is of a run of another trainer, or of another "
                "version of this one. Choose another folder for this run; in ComfyUI, another name."
            )
        changed = [
            f"{self.words[name]} was another one"
            if name in self.words
            else f"{name} was {stored['options'].get(name)!r} and is {value!r}"
            for name, value in self.options.items()
            if stored["options"].get(name) != value
        ]
        if changed:
            raise ClearError(
                f"{self.path.parent} holds a run with other options: {'; '.join(changed)}. Continue it with its own, "
                "or choose another folder; in ComfyUI, another name. To train on from what it made, choose its "
                "result as the start there."
            )
        return stored

    def resume(self) -> int:
        """The number of steps that are done; 0 when there is nothing to continue. Raises ClearError as read does."""
        stored = self.read()
        if stored is None:
            return 0
        for name, part in self.parts.items():
            part.load_state_dict(stored[name])
        if self.generators:
            torch.set_rng_state(stored["generator"])
            for device, generator in enumerate(
                stored["cuda"][: torch.cuda.device_count()]
            ):  # of those that this machine has too
                torch.cuda.set_rng_state(generator, device)
        self.saved = stored["step"]
        log.info("continues after step %d of %s", self.saved, self.path)
        return self.saved

    def save(self, step: int) -> None:
        """Write everything after a step. Raises ClearError when the disk does not take it; the file of before is then
        still whole."""
        content = {
            **{name: part.state_dict() for name, part in self.parts.items()},
            "options": self.options,
            "step": step,
        }
        if self.generators:
            content |= {
                "generator": torch.get_rng_state(),
                "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            }
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with WholeFile(self.path) as part:
                torch.save(content, part)
        except (OSError, RuntimeError) as error:  # torch's writer has no error of its own for a full disk
            raise ClearError(
                f"The checkpoint after step {step} could not be written into {self.path.parent}: {error}. "
                f"{f'That after step {self.saved} is still there. ' if self.path.exists() else ''}Free some space, "
                f"then continue."
            ) from error
        self.saved, self.saved_at = step, time.monotonic()
