"""Where the results of a demo go: beside those of others, under names that fit, and never lost at the end."""

import hashlib
import json
import os
import shutil
from pathlib import Path

from . import PACK_NAME
from .console import Problem

LONGEST = 200
"""Bytes of a name before its ending: file systems take 255 in all."""


def name_for(source: Path) -> str:
    """What the results of a file are called: its name without the ending, or the begin of a long one and a number that
    tells it from others of the same begin."""
    stem = os.fsencode(source.stem)
    if len(stem) <= LONGEST:
        return stem.decode(errors="replace")
    number = hashlib.sha256(stem).hexdigest()[:8]
    return f"{stem[: LONGEST - 9].decode(errors='ignore')}_{number}"


def keep_results(source: Path, out: Path, made: dict[str, Path], report: dict) -> Path:
    """Copy results to NAME_*, by the ends of their names; a name that holds somebody else's file, or another video's
    results, gets a number. Returns the report's path. Raises Problem where the folder does not take them; `made` stays
    where it is then."""
    stem, number, of = name_for(source), 1, _identity(source)
    while True:
        name = stem if number == 1 else f"{stem}_{number}"
        targets = {end: out / f"{name}_{end}" for end in made}
        report_path = out / f"{name}_report.json"
        if all(is_ours(path, report_path, of) for path in (*targets.values(), report_path)):
            break
        number += 1
    report = {
        "made_by": PACK_NAME,
        "of": of,
        "files": {targets[end].name: _sha256(made[end]) for end in made},
        **report,
    }
    parts = {end: path.with_name(f".{path.name}.part") for end, path in targets.items()}
    report_part = report_path.with_name(f".{report_path.name}.part")
    try:
        for end in made:
            shutil.copyfile(made[end], parts[end])
        report_part.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        for end in made:
            os.replace(parts[end], targets[end])
        os.replace(report_part, report_path)
    except OSError as error:
        raise Problem(
            f"The results cannot be saved in {out} ({error.strerror}). Free some space, or name another folder with "
            f"--out."
        ) from error
    finally:
        for part in (*parts.values(), report_part):
            part.unlink(missing_ok=True)
    return report_path


def _identity(source: Path) -> str:
    """What tells a video from others: its place, size and time. Another film under the same name is another one."""
    facts = source.stat()
    return hashlib.sha256(b"%s|%d|%d" % (os.fsencode(source.resolve()), facts.st_size, facts.st_mtime_ns)).hexdigest()[
        :16
    ]


def is_ours(path: Path, report: Path, of: str) -> bool:
    """Whether a name is free, or holds what a run of the same video left there and nobody has changed since."""
    if not path.exists():
        return True
    try:
        told = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(told, dict) or told.get("made_by") != PACK_NAME or told.get("of") != of:
        return False
    return path == report or told.get("files", {}).get(path.name) == _sha256(path)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
