"""The end of a run: its segments laid end to end, and the film, its masks and its plan under their names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..atomic import WholeFile
from ..errors import ClearError
from .copying import part_of
from .output import saved_plan
from .plan import marks_file
from .progress import JOIN, JOINING, FilmProgress, OnProgress, Pace
from .store import Store
from .work import Segment, Work

TOLD = 200
"""How often joining says at most how far it is."""
MASKS = "masks"
"""Of the video of masks, until it takes its name."""


def join_all(
    work: Work,
    segments: Sequence[Segment],
    store: Store,
    source: Path,
    target: Path,
    masks: Path | None,
    metadata: Mapping[str, str],
    on_progress: OnProgress,
) -> None:
    """The film takes its name, when all of it is on disk. masks: what the video of masks shall be called, if there is
    one; it waits in the folder for `name_masks`. Raises ClearError for a name that is taken, and for a full disk."""
    names = [target, *([] if masks is None else [masks])]
    _require_free(names)
    on_frame = _told(segments[-1].stop, on_progress)
    whole = work.folder / f"joined{target.suffix}"
    try:
        store.join([part_of(work.folder / one.file) for one in segments], source, whole, metadata, on_frame, work.note)
        if masks is not None:
            place = work.folder / f"{MASKS}{masks.suffix}"
            store.join_masks([work.folder / one.masks for one in segments], source, place)
        _require_free(names)  # joining has taken its time
        _keep_plan(work, target)
        work.join(whole, target)
    except OSError as error:
        raise ClearError(
            f"The film could not be joined to {target} ({error.strerror or error}). Free some space there. All of "
            "it is finished: the next run joins it."
        ) from error
    total = segments[-1].stop
    on_progress(FilmProgress(JOIN, total, total, 0.0, 1.0))


def _require_free(paths: Sequence[Path]) -> None:
    for path in paths:
        if path.exists():
            raise ClearError(f"{path} exists already. Nothing is overwritten: move it away, or choose another name.")


def name_masks(work: Work, masks: Path) -> None:
    """The video of masks takes its name, if it has not got it before a stop."""
    for path in work.folder.glob(f"{MASKS}.*"):
        try:
            with WholeFile(masks) as part:
                shutil.move(path, part)
        except OSError as error:
            raise ClearError(f"{masks} could not be written ({error.strerror or error}). It lies in {path}.") from error


def _told(total: int, on_progress: OnProgress) -> Callable[[int], None]:
    pace = Pace()
    on_progress(FilmProgress(JOIN, 0, total, share=JOINING))

    def on_frame(done: int) -> None:
        if done % max(1, total // TOLD) == 0:
            pace.did(False, done - pace.done)
            share = JOINING + (1 - JOINING) * done / (total + 1)
            on_progress(FilmProgress(JOIN, done, total, pace.left(0, total - done), share))

    return on_frame


def _keep_plan(work: Work, target: Path) -> None:
    """Beside the result, where it can be looked at, edited and given back."""
    path = saved_plan(target)
    if path.exists():  # the user's own
        return
    try:
        shutil.copyfile(marks_file(work.plan), marks_file(path))
        text = work.plan.read_text(encoding="utf-8")
        here, there = (json.dumps(marks_file(one).name, ensure_ascii=False) for one in (work.plan, path))
        path.write_text(text.replace(here, there, 1), "utf-8")
    except OSError as error:  # the film is whole
        work.note(f"The plan could not be kept beside the result ({error.strerror or error}).")
