"""One start of a Stage II run, from its first check to the pictures of what it learned.

    session = LoraSession(options, folder, base, processes)      what is wrong without the clips is said here
    session.encode(clips, encoders, weights, context)            the clips become latents on disk
    session.train(weights, context)                              the LoRA lies in the folder

ComfyUI's node and the command line both go these three steps. They hand over weights and hear how far it is; between
the last two, whoever has encoders on the card lets go of them.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ...data.clips import Clips
from ...engines.codec import Codec
from ...folder_lock import locked_folder
from ...media.pictures import stacked, write_picture
from ...wan import GROUP, SPATIAL, TEXT_TOKENS
from ..event import OnEvent, TrainingEvent, UnitsLeft, ignore
from ..history import History
from ..processes import Processes
from ..results import made_elsewhere
from .cache import LatentClips, clip_files, encode_clips, largest_example
from .losses import RECIPES
from .memory import Estimate, memory_used
from .options import LoraOptions
from .pictures import Figures, curves, example_panel, most_subtitle
from .preflight import preflight, require_fit
from .run import as_begun, require_same_run
from .train import Example, TrainingStep, train

log = logging.getLogger(__name__)

ENCODING, TRAINING = "encoding clips", "training"
CURVES, EXAMPLE = "curves.png", "example.png"  # in the run's folder
_PICTURE_EVERY = 1.0  # seconds between two pictures that are offered: more often nobody sees them change

Decode = Callable[[Sequence[Tensor]], Sequence[Tensor]]
"""Latents [1, 16, t, h, w] in model space, several -> the frames [T, H, W, 3] in 0..1 of each."""


@dataclass(frozen=True)
class BaseHeader:
    """What a base's files say of it before anything is loaded. shapes: of its weights, by name. spatial, temporal: of
    its codec, pixels and frames of a latent cell. tokens: of its prompt."""

    shapes: Mapping[str, tuple[int, ...]]
    spatial: int = SPATIAL
    temporal: int = GROUP
    tokens: int = TEXT_TOKENS


@dataclass(frozen=True)
class Encoders:
    """What latents and masks are made with. prior: frames [T, H, W, 3] -> soft masks [T, H, W]. made_by: the
    fingerprints of both, by which the cache knows what it holds."""

    codec: Codec
    prior: Callable[[Tensor], Tensor]
    made_by: str


class LoraSession:
    """One start of a run in `folder`.

    finished: whether the run is at its end. Once the clips are encoded there are latents, the examples, and needed, the
    estimate of memory; once it trains, history, the figures of all starts.
    """

    def __init__(
        self,
        options: LoraOptions,
        folder: str | Path,
        base: BaseHeader,
        processes: Processes,
        available: int | None = None,
        on_event: OnEvent = ignore,
    ):
        """available: bytes of memory that the training may use, None where nobody knows. on_event: called in the main
        process, may raise to stop. Raises ClearError for whatever can be known to be wrong without the clips: options
        that do not fit the base or the device, a checkpoint of another trainer."""
        self.options, self.folder, self.base, self.processes = options, Path(folder), base, processes
        self.available, self.on_event = available, on_event
        self.finished = False
        self._latents: LatentClips | None = None
        self._needed: Estimate | None = None
        self._shown: _Pictures | None = None
        self._begun = as_begun(options, self.folder)
        require_fit(self._begun, base.shapes, processes.device)

    def encode(
        self, clips: Clips | Callable[[], Clips], encoders: Encoders, weights: Mapping[str, Tensor], context: Tensor
    ) -> LatentClips:
        """The clips as latents on disk; what is there already is not encoded again, and whoever stops keeps what is.

        clips: or what makes them, where that takes a look through many videos: it is called in the run's folder, when
        all is said that could be wrong without them. weights, context: of the base and its prompt, by which a run is
        known; they may lie anywhere. Raises ClearError before the first clip is read for a folder with another run or
        in use, and for too little memory.
        """
        if callable(clips):
            require_same_run(self.options, weights, context, self.folder, None)
            with self._locked():
                clips = clips()
        options, base, folder = self.options, self.base, self.folder / "latents"
        self._needed = self._preflight(clips)
        log.info("%s", clips)
        painted = RECIPES[options.recipe].painted
        files = clip_files(folder, clips, encoders.made_by, painted) if self.processes.main else None
        require_same_run(options, weights, context, self.folder, files)
        with self._locked():
            paths = encode_clips(
                folder,
                clips,
                encoders.codec,
                encoders.prior,
                encoders.made_by,
                partial(self._encoded, UnitsLeft(self.processes.count)),
                self.processes,
                painted,
            )
        self._latents = LatentClips(
            paths,
            base.spatial,
            options.crop,
            options.control,
            options.seed,
            options.sampler_steps,
            options.at_steps,
            base.temporal,
            options.batch,
            clips.held_back,
            painted,
        )
        log.info("examples of %s", self.latents.sizes_in_words())
        return self.latents

    def train(
        self,
        weights: Mapping[str, Tensor],
        context: Tensor,
        gain: Tensor | None = None,
        available: int | None = None,
        stopping: Callable[[], bool] = lambda: False,
        decode: Decode | None = None,
    ) -> bool:
        """Train to the end, or until somebody wants a stop: the state after the last whole step is saved, and the same
        calls go on from it. Whether the run is at its end then.

        weights: of the base, such as autograd takes, used without a copy where dtype and device fit. gain: see train().
        available: bytes that may be used now, where they have been measured again. stopping: looked at many times in a
        step; where it may also raise, the state is saved all the same. decode: shows an example now and then; without
        it there are none. Raises ClearError as train() does.
        """
        latents, memory = self.latents, memory_used(self.processes.device)
        self._shown = _Pictures(self.folder, self.options, self.needed.share, memory, decode)
        log.info("%s", self.needed)
        stopped = False
        # ComfyUI's nodes run under inference mode, whose tensors autograd refuses: what is trained is not made in it
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            closing(
                train(self.options, weights, latents, context, self.folder, self.processes, available, gain, stopping)
            ) as steps,
        ):
            for step in steps:
                if self.processes.main:
                    self._tell(step)
                stopped = self.processes.any(stopping())  # one that stopped alone would leave the others waiting for it
                if stopped:
                    break
        self.finished = not (stopped or stopping()) or self.step >= self.options.steps
        return self.finished

    @property
    def latents(self) -> LatentClips:
        assert self._latents is not None, "encode() comes first"
        return self._latents

    @property
    def needed(self) -> Estimate:
        assert self._needed is not None, "encode() comes first"
        return self._needed

    @property
    def history(self) -> History:
        return self._pictures.history

    @property
    def step(self) -> int:
        """The last step that is done, over all starts; 0 before the first."""
        return last_step(self.history)

    def pictures(self) -> tuple[Image.Image, Image.Image]:
        """Curves and example of a run that is trained. Raises ClearError for one that was trained elsewhere, and has
        neither."""
        example = self._pictures.panel
        if example is None or not self.step:
            raise made_elsewhere(self.folder, "Ask for more steps, or choose another name.")
        return self._pictures.curves(), example

    def report(self) -> str:
        """What a user reads of a run that is trained: its examples, what it took of memory, and the loss at both ends,
        of the steps that had one."""
        losses = [loss for loss in self.history.columns()["total"] if math.isfinite(loss)]
        ends = (
            f"loss {losses[0]:.4f} at the first, {losses[-1]:.4f} at the last"
            if losses
            else "the loss was no finite number at any of them"
        )
        return (
            f"Examples of {self.latents.sizes_in_words()}, control {self.options.control}, "
            f"{self.options.precision}\n{self.needed}\n\n"
            f"{len(self.history.rows)} steps: {ends}"
        )

    @property
    def _pictures(self) -> _Pictures:
        assert self._shown is not None, "train() comes first"
        return self._shown

    def _locked(self) -> AbstractContextManager:
        return locked_folder(self.folder) if self.processes.main else nullcontext()

    def _preflight(self, clips: Clips) -> Estimate:
        base = self.base
        size = largest_example(self.options.crop, clips.sizes, base.spatial, base.temporal)
        device = self.processes.device
        return preflight(self._begun, base.shapes, size, base.tokens, device, self.available, base.spatial)

    def _encoded(self, pace: UnitsLeft, done: int, total: int) -> None:
        if self.processes.main:
            run_total = total + self.options.steps
            self.on_event(TrainingEvent(ENCODING, done, total, done, run_total, pace.left(done, total)))

    def _tell(self, step: TrainingStep) -> None:
        clips = len(self.latents.paths)
        self.history.add(step)
        draw = self._pictures.take(step)
        self.on_event(
            TrainingEvent(TRAINING, step.step, step.steps, clips + step.step, clips + step.steps, step.left, step, draw)
        )


class _Pictures:
    """The pictures of a run, kept in its folder: the curves with each checkpoint, the newest example."""

    def __init__(self, folder: Path, options: LoraOptions, share: float, memory: int, decode: Decode | None):
        """share: of the LoRA in all weights, 0..1. memory: bytes. The example is an earlier start's until there is a
        newer one."""
        self.folder, self.options, self.share, self.decode, self.offered = folder, options, share, decode, 0.0
        self.history = History(folder)
        self.figures = Figures(last_step(self.history), options.steps, 0.0, memory, 0, share)
        self.panel: Image.Image | None = None
        if (folder / EXAMPLE).exists():
            self.panel = Image.open(folder / EXAMPLE).convert("RGB")

    def take(self, step: TrainingStep) -> Callable[[], Image.Image] | None:
        """After a step: keeps what there is to keep, and gives what draws the picture of the run when one is due."""
        self.figures = Figures(step.step, step.steps, step.left, step.memory, step.skipped, self.share)
        if step.step % self.options.checkpoint_every == 0 or step.step == step.steps:
            write_picture(self.folder / CURVES, self.curves())
        before = self.panel
        if step.example is not None and self.decode is not None:
            self._look(step.example, self.decode)
        example, now = self.panel, time.monotonic()
        if example is None or (example is before and now - self.offered < _PICTURE_EVERY):
            return None
        self.offered = now
        return lambda: stacked([self.curves(), example])

    def curves(self) -> Image.Image:
        return curves(self.history.columns(), self.figures)

    def _look(self, example: Example, decode: Decode) -> None:
        """Decode the latent frame with the most subtitle, as the model was shown it and as it paints it; and the mask
        that weighs: the head's, or the prior's where no head learns."""
        t, part = most_subtitle(example.m_prior)
        before, after = decode([z[:, :, part] for z in (example.subtitled, example.result)])
        mask = example.m_pred if RECIPES[self.options.recipe].has_head else example.m_prior
        self.panel = example_panel(before[-1], after[-1], mask[t])
        write_picture(self.folder / EXAMPLE, self.panel)


def last_step(history: History) -> int:
    """0 for one without steps."""
    return int(history.rows[-1]["step"]) if history.rows else 0
