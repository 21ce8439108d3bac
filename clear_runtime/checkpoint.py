"""A checkpoint's tensors: read from disk without ever running code that a file carries, written whole, and told from
others."""

import hashlib
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from .atomic import WholeFile
from .errors import ClearError

_TORCH_MAGIC = (b"PK", b"\x80")
"""How torch.save's files begin: its zip container, and the bare pickle it wrote before."""


def read_tensors(path: str | Path) -> Mapping:
    """What a `.safetensors` or torch file holds, as a mapping on the CPU (not yet unwrapped).

    The format is told by the content and not by the name. Raises ClearError for a file that is missing, cut off, not a
    checkpoint, or a pickle that would run code.
    """
    path = _existing(path)
    content = _read_torch(path) if _is_torch(path) else _read_safetensors(path)
    if not isinstance(content, Mapping):
        raise ClearError(
            f"{path.name} holds a {type(content).__name__} where a checkpoint holds named tensors. Choose the file "
            f"that holds the weights themselves."
        )
    return content


def read_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """Tensor names and shapes of a checkpoint; of a `.safetensors` only the header is read. Raises ClearError as
    read_tensors does."""
    path = _existing(path)
    if _is_torch(path):
        return {
            str(name): tuple(value.shape) for name, value in read_tensors(path).items() if isinstance(value, Tensor)
        }
    try:
        with safe_open(str(path), "pt") as file:
            names = file.keys()  # the file itself cannot be iterated over
            return {name: tuple(file.get_slice(name).get_shape()) for name in names}
    except SafetensorError as error:
        raise _incomplete(path, error) from error


def read_metadata(path: str | Path) -> dict[str, str]:
    """The words in a `.safetensors` file's header; none for a file of any other kind. Raises ClearError where there is
    no file."""
    try:
        with safe_open(str(_existing(path)), "pt") as file:
            return file.metadata() or {}
    except SafetensorError:
        return {}


def write_tensors(path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write a `.safetensors` file that appears under its name only when it is complete. Raises ClearError when the disk
    does not take it."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with WholeFile(path) as part:
            mode = part.stat().st_mode  # safetensors makes files that only their owner may read
            save_file(
                {name: value.detach().cpu().contiguous() for name, value in tensors.items()},
                str(part),
                metadata=dict(metadata or {}),
            )
            part.chmod(mode)
    except (OSError, SafetensorError) as error:
        raise ClearError(
            f"{path.name} could not be written into {path.parent}: {error}. Free some space there, or see whether the "
            f"folder may be written to."
        ) from error


def fingerprint(state: Mapping[str, Tensor]) -> str:
    """A network's weights in 16 letters: names, shapes, and a few values of each tensor."""
    digest = hashlib.sha256()
    for name in sorted(state):
        flat = state[name].detach().flatten()
        values = flat[:: max(1, len(flat) // 16)][:32].float().cpu()
        digest.update(f"{name} {tuple(state[name].shape)} {values.tolist()}".encode())
    return digest.hexdigest()[:16]


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise ClearError(
            f"There is no file {path.name} in {path.absolute().parent}. Put it there, or choose another one."
        )
    return path


def _is_torch(path: Path) -> bool:
    with path.open("rb") as file:
        begin = file.read(9)
    # a safetensors file begins with the length of its header in eight bytes, the first of which may well be a pickle's
    return begin.startswith(_TORCH_MAGIC) and begin[8:] != b"{"


def _incomplete(path: Path, error: Exception) -> ClearError:
    with path.open("rb") as file:
        begin = file.read(200)
    if not begin:
        return ClearError(f"{path.name} is empty (0 bytes). Download it again.")
    if begin.startswith(b"version https://git-lfs"):
        return ClearError(
            f"{path.name} is not the file itself but a pointer to it ({path.stat().st_size} bytes), as a clone without "
            "Git LFS leaves it. Run `git lfs pull` there, or download the file by itself."
        )
    if begin.startswith(b"GGUF"):
        return ClearError(f"{path.name} is a GGUF file, which is not read here. Choose a .safetensors.")
    if "".join(begin.decode("utf-8", "replace").split()).isprintable():
        return ClearError(
            f"{path.name} is a text and no weights, such as the page of a site that wants you to sign in. Download it "
            "again, in a browser in which you are signed in."
        )
    return ClearError(
        f"{path.name} is not a complete .safetensors or torch file ({path.stat().st_size} bytes): {error}. Download it "
        f"again."
    )


def _read_torch(path: Path):
    damaged = (
        f"{path.name} is damaged or was not downloaded completely ({path.stat().st_size} bytes). Download it again."
    )
    with path.open("rb") as file:
        zipped = file.read(2) == b"PK"
    if zipped and not zipfile.is_zipfile(path):
        raise ClearError(damaged)
    if zipped:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        if not any(name.endswith("data.pkl") for name in names):
            raise ClearError(
                f"{path.name} is a zip archive with other files in it ({', '.join(names[:3])}). Unpack it, and choose "
                "the file inside."
            )
    try:
        # given a path, torch 2.14 takes one that ends in .safetensors for what it is named
        with path.open("rb") as file:
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ClearError(
            f"{path.name} was not loaded: it is a pickle that is damaged, or holds more than tensors and could run "
            "code on this machine. Ask its author for a .safetensors file."
        ) from error
    except (RuntimeError, EOFError) as error:
        raise ClearError(damaged) from error


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(str(path))
    except SafetensorError as error:
        raise _incomplete(path, error) from error
