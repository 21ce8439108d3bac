"""run.py itself, without ComfyUI: what it says, what it refuses, and the names of results."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from paths import ROOT

import run
from launch import results, server
from launch.console import Problem
from launch.refuse import BUNDLED, refuse_early


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


@pytest.mark.parametrize("cores, processes", [(1, None), (2, "2"), (64, "4")])
def test_the_whole_suite_runs_in_a_process_for_each_core_up_to_four(cores, processes):
    assert run.side_by_side(cores)[:2] == (["-n", processes] if processes else [])


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


def video(path, content="film"):
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    return path


def finished(folder, ends=("clean.mp4", "before_after.mp4", "before_after.png")):
    folder.mkdir(exist_ok=True)
    made = {end: folder / end for end in ends}
    for end, path in made.items():
        path.write_text(f"new {end}")
    return made


def test_results_of_an_earlier_run_are_replaced_and_other_files_never(tmp_path):
    made, out, film = finished(tmp_path / "made"), tmp_path / "out", video(tmp_path / "film.mp4")
    out.mkdir()
    keep = lambda source, **report: results.keep_results(source, out, made, report).name
    assert keep(film, a=1) == keep(film, a=2) == "film_report.json"
    assert json.loads((out / "film_report.json").read_text())["a"] == 2
    (out / "film_clean.mp4").write_text("cut by hand")
    assert keep(film, a=3) == "film_2_report.json"
    assert (out / "film_clean.mp4").read_text() == "cut by hand"
    assert (out / "film_2_clean.mp4").read_text() == "new clean.mp4"
    (out / "other_report.json").write_text('["not a report of ours"]')
    assert keep(video(tmp_path / "other.mp4")) == "other_2_report.json"
    assert not list(out.glob(".*"))


def test_two_videos_of_one_name_keep_both_results(tmp_path):
    made, out = finished(tmp_path / "made"), tmp_path / "out"
    out.mkdir()
    sources = [video(tmp_path / name) for name in ("a.mkv", "a.mp4", "elsewhere/a.mkv")]
    names = [results.keep_results(source, out, made, {"input": source.name}).name for source in sources]
    assert names == ["a_report.json", "a_2_report.json", "a_3_report.json"]
    assert results.keep_results(sources[1], out, made, {}).name == "a_2_report.json"
    video(sources[1], "another film under the same name")
    assert results.keep_results(sources[1], out, made, {}).name == "a_4_report.json"


def test_a_name_of_eighty_wide_letters_gets_results_that_a_disk_can_hold(tmp_path):
    made, out = finished(tmp_path / "made"), tmp_path / "out"
    out.mkdir()
    long = ["字幕" * 40, "字幕" * 40 + "二"]
    for stem in long:
        results.keep_results(video(tmp_path / f"{stem}.mp4"), out, made, {})
    kept = [path.name for path in out.iterdir()]
    assert len(kept) == 8 and all(name.startswith("字幕" * 20) and len(name.encode()) <= 240 for name in kept)
    assert results.name_for(Path("short.name.mp4")) == "short.name"


@pytest.mark.skipif(sys.platform != "linux", reason="names of other bytes are Linux's")
def test_a_name_that_is_no_unicode_gets_results(tmp_path):
    made, out = finished(tmp_path / "made"), tmp_path / "out"
    out.mkdir()
    results.keep_results(video(tmp_path / os.fsdecode(b"film\xff.mp4")), out, made, {})
    assert len(list(out.iterdir())) == 4


def test_results_that_cannot_be_saved_stay_where_they_are_and_leave_nothing_half(tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()

    def full(source, target):
        Path(target).write_text("half")
        raise OSError(28, "No space left on device")

    made = finished(tmp_path / "made")
    monkeypatch.setattr(results.shutil, "copyfile", full)
    with pytest.raises(Problem, match="No space left"):
        results.keep_results(video(tmp_path / "film.mp4"), out, made, {})
    assert not list(out.iterdir())
    assert all(path.read_text() == f"new {end}" for end, path in made.items())


def test_a_name_that_no_file_can_have_is_refused_in_words(tmp_path):
    with pytest.raises(Problem, match="too long"):
        refuse_early(tmp_path / ("x" * 300 + ".mp4"), tmp_path / "out")


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
        refuse_early(BUNDLED, tmp_path / "out")
    assert refused.value.code == 2


def test_what_comes_before_the_environment_needs_the_standard_library_alone():
    parts, seen = [ROOT / "run.py", ROOT / "launch" / "tied.py"], []
    while parts:
        seen.append(part := parts.pop())
        for line in re.findall(r"^\s*(?:from|import) .*", part.read_text(encoding="utf-8"), re.M):
            module, names = re.match(r"\s*(?:from|import) (\S+)(?: import (.*))?", line).groups()
            if module.split(".")[0] not in ("", "launch"):
                assert module.split(".")[0] in sys.stdlib_module_names, f"{part.name}: {line}"
                continue
            inside = [module.split(".")[-1], *re.split(r", *", names or "")]
            files = [ROOT / "launch" / f"{name}.py" for name in inside]
            parts += [file for file in files if file.is_file() and file not in seen]
    assert {"environment.py", "console.py", "check.py", "refuse.py"} <= {part.name for part in seen}
    assert "demo.py" not in {part.name for part in seen}
