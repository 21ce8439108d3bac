"""run.py itself, without ComfyUI: what it says, what it refuses, and the names of results."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from paths import ROOT

from launch import demo, server
from launch.console import Problem


def test_what_the_user_can_mend_is_shown_without_a_traceback(tmp_path):
    pack = f"{tmp_path}.custom_nodes.clear-subtitle-remover"
    failed = lambda kind: server.NodeFailed(
        {
            "exception_type": kind,
            "exception_message": "It says why. ",
            "traceback": ["  line 1\n"],
            "node_type": "Sample",
        }
    )
    for kind in ("errors.ClearError", "data.burn_layout.TooSmall"):
        told = failed(f"{pack}.clear_runtime.{kind}")
        assert str(told) == "It says why." and told.code == 2 and told.kind == kind.rsplit(".")[-1]
    bug = failed("ValueError")
    assert "line 1" in str(bug) and "Sample failed" in str(bug) and bug.code == 1


def test_every_exception_of_the_runtime_is_one_that_the_user_can_mend():
    classes = [
        match
        for path in (ROOT / "clear_runtime").rglob("*.py")
        for match in re.findall(r"^ *class (\w+)\((\w*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    inside = {"Stopped"}  # never leaves the trainer
    assert {name for name, base in classes if re.search("Error|Exception", base) and base != "ClearError"} - inside == {
        "ClearError"
    }


def results(folder):
    folder.mkdir(exist_ok=True)
    made = {end: folder / end for end in demo.ENDS}
    for end, path in made.items():
        path.write_text(f"new {end}")
    return made


def test_results_of_an_earlier_run_are_replaced_and_other_files_never(tmp_path):
    made, out = results(tmp_path / "made"), tmp_path / "out"
    out.mkdir()
    assert demo.keep_results("film", out, made, {"a": 1}).name == "film_report.json"
    assert demo.keep_results("film", out, made, {"a": 2}).name == "film_report.json"
    assert json.loads((out / "film_report.json").read_text())["a"] == 2
    (out / "film_clean.mp4").write_text("cut by hand")
    assert demo.keep_results("film", out, made, {"a": 3}).name == "film_2_report.json"
    assert (out / "film_clean.mp4").read_text() == "cut by hand"
    assert (out / "film_2_clean.mp4").read_text() == "new clean.mp4"
    (out / "other_report.json").write_text('["not a report of ours"]')
    assert demo.keep_results("other", out, made, {}).name == "other_2_report.json"
    assert not list(out.glob(".*"))


def test_a_result_that_cannot_be_saved_leaves_nothing(tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()

    def full(source, target):
        Path(target).write_text("half")
        raise OSError(28, "No space left on device")

    made = results(tmp_path / "made")
    monkeypatch.setattr(demo.shutil, "copyfile", full)
    with pytest.raises(Problem, match="No space left"):
        demo.keep_results("film", out, made, {})
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    "name, why", [("missing.mp4", "There is no file"), ("folder", "is a folder"), ("empty.mp4", "is empty")]
)
def test_bad_input_is_refused_at_once_without_a_traceback(tmp_path, name, why):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.mp4").touch()
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "demo", "--video", str(tmp_path / name), "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "CLEAR_CACHE": str(tmp_path / "cache")},
    )
    assert done.returncode == 2 and why in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "cache").exists() and not (tmp_path / "out").exists()


def test_an_output_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(Problem, match="--out") as refused:
        demo.refuse_early(demo.BUNDLED, tmp_path / "out")
    assert refused.value.code == 2


def test_run_py_and_its_parts_need_the_standard_library_alone():
    parts = [p for p in (ROOT / "launch").glob("*.py") if p.name != "measure.py"] + [ROOT / "run.py"]
    for part in parts:
        for module in re.findall(r"^\s*(?:import|from) ([A-Za-z_]\w*)", part.read_text(), re.M):
            assert module in sys.stdlib_module_names or module == "launch", f"{part.name} imports {module}"
