"""What a run depends on: if any of it has changed, what an earlier run has finished is no part of this one."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ..errors import ClearError

BLOCK, BLOCKS = 64 * 1024, 64
"""Bytes of a block, and how many blocks of a file are read: a film is not read as a whole to be known again."""


def file_identity(path: Path) -> dict[str, Any]:
    """Name, size and a digest of 64 blocks from its beginning to its end. Raises ClearError for a file that cannot be
    read."""
    digest = hashlib.sha256()
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            for n in range(BLOCKS):
                file.seek(max(0, size - BLOCK) * n // (BLOCKS - 1))
                digest.update(file.read(BLOCK))
    except OSError as error:
        raise ClearError(f"{path} cannot be read ({error.strerror or error}). Check the name.") from error
    return {"name": path.name, "bytes": size, "digest": digest.hexdigest()}


def same_file(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two identities are of one content, whatever its name."""
    return all(one.get(key) == other.get(key) for key in ("bytes", "digest"))


def mask_identity(mask: Tensor | None) -> str | None:
    if mask is None:
        return None
    content = mask.detach().cpu().contiguous()
    return hashlib.sha256(str(tuple(content.shape)).encode() + content.numpy().tobytes()).hexdigest()


def what_differs(before: Mapping[str, Any], now: Mapping[str, Any], under: str = "") -> list[str]:
    """The names of what is not the same in two nested mappings of JSON's own types."""
    found = []
    for key in sorted(before.keys() | now.keys()):
        one, other, name = before.get(key), now.get(key), f"{under}{key}"
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            found += what_differs(one, other, f"{name} ")
        elif one != other:
            found.append(name)
    return found


def plain(value: Any) -> Any:
    """As JSON gives it back."""
    return json.loads(json.dumps(value))


def file_digest(path: str | os.PathLike) -> str:
    """Of the whole content. Raises OSError."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(file)


def _digest(file) -> str:
    digest = hashlib.sha256()
    while block := file.read(2**20):
        digest.update(block)
    return digest.hexdigest()
