"""What is checked before the tests: format, lint, types, and which room imports which."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
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
    python, failed = _python(), []
    for name in names or CHECKS:
        began = time.monotonic()
        # lint-imports looks for the package where it is started
        done = subprocess.run([str(python), *CHECKS[name]], cwd=PACK, env={**os.environ, "PYTHONPATH": str(PACK)})
        say(f"{name}: {'failed' if done.returncode else 'passed'} ({duration(time.monotonic() - began)})")
        failed += [name] if done.returncode else []
    if failed:
        say(f"Failed: {', '.join(failed)}. `ruff check --fix` and `ruff format` mend much of lint and format.")
    return 1 if failed else 0


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
