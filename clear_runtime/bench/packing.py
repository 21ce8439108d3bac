"""A small copy of the training pictures and fonts: pictures at most 640 pixels long, fonts and sprites while there is
room."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from ..data.synthetic import sources
from ..errors import ClearError

LICENCES = "LICENCES.txt"
LONG_SIDE, QUALITY = 640, 88  # pixels, of JPEG


def pack(folder: Path, out: Path, megabytes: float) -> int:
    """Write the copy, in the folder's own layout, and give its size in bytes. A folder that is a packed copy already,
    as its LICENCES.txt tells, is taken as it is. Raises ClearError where `megabytes` are not enough."""
    room = int(megabytes * 1e6)
    if (folder / LICENCES).is_file():
        shutil.copytree(folder, out)
        return _require(_size(out), room, folder)
    used = 0
    for path, data in _files(folder):
        if used + len(data) > room:
            break
        target = out / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        used += len(data)
    known = {**sources.PICTURES, **sources.SPRITES}
    lines = [f"{name}: {known.get(name, ('see its statement in usr/share/doc',))[0]}" for name in sources.packages()]
    (out / LICENCES).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return _size(out)


def _files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """What is packed, the most needed first: statements, pictures, a face for each script in turn, sprites."""
    for name in sources.packages():
        stated = folder / name / "usr/share/doc" / name / "copyright"
        if stated.is_file():
            yield stated, stated.read_bytes()
    for held_back in (False, True):
        for path in sources.pictures(folder, held_back):
            yield path.with_suffix(".jpg"), _picture(path)
    lists = [sources.fonts(folder, script, split) for script in sources.FONTS for split in (False, True)]
    by_size = [sorted(paths, key=lambda path: path.stat().st_size) for paths in lists]
    seen: set[Path] = set()
    for n in range(3):
        for paths in by_size:
            if n < len(paths) and paths[n] not in seen:
                seen.add(paths[n])
                yield paths[n], paths[n].read_bytes()
    for held_back in (True, False):
        for path in sources.sprites(folder, held_back):
            yield path, path.read_bytes()


def _picture(path: Path) -> bytes:
    picture = Image.open(path).convert("RGB")
    picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "jpeg", quality=QUALITY, optimize=True)
    return buffer.getvalue()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _require(size: int, room: int, folder: Path) -> int:
    if size > room:
        raise ClearError(f"{folder} takes {size / 1e6:.1f} MB. Allow more --megabytes, or pack it anew, smaller.")
    return size
