"""One segment of a film's result, wherever it is made."""

from __future__ import annotations

from collections.abc import Iterable

from ..find.report import Report
from .clean import Cleaning, Done
from .identity import file_digest
from .store import Store, masks_path
from .work import Segment, Work


def written(
    frames: Iterable[Done],
    begins: int,
    cleaning: Cleaning,
    store: Store,
    work: Work,
    report: Report,
    to_the_end: bool = False,
) -> Segment:
    """Frames from number `begins` on, one at least, encoded into the folder of a run. report: what
    these frames were made with; what it says of them goes into the segment. to_the_end: whether they are the film's
    last for another reason than their number. Raises OSError and ClearError where the disk does not take them."""
    stop, changed = begins, 0
    path = work.path_of(begins, store.ending(cleaning.source))
    with store.segment(path, cleaning.source) as writer:
        for done in frames:
            writer.write(done.shown, done.pixels, done.mask)
            changed += done.pixels is not None
            stop = done.shown.number + 1
    left = [t for t in report.left if begins <= t < stop]
    report.left = [t for t in report.left if t >= stop]
    last, window = to_the_end or stop == cleaning.total, cleaning.options.windows.window
    masks = masks_path(path) if store.masks else None
    return Segment(
        begins,
        stop,
        path.name,
        file_digest(path),
        window,
        changed,
        left,
        last,
        "" if masks is None else masks.name,
        "" if masks is None else file_digest(masks),
    )
