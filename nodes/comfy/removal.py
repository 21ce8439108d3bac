"""A removal's progress in a node's words."""

from __future__ import annotations

import time
from collections.abc import Callable

from comfy_api.latest import ui
from torch import Tensor

from . import pace
from .kinds import is_minimax, is_nano
from .live import PICTURE_EVERY, PICTURE_SIDE, Teller

MOST_TOLD = 1000
"""Lines of a film that the page lists."""
BAR = 1000
"""Steps of a film's bar."""

FINDING = "Finding subtitles"
STAGES = {
    "find": FINDING,
    "control": "Filling in",
    "encode": "Encoding",
    "sample": "Painting",
    "decode": "Decoding",
    "blend": "Putting it into the frames",
    "check": "Looking for what is left",
    "again": "Painting once more what is left",
}
"""Of RemovalProgress, in words; what is `done` keeps the one before."""


def removal(tell: Teller, total: int | None, frame: Callable[[int], Tensor] | None = None):
    """What a remover calls with its RemovalProgress. total: frames of the video. frame: number -> frame [H, W, 3], to
    show while nothing else can be."""
    # the runtime, which start-up does without
    from ...clear_runtime.media.pictures import to_preview

    if frame is not None and total and tell.wants_picture():  # something to see before the first frames are looked at
        tell.tell(0, total, FINDING, f"frame 0 of {total}", picture=to_preview(frame(0)[..., :3], PICTURE_SIDE))

    def on_progress(progress) -> None:
        finding, shown = progress.stage == "find", progress.preview
        if finding and frame is not None and total and tell.wants_picture():
            shown = frame(min(max(0, progress.done - 1), total - 1))[..., :3]
        painted = 0
        if total and progress.total and progress.total > total:  # a frame that is painted counts for several
            painted = round((progress.done - total) * total / (progress.total - total))
        elif progress.total:
            painted = progress.done
        now = progress.done if finding else max(0, painted)
        tell.tell(
            progress.done,
            progress.total or 0,
            STAGES.get(progress.stage),
            f"frame {now} of {total}" if total else f"frame {now}",
            picture=None if shown is None else to_preview(shown, PICTURE_SIDE),
            part=FINDING if finding else "painting",
        )

    return on_progress


def painter(model, steps: int) -> str:
    """The kind of what paints (pace.py); model: None for the fill alone."""
    name = "" if model is None else "nano" if is_nano(model) else "minimax" if is_minimax(model) else "model"
    return pace.kind_of(name, steps)


def film(tell: Teller):
    """What a film's run calls with its FilmProgress: one bar over all of it, in shares."""
    # the runtime, which start-up does without
    from ...clear_runtime.media.pictures import to_preview

    at, shown = 0, 0.0

    def on_progress(now) -> None:
        nonlocal at, shown
        at = max(at, round(BAR * (now.share or 0)))
        if now.note:
            tell.state.note = now.note
        if now.done:
            tell.reached(f"frame {now.done}")
        picture, moment = None, time.monotonic()
        if now.preview is not None and moment - shown > PICTURE_EVERY:
            picture, shown = to_preview(now.preview, PICTURE_SIDE), moment
        detail = f"frame {now.done} of {now.total}" if now.total else f"frame {now.done}"
        tell.tell(at, BAR, now.stage.capitalize(), detail, now.left, picture)

    return on_progress


def found_in(report, clock=None, result=None) -> dict:
    """A report as the page lists it. clock: frame -> seconds; without, the page counts with the source's rate. result:
    the file that was made, as ComfyUI names one."""
    # the runtime, which start-up does without
    from ...clear_runtime.find.report import stretches_of

    def when(first: int, stop: int) -> dict:
        times = {} if clock is None else {"from": float(clock(first)), "to": float(clock(stop))}
        return {"first": first, "stop": stop, **times}

    lines = [
        {**when(line.first, line.stop), "goes": line.goes, "why": line.why, "sure": line.sure, "certain": line.certain}
        for line in report.named
    ]
    left = [when(*one) for one in stretches_of(report.left)]
    marked = None if report.looked else report.marked  # where there are no lines to list
    told = {"frames": report.frames, "lines": lines[:MOST_TOLD], "left": left[:MOST_TOLD]}
    return {**told, "result": result, "marked": marked}


def shown_found(found: dict, text: str) -> dict:
    """The same as a node's output, which ComfyUI sends again where it runs a node from its cache. text: the report."""
    return {**ui.PreviewText(text).as_dict(), "clear_found": [found]}
