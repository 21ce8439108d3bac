"""Remove subtitles from a video of any length. Start reading here.

Two passes, each of which stands on its own:

    find     frames -> what of each is subtitle (find/), as a stream or as spans
    replace  frames and marks, window by window (windowed.py) -> frames without, and what was replaced

remove() is both, streaming: it yields every frame as soon as no later window can change it. What it holds is bounded by
the window, not by the video.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from .engines.engine import Engine
from .engines.plain_fill import PlainFill
from .errors import ClearError
from .fill.flow import OpticalFlow
from .find.jumps import cuts_of
from .find.marks import Finding, Prior, find_text, marked
from .find.options import ONLY, MarkOptions
from .find.place import Place
from .find.report import CHANGED, GIVEN, Report
from .frames.checks import checked
from .frames.masks import check_area
from .frames.patch import Patched
from .frames.windows import Window, held_by, iter_windows, ramp
from .options import PREVIEW, RemovalProgress, RemoveOptions
from .presets import resolved
from .progress import Progress
from .windowed import Areas, WindowCleaner, second_look

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
    subtitle: Tensor | None = None,
    report: Report | None = None,
    optical_flow: OpticalFlow | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields (frame [H, W, 3] in its own dtype, mask [H, W] float32 of what was replaced) for every frame, in order.
    With output "raw", where all is the engine's, the mask says where the subtitle is.

    frames: [H, W, 3] float32, float16 or bfloat16 in 0..1 each, all of one size. What can be gone through twice (a
    tensor, a list) is: then all of the video is known when it is decided what of it is subtitle. engine: what paints;
    may be None for a preview, which is the fill alone. prior: frames [T, H, W, 3] -> soft masks [T, H, W]; may be None
    where the options use none. limit and protect: masks [T, H, W] or [1, H, W], where pixels may change at all and
    where they must not; subtitle: one that says where a subtitle is, as the option subtitle_use has it. total: the
    number of frames, if it is known. on_progress is called at every stage and sampler step; what it raises ends the run
    at once. report is told what was found. optical_flow: what the fill follows in place of its own.

    Raises ClearError, before the first window's work wherever that can be known.
    """
    engine, report = _engine(engine, options, optical_flow), report or Report()
    areas, jumps = Areas(limit, protect, subtitle, total).steadied(options.output.mask_jumps, cuts_of(frames))
    subtitle, report.notes = areas.subtitle, report.notes + jumps
    only = subtitle is not None and options.marking.subtitle_use == ONLY
    if only or not resolved(options, engine.needs).needs_prior:
        run = _Run(engine, options, areas, on_progress, optical_flow=optical_flow)
        report.looked, report.by = False, GIVEN if only else CHANGED
        return _counted(run.replace(_with_marks(checked(frames, areas.check), subtitle if only else None)), report)
    if prior is None:
        raise ClearError("These settings need a subtitle prior, and none was given.")
    run = _Run(engine, options, areas, on_progress, prior, report, optical_flow=optical_flow)
    found = marked(checked(frames, areas.check), prior, options.marking, subtitle, on_batch=run.looked, report=report)
    return run.replace((one.frame, one.marks) for one in found)


def find(frames: Frames, prior: Prior, options: MarkOptions = MarkOptions(), subtitle: Tensor | None = None) -> Finding:
    """The first pass alone: the text of a video, and what of it is subtitle."""
    return find_text(checked(frames), prior, options, subtitle)


def replace(
    found: Iterable[tuple[Tensor, Tensor]],
    engine: Engine | None,
    options: RemoveOptions = RemoveOptions(),
    limit: Tensor | None = None,
    protect: Tensor | None = None,
    total: int | None = None,
    on_progress: OnProgress | None = None,
    prior: Prior | None = None,
    report: Report | None = None,
    windows: Sequence[Window] | None = None,
    optical_flow: OpticalFlow | None = None,
    wanted: int = 0,
) -> Iterator[tuple[Tensor, Tensor]]:
    """The second pass alone, of (frame [H, W, 3], marks [H, W] bool): find.spans.with_marks makes these of frames and
    spans. Yields what `remove` does. prior: for the second look, if there shall be one. windows: of a part of a longer
    video, whose frames `found` has alone: what comes back of frame `wanted`, where a window that is not among them
    ends, and of later ones is what the whole video would give. optical_flow: as of `remove`."""
    areas = Areas(limit, protect, total=total)
    engine = _engine(engine, options, optical_flow)
    run = _Run(engine, options, areas, on_progress, prior, report, looks=False, optical_flow=optical_flow)
    return run.replace(found, windows, wanted)


def _engine(engine: Engine | None, options: RemoveOptions, optical_flow: OpticalFlow | None) -> Engine:
    if options.output.output == PREVIEW:
        return PlainFill(optical_flow)
    if engine is None:
        raise ClearError(
            'These settings need an engine (a VAE and a model), and none was given. Without, only output "preview" '
            "works."
        )
    return engine


def _with_marks(frames: Frames, subtitle: Tensor | None) -> Iterator[tuple[Tensor, Tensor]]:
    """The frames with what the user's mask [T, H, W] or [1, H, W] says of each, or with nothing marked."""
    for t, frame in enumerate(frames):
        none = subtitle is None
        yield frame, _or_nothing(None if none else Place(subtitle).of(t), frame)


