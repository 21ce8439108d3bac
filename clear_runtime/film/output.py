"""Names of results: what can be one, and one for each of many films."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..errors import ClearError

LONGEST = 240
"""Bytes of a name; file systems take 255, and there are endings for what is not whole."""
ENDINGS = (".mp4", ".mov", ".mkv", ".webm")
MASK_ENDINGS = ENDINGS[:3]
"""Of the video of masks, which is H.264."""
FILMS = frozenset(
    (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv")
)
"""Endings of what is taken for a film in a folder."""


def beside(target: Path, name: str, ending: str) -> Path:
    """A path in the target's folder that begins with a name of its own, cut where file systems would not take it."""
    room = LONGEST - len(ending.encode())
    if len(name.encode()) > room:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = name.encode()[: room - 8].decode(errors="ignore") + digest
    return target.with_name(name + ending)


def work_of(target: Path) -> Path:
    """The folder of what is not whole yet."""
    return beside(target, target.name, ".unfinished")


def saved_plan(target: Path) -> Path:
    """Where the plan of a result lies."""
    return beside(target, target.stem, "_plan.json")


def h264_ending(target: Path) -> str:
    """Of an H.264 video beside a result: the result's own, where that holds it."""
    return target.suffix if target.suffix.lower() in MASK_ENDINGS else MASK_ENDINGS[-1]


def masks_of(target: Path) -> Path:
    """Where the video of what was replaced in a result lies."""
    return beside(target, target.stem, f"_mask{h264_ending(target)}")


def require_new(path: Path) -> None:
    """Raise ClearError where a file is already there, there is no folder for it, or no file can have its name."""
    try:
        there = path.exists()
    except OSError as error:
        raise ClearError(f"No file can be called {path.name} ({error.strerror}). Choose a shorter name.") from error
    if there:
        raise ClearError(f"{path} exists already. Nothing is overwritten: move it away, or choose another name.")
    if not path.absolute().parent.is_dir():
        raise ClearError(f"There is no folder {path.parent}. Make it, or choose another place.")


def require_output(path: Path, endings: Sequence[str] = ENDINGS) -> None:
    """Raise ClearError for an output that cannot become a video, or that is there already."""
    if path.suffix.lower() not in endings:
        raise ClearError(f"{path.name}: the output has to end in {', '.join(endings[:-1])} or {endings[-1]}.")
    require_new(path)


def films_of(given: Sequence[Path]) -> list[Path]:
    """Files, the films in folders, and what patterns name, each once and in order. Raises ClearError for one that
    names nothing."""
    found: dict[Path, None] = {}
    for path in given:
        if path.is_dir():
            some = sorted(one for one in path.iterdir() if one.suffix.lower() in FILMS and not one.name.startswith("."))
        elif not path.exists() and any(sign in path.name for sign in "*?["):
            some = sorted(path.parent.glob(path.name))
        else:
            some = [path]
        if not some:
            raise ClearError(f"{path} names no film. Check the name; a folder needs files such as .mp4 or .mkv in it.")
        found |= dict.fromkeys(some)
    return list(found)


def outputs_of(films: Sequence[Path], folder: Path) -> list[Path]:
    """A file in `folder` for each film, of its name, and of its ending where it can be written, else .mkv. Films of one
    name keep their own endings in it: a.avi and a.mkv become a.avi.mkv and a.mkv.mkv."""
    endings = [film.suffix if film.suffix.lower() in ENDINGS else ".mkv" for film in films]
    plain = [f"{film.stem}{ending}" for film, ending in zip(films, endings)]
    stems = Counter(film.stem.casefold() for film in films)
    names = [
        name if stems[film.stem.casefold()] == 1 else f"{film.name}{ending}"
        for film, name, ending in zip(films, plain, endings)
    ]
    seen: Counter[str] = Counter()
    out = []
    for name in names:  # films of one name from two folders
        seen[name.casefold()] += 1
        number = seen[name.casefold()]
        out.append(folder / (name if number == 1 else f"{Path(name).stem} ({number}){Path(name).suffix}"))
    return out
