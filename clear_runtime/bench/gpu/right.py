"""Right: the tests marked gpu, on the device; a row for each, with the differences that it saw."""

from __future__ import annotations

import os
from pathlib import Path

from .part import Run, begin

TESTS = Path(__file__).parents[3] / "tests" / "gpu"
DEVICE = "CLEAR_TEST_DEVICE"
"""The environment's name for the device that the tests in TESTS run on."""


class Recorder:
    """A pytest plugin: a row for each test as soon as it is over."""

    def __init__(self, run: Run):
        self.run = run

    def pytest_runtest_logreport(self, report) -> None:
        if report.when != "call" and not (report.when == "setup" and report.outcome != "passed"):
            return
        row = {"outcome": report.outcome, "seconds": round(report.duration, 2), **dict(report.user_properties)}
        if report.failed:
            row["message"] = str(report.longrepr).strip().splitlines()[-1][:300]
        self.run.results.add(report.nodeid.rpartition("/")[2], row)


def main() -> None:
    import pytest  # the tests' own, not the runtime's

    run = begin()
    os.environ[DEVICE] = str(run.device)
    tests = TESTS / "test_pixels.py" if run.tiny else TESTS
    code = pytest.main(["-m", "gpu", "-q", "-p", "no:cacheprovider", str(tests)], plugins=[Recorder(run)])
    raise SystemExit(int(code))


if __name__ == "__main__":
    main()