def _counted(results: Iterator[tuple[Tensor, Tensor]], report: Report) -> Iterator[tuple[Tensor, Tensor]]:
    """The results as they are; report learns in how many frames something was replaced."""
    for frame, mask in results:
        report.count(mask)
        yield frame, mask


def _or_nothing(marks: Tensor | None, frame: Tensor) -> Tensor:
    return torch.zeros(frame.shape[:2], dtype=torch.bool) if marks is None else marks


def _given_up(pending: list[Patched], count: int) -> Iterator[tuple[Tensor, Tensor]]:
    """(picture, mask) of the first `count`; none of them is held any longer than it takes."""
    for _ in range(count):
        one = pending.pop(0)
        yield one.picture(), one.whole_mask()


class _Run:
    """One run over one video: its windows, how they join, and how far it is."""

    def __init__(
        self,
        engine: Engine,
        options: RemoveOptions,
        areas: Areas,
        on_progress: OnProgress | None,
        prior: Prior | None = None,
        report: Report | None = None,
        looks: bool = True,
        optical_flow: OpticalFlow | None = None,
    ):
        for name, area in areas.named():
            check_area(area, name, areas.total)
        self.settings = resolved(options, engine.needs)
        self.cleaner = WindowCleaner(engine, self.settings, areas, self.tell, optical_flow)
        self.second = None if prior is None else second_look(prior, self.settings)
        self.report = report or Report()
        self.on_progress = on_progress
        self.progress = Progress(areas.total, options.windows, engine.steps, finds=looks and prior is not None)
        self.again = False

    def replace(
        self, found: Iterable[tuple[Tensor, Tensor]], planned: Sequence[Window] | None = None, wanted: int = 0
    ) -> Iterator[tuple[Tensor, Tensor]]:
        pending: list[Patched] = []
        first = stop = 0  # of what is pending, and of the window before
        asked = self.settings.asked.windows
        windows = iter_windows(found, asked.window, asked.overlap) if planned is None else held_by(found, planned)
        for window, held in windows:
            done = window.start - first if pending else 0
            yield from _given_up(pending, done)  # neither this window nor a later one reaches these
            pending[:] = [one.alone() for one in pending]
            shared = max(len(pending), wanted - window.start)
            pending, first, stop = self._joined(pending, window, held, shared), window.start, window.stop
        if not pending:
            raise ClearError("There are no frames. Give at least one.")
        if planned is None:
            self.cleaner.areas.mention_if_longer(stop)
        yield from _given_up(pending, len(pending))

    def _joined(
        self, overlap: list[Patched], window: Window, held: list[tuple[Tensor, Tensor]], shared: int
    ) -> list[Patched]:
        """The window's frames, cleaned; those `shared` ones that the window before had too, whether they are at hand or
        not, go over from its version to this one; the first of them may stay as they are."""
        cleaned = self._cleaned(window, held, overlap, self.cleaner.unpainted(shared))
        stay = self.cleaner.stays(len(overlap))
        shares = [0.0] * stay + ramp(len(overlap) - stay).tolist()
        joined = [old.fade_into(new, share) for old, new, share in zip(overlap, cleaned, shares)]
        return joined + cleaned[len(joined) :]

    def _cleaned(
        self, window: Window, held: list[tuple[Tensor, Tensor]], overlap: Sequence[Patched], unpainted: int
    ) -> list[Patched]:
        cleaned, shown = self.cleaner.clean(window, held, overlap, unpainted=unpainted)
        rest = self._rest(cleaned, held, unpainted)
        if rest is not None:
            self.again = True
            again = [(one.picture(), _or_nothing(more, one.frame)) for one, more in zip(cleaned, rest)]
            # what was not painted lends nothing that is marked, whether the window before is at hand or not
            again[:unpainted] = held[:unpainted]
            newer, _ = self.cleaner.clean(window, again, overlap, again=True, unpainted=unpainted)
            cleaned = [one.under(new) for one, new in zip(cleaned, newer)]
            still = self._rest(cleaned, held, unpainted) or []
            left = {window.start + t for t, more in enumerate(still) if more is not None}
            self.report.left = sorted(left | set(self.report.left))
            self.again = False
        self.progress.windows += 1
        self.tell("done", 0, cleaned[shown].picture(torch.float32) if self.on_progress else None)
        return cleaned

    def _rest(
        self, cleaned: list[Patched], held: list[tuple[Tensor, Tensor]], unpainted: int
    ) -> list[Tensor | None] | None:
        """What can still be read of the marked text, for each frame that was painted; None where nothing can."""
        if self.second is None:
            return None
        self.tell("check")
        pictures = [partial(one.picture, torch.float32) for one in cleaned]
        rest = self.second(pictures[unpainted:], [marks for _, marks in held[unpainted:]])
        rest[:0] = [None] * unpainted
        return rest if any(more is not None for more in rest) else None

    def tell(self, stage: str, step: int = 0, preview: Tensor | None = None) -> None:
        """A stage that begins, or `step` steps of the window's that are done."""
        if self.on_progress is not None:
            done, total, part = self.progress.at(stage, step)
            self.on_progress(RemovalProgress(done, total, "again" if self.again else stage, preview, part))

    def looked(self, frames: int) -> None:
        """So many frames have been looked at."""
        self.progress.found = frames
        self.tell("find")
