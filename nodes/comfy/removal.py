"""A removal's progress in a node's words."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from .live import PICTURE_SIDE, Teller

FINDING = "Finding subtitles"
STAGES = {"find": FINDING, "control": "Filling in", "encode": "Encoding", "sample": "Painting", "decode": "Decoding"}
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
        )

    return on_progress
