"""What is checked before the tests: format, lint, types, and which room imports which. The checks run side by side."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import PACK, environment
from .console import Problem, duration, say

CHECKS = {
    "lint": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "types": ["-m", "mypy"],
    "imports": ["-c", "from importlinter.cli import lint_imports_command as main; main()"],
}
"""What a Python with MODULES is called with, in the repository."""
MODULES = ["ruff", "mypy", "importlinter"]


def check(names: Sequence[str] = ()) -> int:
    """Run these checks, or all of them; 1 where one of them fails. Each says what is wrong."""
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        raise Problem(f"There is no check {unknown[0]}; there are {', '.join(CHECKS)}.", code=2)
    python = _python()
    with ThreadPoolExecutor(len(CHECKS)) as side_by_side:
        running = {name: side_by_side.submit(_run, python, name) for name in names or CHECKS}
        failed = []
        for name, one in running.items():
            code, said, seconds = one.result()
            print(said, end="", flush=True)
            say(f"{name}: {'failed' if code else 'passed'} ({duration(seconds)})")
            failed += [name] if code else []
    if failed:
        say(f"Failed: {', '.join(failed)}. `ruff check --fix` and `ruff format` mend much of lint and format.")
    return 1 if failed else 0


def _run(python: Path, name: str) -> tuple[int, str, float]:
    """A check's exit code, what it said, and its seconds."""
    began = time.monotonic()
    # what mypy knows of the environment, and of files that are the same in another clone, it finds out once
    kept = {"MYPY_CACHE_DIR": str(environment.cache_folder() / "mypy")}
    # lint-imports looks for the package where it is started
    variables = {**kept, **os.environ, "PYTHONPATH": str(PACK)}
    command = [str(python), *CHECKS[name]]
    done = subprocess.run(
        command, cwd=PACK, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    return done.returncode, done.stdout, time.monotonic() - began


def _python() -> Path:
    """This Python where it has the tools, else the tests'."""
    if environment.has_modules(Path(sys.executable), MODULES):
        return Path(sys.executable)
    python = environment.python_for(environment.ready_tree(), test=True)
    if not environment.has_modules(python, MODULES):
        raise Problem(
            f"{python} has no {', '.join(MODULES)}. Install them: {python} -m pip install -r requirements/test.txt"
        )
    return python
