"""`run.py check`: which checks run, and what their end means."""

import subprocess
import sys

import pytest
from paths import ROOT

from launch import check
from launch.console import Problem


@pytest.fixture
def calls(monkeypatch):
    """Two checks of a Python of its own: the second fails."""
    monkeypatch.setattr(check, "_python", lambda: sys.executable)
    monkeypatch.setattr(check, "CHECKS", {"good": ["-c", "pass"], "bad": ["-c", "raise SystemExit(3)"]})


def test_one_check_that_fails_fails_them_all_and_every_one_is_run(calls, capsys):
    assert check.check() == 1
    said = capsys.readouterr().out
    assert "good: passed" in said and "bad: failed" in said and "Failed: bad" in said


def test_single_checks_can_be_named(calls, capsys):
    assert check.check(["good"]) == 0
    assert "bad" not in capsys.readouterr().out
    with pytest.raises(Problem, match="There is no check ugly; there are good, bad"):
        check.check(["ugly"])


def test_the_commit_hooks_run_the_same_checks():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert all(f"python run.py check {name}\n" in hooks for name in check.CHECKS)


def test_the_command_line_names_the_checks():
    shown = subprocess.run([sys.executable, "run.py", "check", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert shown.returncode == 0 and ", ".join(check.CHECKS) in " ".join(shown.stdout.split())
