"""Files and folders that a user names in a text field, and a stamp that changes when they do."""
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import folder_paths


def resolved(name: str) -> Path | None:
    """A path as it is, or a name in ComfyUI's input folder; quotes and spaces around it do not count. None for an empty field."""
    name = name.strip().strip("\"'")
    if not name:
        return None
    return Path(folder_paths.get_input_directory()) / Path(name).expanduser()  # an absolute path stays what it is


def stamped(paths: Iterable[Path | None], endings: Iterable[str]) -> str:
    """Names, sizes and times of files, and of those with one of these endings in folders. What is not there has no stamp."""
    wanted, found = set(endings), []
    for path in paths:
        if path is None:
            continue
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in wanted) if path.is_dir() else [path]
        found += [f"{file} {stat.st_size} {stat.st_mtime_ns}" for file in files if file.is_file() and (stat := file.stat())]
    return "\n".join(found)
