"""One start of a Stage I run, from its first check to the pictures of what it learned.

    session = PriorSession(options, folder, processes)      what is wrong without the pairs is said here
    session.train(batches)                                  the prior lies in the folder

ComfyUI's node and the command line both go these steps. In between each looks through its pairs, which may take hours.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from ...find.priors.checkpoints import PRIOR, load_prior
from ...media.pictures import stacked, write_picture
from ..event import OnEvent, TrainingEvent, UnitsLeft, ignore
from ..history import History
from ..processes import Processes
from .options import PriorOptions
from .pictures import curves, example_panel
from .run import check
from .train import Example, PriorStep, example_of, train

TRAINING = "training"
CURVES, EXAMPLE = "curves.png", "example.png"  # in a finished run's folder
_PICTURE_EVERY = 10  # steps between two pictures that are offered, where no new example comes before


class PriorSession:
    """One start of a run in `folder`.

    step: the last step that was done. finished: whether the run is at its end.
    """

    def __init__(self, options: PriorOptions, folder: str | Path, processes: Processes, on_event: OnEvent = ignore):
        """on_event: called in the main process, may raise to stop. Raises ClearError for whatever can be known to be
        wrong without the pairs (see check())."""
        check(options, folder)
        self.options, self.folder, self.processes, self.on_event = options, Path(folder), processes, on_event
        self._history: History | None = None
        self.example: Example | None = None
        self.step, self.finished = 0, False

    def train(self, batches, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Train to the end, or until somebody wants a stop: the state after the last step is saved, and the same calls
        go on from it. Whether the run is at its end then; its pictures are in the folder.

        batches: see train(). stopping: looked at after every step. Raises ClearError as train() does.
        """
        if self.options.steps is None:  # one epoch
            self.options = replace(self.options, steps=len(batches))
        self._history, pace, stopped = History(self.folder), UnitsLeft(), False
        # ComfyUI's nodes run under inference mode, whose tensors autograd refuses: what is trained is not made in it. A
        # run seeds torch's generators, which are the whole process's: who draws from them afterwards draws what it
        # would have drawn without a training.
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.random.fork_rng(range(torch.cuda.device_count())),
            closing(train(self.options, batches, self.folder, self.processes)) as steps,
        ):
            for step in steps:
                self.step = step.step
                if self.processes.main:
                    self._tell(step, pace)
                stopped = self.processes.any(stopping())  # one that stopped alone would leave the others waiting for it
                if stopped:
                    break
        self.finished = not stopped
        if self.finished and self.example is not None:
            self._keep(self._drawn(self.example))
        return self.finished

    @property
    def history(self) -> History:
        """The figures of all starts."""
        assert self._history is not None, "train() comes first"
        return self._history

    def pictures(
        self, batches, load: Callable[[Path], Callable[[Tensor], Tensor]] = load_prior
    ) -> tuple[Image.Image, Image.Image]:
        """Curves and example of a run that is at its end. Where the last start left none, stopped at its last step,
        they show what the prior makes of the last frames.

        batches: those that it was trained on. load: the file of a prior -> the prior, frames [T, H, W, 3] -> soft masks
        [T, H, W].
        """
        curves_file, example_file, steps = self.folder / CURVES, self.folder / EXAMPLE, self.options.steps
        assert steps is not None, "train() comes first"
        if self.example is not None:
            return self._drawn(self.example)
        if curves_file.exists() and example_file.exists():
            return Image.open(curves_file).convert("RGB"), Image.open(example_file).convert("RGB")
        last = batches[steps - 1]
        self.example = example_of(last, load(self.folder / PRIOR)(rearrange(last.subtitled, "n c h w -> n h w c")))
        drawn = self._drawn(self.example)
        self._keep(drawn)
        return drawn

    def _tell(self, step: PriorStep, pace: UnitsLeft) -> None:
        self.history.add(step)  # before anybody stops: the trainer keeps this step
        example = self.example = step.example or self.example
        draw: Callable[[], Image.Image] | None = None
        if example is not None and (step.example or step.step % _PICTURE_EVERY == 0):
            draw = partial(self._stacked, example)
        at = (step.step, step.steps)
        self.on_event(TrainingEvent(TRAINING, *at, *at, pace.left(*at), step, draw))

    def _stacked(self, example: Example) -> Image.Image:
        return stacked(list(self._drawn(example)))

    def _drawn(self, example: Example) -> tuple[Image.Image, Image.Image]:
        return curves(self.history.columns()), example_panel(example.frame, example.label, example.mask)

    def _keep(self, pictures: tuple[Image.Image, Image.Image]) -> None:
        for picture, name in zip(pictures, (CURVES, EXAMPLE)):
            write_picture(self.folder / name, picture)
