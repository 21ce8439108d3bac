"""A part that is tests of the project, run on the device: a row for each, with the differences that it saw."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from .part import Run

TESTS = Path(__file__).parents[3] / "tests"
DEVICE = "CLEAR_TEST_DEVICE"
"""The environment's name for the device that the tests in tests/gpu run on."""


class Recorder:
    """A pytest plugin: a row for each test as soon as it is over."""

    def __init__(self, run: Run):
        self.run = run

    def pytest_runtest_logreport(self, report) -> None:
        if report.when != "call" and not (report.when == "setup" and report.outcome != "passed"):
            return
        row = {"outcome": report.outcome, "seconds": round(report.duration, 2), **dict(report.user_properties)}
        if not report.passed:
            row["message"] = str(report.longrepr).strip().splitlines()[-1][:300]
        self.run.results.add(report.nodeid.rpartition("/")[2], row)


def run_tests(run: Run, paths: Sequence[str], *words: str) -> None:
    """Run those of tests/ on the run's device, in their order, and end this process with pytest's exit code."""
    import pytest  # the tests' own, not the runtime's

    os.environ[DEVICE] = str(run.device)
    files = [str(TESTS / path) for path in paths]
    raise SystemExit(int(pytest.main(["-q", "-p", "no:cacheprovider", *words, *files], plugins=[Recorder(run)])))
