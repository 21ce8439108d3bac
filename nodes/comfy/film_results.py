"""The films that a node has made: where they go, and what its outputs are."""

from __future__ import annotations

import glob
import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfy_api.latest import io, ui

from ...clear_runtime.errors import ClearError
from .files import resolved
from .removal import shown_found
from .video import video_of


@dataclass(frozen=True)
class Made:
    """A film without its subtitles. name: of its source. masks: the video of what was replaced. told: of the report, as
    JSON has it. found: as the page lists it."""

    name: str
    saved: ui.SavedResult
    path: Path
    masks: str | None
    text: str
    told: dict[str, Any]
    found: dict | None


def films_in(folder: str) -> list[Path]:
    """The films in a folder, by name. Raises ClearError for one that holds none."""
    # the runtime, which start-up does without
    from ...clear_runtime.film.output import films_of

    path = resolved(folder)
    if path is None or not path.is_dir():
        raise ClearError(
            f"There is no folder {path}. Give the whole path of a folder, or its name in ComfyUI's input folder."
        )
    return films_of([path])


def of_one(made: Made) -> io.NodeOutput:
    return _output([made], made.text, made.told, {} if made.found is None else shown_found(made.found, made.text))


def of_many(made: list[Made], failed: dict[str, str]) -> io.NodeOutput:
    """failed: why, by the names of the films. Raises ClearError where no film could be cleaned."""
    if not made:
        raise ClearError("None of the films could be cleaned. " + " ".join(f"{k}: {v}" for k, v in failed.items()))
    parts = [f"{one.name}\n{one.text}" for one in made]
    parts += [f"{name}\nIt could not be cleaned: {why}" for name, why in failed.items()]
    count = f"{len(made)} of {len(made) + len(failed)} films were cleaned."
    told = [{"film": one.name, **one.told} for one in made]
    told += [{"film": name, "failed": why} for name, why in failed.items()]
    text = "\n\n".join([count, *parts])
    return _output(made, text, {"films": told}, ui.PreviewText(text).as_dict())


def _output(made: list[Made], text: str, told: dict[str, Any], below: dict) -> io.NodeOutput:
    videos = [video_of(one.path) for one in made]
    shown = ui.PreviewVideo([one.saved for one in made]).as_dict()
    as_json = json.dumps(told, ensure_ascii=False)
    return io.NodeOutput(videos, text, as_json, _masks([one.masks for one in made]), ui={**shown, **below})


def _masks(paths: list[str | None]):
    """The videos of masks; without them, what says so to a node that is connected."""
    from comfy_execution.graph_utils import ExecutionBlocker  # ComfyUI's own, there when it runs

    if None in paths:
        return ExecutionBlocker("There is no video of masks: switch save_mask on.")
    return [video_of(Path(path)) for path in paths if path is not None]


class Results:
    """Where a node's results go: a numbered file below ComfyUI's output folder and, until it is whole, a folder beside
    it, which the same node finds again for the same video."""

    def __init__(self, prefix: str, source: Path, node: str | None, codec: str):
        # the runtime, which start-up does without
        from ...clear_runtime.media.video import read_facts

        facts = read_facts(source)
        self._prefix, self._size, self.ending = prefix, (facts.width, facts.height), _ending(source, codec)
        folder, name, _, self.subfolder = self._place()
        digest = hashlib.sha256(f"{source.absolute()} {node}".encode()).hexdigest()[:10]
        self.work = Path(folder) / f"unfinished_{name[:40]}_{digest}"

    def free_name(self) -> Path:
        folder, name, counter, _ = self._place()
        return Path(folder) / f"{name}_{counter:05}_{self.ending}"

    def saved(self, path: Path) -> ui.SavedResult:
        return ui.SavedResult(path.name, self.subfolder, io.FolderType.output)

    def earlier(self, job) -> Made | None:
        """What a run before has made of the same film by the same options, with all that is asked for now."""
        # the runtime, which start-up does without
        from ...clear_runtime.film.done import cleaned_before
        from ...clear_runtime.film.output import saved_plan

        folder, name, _, _ = self._place()
        for path in sorted(Path(folder).glob(f"{glob.escape(name)}_*_{self.ending}")):
            masks = job.masks(path) if job.store.masks else None
            if cleaned_before(job, path) and (masks is None or masks.exists()):
                told = {"plan": str(saved_plan(path)), "notes": ["Cleaned before."]}
                text = f"Cleaned before: {path}"
                return Made(job.source.name, self.saved(path), path, masks and str(masks), text, told, None)
        return None

    def _place(self) -> tuple[str, str, int, str]:
        import folder_paths  # ComfyUI's own, as it is when the node runs

        return folder_paths.get_save_image_path(self._prefix, folder_paths.get_output_directory(), *self._size)[:4]


def _ending(source: Path, codec: str) -> str:
    """The source's own where it can hold what is written, else the first that can."""
    # the runtime, which start-up does without
    from ...clear_runtime.film.output import ENDINGS
    from ...clear_runtime.film.source import Source
    from ...clear_runtime.film.store import Store

    film = Source(source)
    own = [one for one in ENDINGS if one == source.suffix.lower()]
    for ending in (*own, *ENDINGS):
        with suppress(ClearError):
            Store(codec=codec, container=ending).chosen(film)
            return ending
    return ENDINGS[0]  # the run says what is wrong
