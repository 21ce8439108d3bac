"""The bench for the minutes with a GPU, rehearsed on the CPU with tiny shapes: parts, limits, files and figures."""

import json
import os
import sys
from importlib import import_module

import pytest

from clear_runtime.bench.gpu import plan, process, runner
from clear_runtime.bench.report import tables
from clear_runtime.cli.main import main
from clear_runtime.errors import ClearError


@pytest.fixture
def one_process(monkeypatch):
    """The parts run here, where the packages are loaded: a process of its own would load them for seconds."""

    def run(command, limit, log, name, *more):
        python, option, module, *arguments = command
        assert (python, option) == (sys.executable, "-m")
        monkeypatch.setattr(sys, "argv", [module, *arguments])
        import_module(module).main()
        return "done", 0.0

    monkeypatch.setattr(runner, "run", run)


@pytest.mark.slow
def test_a_rehearsal_leaves_figures_of_each_part(tmp_path, one_process):
    (tmp_path / "data" / "wheels").mkdir(parents=True)
    words = (
        f"bench gpu --device cpu --tiny --minutes 5 --only fast trainable --data {tmp_path}/data --out {tmp_path}/out"
    )
    main(words.split())
    found = json.loads((tmp_path / "out" / "gpu.json").read_text())
    assert {name: part["state"] for name, part in found["parts"].items()} == {"fast": "done", "trainable": "done"}
    assert found["tiny"] and found["device"] == "cpu"
    fast = found["parts"]["fast"]["results"]
    assert {"peak", "attention", "kernels"} < set(fast) and any(name.startswith("ours") for name in fast)
    assert any("seconds_a_step" in row for row in found["parts"]["trainable"]["results"].values())
    text = tables(found)
    assert "### Fast" in text and "### Trainable" in text


@pytest.mark.parametrize(
    "code, limit, state",
    [("print('a word')", 600, "done"), ("print('a word'); 1 / 0", 600, "failed"), ("while True: pass", 0, "stopped")],
)
def test_a_part_s_process_ends_in_its_time_and_leaves_its_words(tmp_path, code, limit, state):
    log = tmp_path / "gpu.log"
    command = [sys.executable, "-I", "-S", "-c", code]
    assert process.run(command, limit, log, "fast", dict(os.environ), tmp_path)[0] == state
    assert state == "stopped" or "[fast] a word\n" in log.read_text()


def test_limits_leave_the_trainings_their_share():
    parts = plan.parts()
    for minutes in (3, 10):
        limits = plan.limits(parts, 60 * minutes)
        assert list(limits) == [part.name for part in parts] and sum(limits.values()) <= 60 * minutes + 1e-6
        assert limits["better"] >= 60 * plan.FOR_THE_LAST * minutes - 1e-6
    with pytest.raises(ClearError, match="no part slow"):
        plan.parts(["slow"])
