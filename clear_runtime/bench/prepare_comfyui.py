"""A ComfyUI in one file, with the packages that a machine with torch and transformers still lacks for it."""

from __future__ import annotations

import io
import re
import tarfile
import tempfile
import zipfile
from pathlib import Path

from .gpu.site import SITE, TREE
from .wheels import fetch

PACKAGES = ("av==18.1.0", "torchsde==0.2.6", "trampoline==0.1.2")
"""PyAV's wheel holds its libraries, for any Python from 3.11; the others are Python alone. Without kornia, spandrel and
SQLAlchemy a ComfyUI goes without the nodes and the database that need them."""
PLATFORM = "manylinux_2_28_x86_64"
OF_THE_USER = ("custom_nodes", "input", "models", "output", "temp", "user")
"""Folders of the tree that a server looks for: they are there, empty."""
LEFT_OUT = {*OF_THE_USER, ".git", "script_examples", "tests", "tests-unit"}
OTHERS = re.compile(r"text_encoders/(llama|qwen25|t5_pile|byt5|hydit_clip|ace_lyrics)_tokenizer/")
"""Vocabularies of models that are not Wan: half of all that is left."""
FRONTEND = "comfyui-frontend-package"


def pack_comfyui(tree: Path, archive: Path) -> list[dict]:
    """Write the archive; returns what `fetch` says of the packages in it. Raises ClearError where they cannot be
    had."""
    with tempfile.TemporaryDirectory() as work, tarfile.open(archive, "w:xz") as content:
        packages = fetch(PACKAGES, Path(work), PLATFORM)
        for package in packages:
            _add_wheel(content, Path(work) / package["file"])
        for path in filter(Path.is_file, sorted(tree.rglob("*"))):
            parts = path.relative_to(tree).parts
            name = "/".join(parts)
            if parts[0] not in LEFT_OUT and "__pycache__" not in parts and not OTHERS.search(name):
                content.add(path, f"{TREE}/{name}")
        for name in OF_THE_USER:
            folder = tarfile.TarInfo(f"{TREE}/{name}")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            content.addfile(folder)
        _add_frontend(content, tree / "requirements.txt")
    return packages


def _add_wheel(content: tarfile.TarFile, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        for info in packed.infolist():
            if not info.is_dir():
                _add(content, f"{SITE}/{info.filename}", packed.read(info))


def _add_frontend(content: tarfile.TarFile, requirements: Path) -> None:
    """A page of nothing: the server does not start without one, and no test with a device looks at it."""
    stated = re.search(rf"^{FRONTEND}==(\S+)", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    version, package = stated[1] if stated else "0", FRONTEND.replace("-", "_")
    _add(content, f"{SITE}/{package}/__init__.py", b"")
    _add(content, f"{SITE}/{package}/static/index.html", b"<!doctype html>\n")
    about = f"Metadata-Version: 2.1\nName: {FRONTEND}\nVersion: {version}\n"
    _add(content, f"{SITE}/{package}-{version}.dist-info/METADATA", about.encode())


def _add(content: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    content.addfile(info, io.BytesIO(data))
