"""The command remove: a file in, a file without its subtitles out, and nothing of ComfyUI."""

import json
import sys
from fractions import Fraction

import pytest
import torch
from paths import ROOT

from clear_runtime.cli import bench, remove, train_nano
from clear_runtime.cli import main as command_line
from clear_runtime.media.video import read_facts, read_timed_frames
from clear_runtime.media.writer import VideoWriter

DEMO = ROOT / "assets" / "demo" / "bunny_subtitled.mp4"
UNEVEN = [Fraction(n, 25) for n in (0, 1, 2, 5, 6, 7, 8, 11, 12)]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Nine frames of 128x96 around the subtitle, at times that are not even, with sound."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    frames = [frame for _, frame in read_timed_frames(DEMO)][10:19]
    with VideoWriter(path, 128, 96, 25, crf=4, audio=(torch.zeros(2, 24000), 48000)) as writer:
        for when, frame in zip(UNEVEN, frames):
            writer.write(frame[256:352, 190:318], when)
    return path


def run(film, out, *more):
    command_line.main(["remove", str(film), "-o", str(out), "--device", "cpu", *more])


@pytest.mark.parametrize("engine", ["fill", "nano"])
def test_a_file_without_its_subtitles(film, tmp_path, engine, caplog):
    if engine == "nano":
        pytest.importorskip("diffsynth"), pytest.importorskip("peft")
    caplog.set_level("INFO")
    run(film, tmp_path / "clean.mp4", "--engine", engine, "--report", "--no-subtitles-only")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean.mp4", "clean_report.json"]
    before, after = list(read_timed_frames(film)), list(read_timed_frames(tmp_path / "clean.mp4"))
    assert [when for when, _ in after] == UNEVEN
    assert read_facts(tmp_path / "clean.mp4").audio == read_facts(film).audio is not None
    difference = (torch.stack([f for _, f in before]) - torch.stack([f for _, f in after])).abs().amax((0, 3))
    assert difference.max() > 0.3 and difference[:10].mean() < 0.03, "the letters go, and what is far from them stays"
    report = json.loads((tmp_path / "clean_report.json").read_text(encoding="utf-8"))
    assert (report["engine"], report["frames"], report["width"], report["height"]) == (engine, 9, 128, 96)
    assert report["changed"] == 9 and report["options"]["marking"]["subtitles_only"] is False
    assert report["options"]["engine"]["steps"] == (1 if engine == "nano" else 5)
    assert f"engine: {engine}" in caplog.text


def test_without_its_packages_nano_is_left_and_that_is_said(film, tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr(remove, "missing_packages", lambda: ["diffsynth"])
    run(film, tmp_path / "clean.mp4")
    assert "engine: fill (nano needs diffsynth)" in caplog.text


def test_nano_that_is_asked_for_and_cannot_run_offers_the_fill(film, tmp_path, monkeypatch):
    monkeypatch.setattr("clear_runtime.engines.bundled.missing_packages", lambda: ["diffsynth", "peft"])
    with pytest.raises(SystemExit, match="error: The nano engine needs diffsynth and peft.*use the engine fill"):
        run(film, tmp_path / "clean.mp4", "--engine", "nano")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "there, words, more",
    [
        ("clean.mp4", "clean.mp4 exists already", ()),
        ("clean_report.json", "clean_report.json exists already", ("--report",)),
    ],
)
def test_nothing_is_overwritten(film, tmp_path, monkeypatch, there, words, more):
    (tmp_path / there).write_text("mine")
    monkeypatch.setattr(remove, "load_prior", lambda *_: pytest.fail("work began"))
    with pytest.raises(SystemExit, match=words):
        run(film, tmp_path / "clean.mp4", "--engine", "fill", *more)
    assert (tmp_path / there).read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "out, words",
    [
        ("clean.avi", "has to end in .mp4, .mov or .mkv"),
        ("gone/clean.mp4", "There is no folder"),
        ("x" * 300 + ".mp4", "Choose a shorter name"),
    ],
)
def test_outputs_that_cannot_be_are_refused(film, tmp_path, out, words):
    with pytest.raises(SystemExit, match=words):
        run(film, tmp_path / out, "--engine", "fill")


def test_a_stop_leaves_nothing(film, tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(VideoWriter, "write", stopped)
    with pytest.raises(SystemExit, match="stopped; nothing was written"):
        run(film, tmp_path / "clean.mp4", "--engine", "fill")
    assert not list(tmp_path.iterdir())


def test_a_source_that_is_none_is_said(tmp_path):
    with pytest.raises(SystemExit, match="error: gone.mp4: there is no such file"):
        run(tmp_path / "gone.mp4", tmp_path / "clean.mp4", "--engine", "fill")


def test_no_comfyui_is_needed(film, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "comfy", None)
    monkeypatch.setitem(sys.modules, "comfy_api", None)
    run(film, tmp_path / "clean.mp4", "--engine", "fill")
    assert (tmp_path / "clean.mp4").exists()


@pytest.mark.parametrize(
    "words",
    [
        *([name] for name in command_line.COMMANDS),
        *(["bench", name] for name in bench.COMMANDS),
        *(["train-nano", name] for name in train_nano.COMMANDS),
    ],
    ids=" ".join,
)
def test_every_command_says_what_it_does(words, capsys):
    with pytest.raises(SystemExit) as ended:
        command_line.main([*words, "--help"])
    assert "python -m clear_runtime" in capsys.readouterr().out + str(ended.value)
