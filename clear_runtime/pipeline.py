"""Remove subtitles from a video of any length. Start reading here.

Two passes, each of which stands on its own:

    find     frames -> what of each is subtitle (find/), as a stream or as spans
    replace  frames and marks, window by window (windowed.py) -> frames without, and what was replaced

remove() is both, streaming: it yields every frame as soon as no later window can change it. What it holds is bounded by
the window, not by the video.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from .engines.engine import Engine
from .engines.plain_fill import PlainFill
from .errors import ClearError
from .find.marks import MarkOptions, Prior, marked
from .find.spans import Span, spans_of
from .frames.checks import checked
from .frames.masks import check_area
from .frames.patch import Patched
from .frames.windows import iter_windows, plan, ramp
from .options import PREVIEW, RemovalProgress, RemoveOptions
from .presets import resolved
from .windowed import Areas, WindowCleaner

OnProgress = Callable[[RemovalProgress], None]
Frames = Iterable[Tensor]


def remove(
    frames: Frames,
    engine: Engine | None,
    prior: Prior | None,
    options: RemoveOptions = RemoveOptions(),
    limit: Tensor | None = None,
    protect: Tensor | None = None,
    total: int | None = None,
    on_progress: OnProgress | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields (frame [H, W, 3] in its own dtype, mask [H, W] float32 of what was replaced) for every frame, in order.
    With output "raw", where all is the engine's, the mask says where the subtitle is.

    frames: [H, W, 3] float32, float16 or bfloat16 in 0..1 each, all of one size. engine: what paints; may be None for a
    preview, which is the fill alone. prior: frames [T, H, W, 3] -> soft masks [T, H, W]; may be None where the options
    use none. limit and protect: masks [T, H, W] or [1, H, W], where pixels may change at all and where they must not.
    total: the number of frames, if it is known. on_progress is called at every stage and sampler step; what it raises
    ends the run at once.

    Raises ClearError, before the first window's work wherever that can be known.
    """
    engine = _engine(engine, options)
    run = _Run(engine, options, Areas(limit, protect, total), total, on_progress)
    if not run.settings.needs_prior:
        return run.replace(_unmarked(checked(frames)))
    if prior is None:
        raise ClearError("These settings need a subtitle prior, and none was given.")
    found = marked(checked(frames), prior, options.marking, on_batch=lambda: run.report("mask"))
    return run.replace((one.frame, one.marks) for one in found)


def find(frames: Frames, prior: Prior, options: MarkOptions = MarkOptions()) -> Iterator[Span]:
    """The first pass alone: where in time and place there is a subtitle."""
    return spans_of(one.marks for one in marked(checked(frames), prior, options))


def replace(
    found: Iterable[tuple[Tensor, Tensor]],
    engine: Engine | None,
    options: RemoveOptions = RemoveOptions(),
    limit: Tensor | None = None,
    protect: Tensor | None = None,
    total: int | None = None,
    on_progress: OnProgress | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """The second pass alone, of (frame [H, W, 3], marks [H, W] bool): find.spans.with_marks makes these of frames and
    spans. Yields what `remove` does."""
    run = _Run(_engine(engine, options), options, Areas(limit, protect, total), total, on_progress)
    return run.replace(found)


def _engine(engine: Engine | None, options: RemoveOptions) -> Engine:
    if options.output.output == PREVIEW:
        return PlainFill()
    if engine is None:
        raise ClearError(
            'These settings need an engine (a VAE and a model), and none was given. Without, only output "preview" '
            "works."
        )
    return engine


def _unmarked(frames: Frames) -> Iterator[tuple[Tensor, Tensor]]:
    return ((frame, torch.zeros(frame.shape[:2], dtype=torch.bool)) for frame in frames)


class _Run:
    """One run over one video: its windows, how they join, and how far it is."""

    def __init__(
        self, engine: Engine, options: RemoveOptions, areas: Areas, total: int | None, on_progress: OnProgress | None
    ):
        check_area(areas.limit, "limit", total)
        check_area(areas.protect, "protect", total)
        self.settings = resolved(options, engine.needs)
        self.cleaner = WindowCleaner(engine, self.settings, areas, self.report)
        self.steps, self.on_progress, self.windows, self.done = engine.steps, on_progress, 0, 0
        windows = options.windows
        self.total = None if total is None else self.steps * len(plan(total, windows.window, windows.overlap))

    def replace(self, found: Iterable[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
        pending: list[Patched] = []
        first = stop = 0  # of what is pending, and of the window before
        windows = self.settings.asked.windows
        for window, held in iter_windows(found, windows.window, windows.overlap):
            for one in pending[: window.start - first]:  # neither this window nor a later one reaches these
                yield one.picture(), one.whole_mask()
            overlap = pending[window.start - first :]
            cleaned = self._cleaned(window, held)
            shares = ramp(len(overlap)).tolist()
            joined = [old.fade_into(new, share) for old, new, share in zip(overlap, cleaned, shares)]
            pending, first, stop = joined + cleaned[len(joined) :], window.start, window.stop
        if not pending:
            raise ClearError("There are no frames. Give at least one.")
        self.cleaner.areas.mention_if_longer(stop)
        for one in pending:
            yield one.picture(), one.whole_mask()

    def _cleaned(self, window, held: list[tuple[Tensor, Tensor]]) -> list[Patched]:
        cleaned, shown = self.cleaner.clean(window, held)
        self.windows += 1
        self.report("done", 0, cleaned[shown].picture(torch.float32) if self.on_progress else None)
        return cleaned

    def report(self, stage: str, step: int = 0, preview: Tensor | None = None) -> None:
        """A stage that begins, or `step` steps of the window's `steps` that are done."""
        self.done = max(self.done, self.windows * self.steps + step)
        if self.on_progress is not None:
            self.on_progress(RemovalProgress(self.done, self.total, stage, preview))
