"""Files that a user names in a text field or chooses in a list, and a stamp that changes when they do."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import folder_paths

from ...clear_runtime.engines import prompt
from ...clear_runtime.errors import ClearError

CLEAR_FOLDER = "clear"
"""The pack's own folder in ComfyUI's models: priors, LoRAs, and the prompt's embedding."""
_EXTENSIONS = {".safetensors", ".pt", ".ckpt", ".bin"}


def register_folder() -> None:
    """Make `models/clear` known to ComfyUI (beside any that extra_model_paths.yaml names)."""
    folder_paths.add_model_folder_path(CLEAR_FOLDER, os.path.join(folder_paths.models_dir, CLEAR_FOLDER))
    folder_paths.folder_names_and_paths[CLEAR_FOLDER][1].update(_EXTENSIONS)


def user_file(name: str) -> Path:
    """A file of the pack beside the user's own settings, or with the models where ComfyUI knows no such folder."""
    if hasattr(folder_paths, "get_user_directory"):
        return Path(folder_paths.get_user_directory()) / name
    return Path(folder_paths.models_dir) / CLEAR_FOLDER / name


def lora_files() -> list[str]:
    return sorted({*folder_paths.get_filename_list("loras"), *_clear_files()})


def prior_files() -> list[str]:
    return _clear_files()


def _clear_files() -> list[str]:
    """Nobody chooses the prompt's embedding: CLEAR Prompt finds it by its name."""
    return [name for name in folder_paths.get_filename_list(CLEAR_FOLDER) if name != prompt.FILE_NAME]


def full_path(name: str, *folders: str) -> str:
    """The file in the first of these folders of models/ that has it. Raises ClearError where none has."""
    path = _found(name, folders)
    if path is None:
        places = " or ".join(f"models/{folder}" for folder in folders)
        raise ClearError(
            f"There is no file {name} in {places}. Put it there and reload the page, or choose another one."
        )
    return path


def stamp(name: str | None, *folders: str) -> str:
    """Changes when the file of that name in models/ does, so that ComfyUI runs the node again; empty for no file, and
    for None, which ComfyUI hands on for a name that is connected."""
    path = name and _found(name, folders)
    return "" if not path else stamped([Path(path)], ())


def _found(name: str, folders: Iterable[str]) -> str | None:
    return next(filter(None, (folder_paths.get_full_path(folder, name) for folder in folders)), None)


def resolved(name: str) -> Path | None:
    """A path as it is, or a name in ComfyUI's input folder; quotes and spaces around it do not count. None for an empty
    field."""
    name = name.strip().strip("\"'")
    if not name:
        return None
    return Path(folder_paths.get_input_directory()) / Path(name).expanduser()  # an absolute path stays what it is


def stamped(paths: Iterable[Path | None], endings: Iterable[str]) -> str:
    """Names, sizes and times of files, and of those with one of these endings in folders. What is not there has no
    stamp."""
    wanted, found = set(endings), []
    for path in paths:
        if path is None:
            continue
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in wanted) if path.is_dir() else [path]
        found += [
            f"{file} {stat.st_size} {stat.st_mtime_ns}" for file in files if file.is_file() and (stat := file.stat())
        ]
    return "\n".join(found)
