"""The command remove: a file in, a file without its subtitles out, and nothing of ComfyUI."""

import json
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from paths import ROOT
from PIL import Image
from tiny_film import Grey, white

from clear_runtime.cli import bench, remove, train_nano
from clear_runtime.cli import main as command_line
from clear_runtime.engines import bundled
from clear_runtime.film import run as film_run
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


def run(film, out, *more, second_look=False):
    """A second look takes as long as the first, and is asked for where the picture is the question."""
    words = ["remove", str(film), "-o", str(out), "--device", "cpu", *map(str, more)]
    command_line.main(words if second_look else [*words, "--no-second-look"])


@pytest.fixture
def grey(monkeypatch):
    """The engine `fill` paints one grey, where anything is bright: the question is what becomes of files."""
    monkeypatch.setattr(bundled, "PlainFill", Grey)
    monkeypatch.setattr(remove, "load_prior", lambda *_: white)


@pytest.mark.parametrize("engine", ["fill", "nano"])
def test_a_file_without_its_subtitles(film, tmp_path, engine, caplog):
    if engine == "nano":
        pytest.importorskip("diffsynth"), pytest.importorskip("peft")
    caplog.set_level("INFO")
    run(film, tmp_path / "clean.mp4", "--engine", engine, "--report", "--no-subtitles-only", second_look=True)
    names = ["clean.mp4", "clean_plan.json", "clean_plan.marks", "clean_report.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    before, after = list(read_timed_frames(film)), list(read_timed_frames(tmp_path / "clean.mp4"))
    assert [when for when, _ in after] == UNEVEN
    assert read_facts(tmp_path / "clean.mp4").audio == read_facts(film).audio is not None
    difference = (torch.stack([f for _, f in before]) - torch.stack([f for _, f in after])).abs().amax((0, 3))
    assert difference.max() > 0.3 and difference[:10].mean() < 0.03, "the letters go, and what is far from them stays"
    report = json.loads((tmp_path / "clean_report.json").read_text(encoding="utf-8"))
    assert (report["engine"], report["frames"], report["width"], report["height"]) == (engine, 9, 128, 96)
    assert report["changed"] == 9 and report["options"]["remove"]["marking"]["subtitles_only"] is False
    assert report["options"]["remove"]["engine"]["steps"] == (1 if engine == "nano" else 5)
    assert f"engine: {engine}" in caplog.text


@pytest.mark.parametrize("command", ["remove", "mask"])
@pytest.mark.parametrize("device", [f"cuda:{torch.cuda.device_count()}", "meta"])
def test_a_device_on_which_nothing_can_be_computed_is_refused_at_once(film, tmp_path, capsys, command, device):
    with pytest.raises(SystemExit):
        command_line.main([command, str(film), "--out", str(tmp_path / "out.mp4"), "--device", device])
    said = capsys.readouterr().err
    assert f"There is no device {device} here" in said and "--device cpu" in said and "Traceback" not in said
    assert not list(tmp_path.iterdir())


def test_a_mask_that_the_engine_cannot_make_is_refused_before_the_film_is_looked_at(film, tmp_path, monkeypatch):
    from clear_runtime.film import run as films

    monkeypatch.setattr(films, "look", lambda *_: pytest.fail("looked at"))
    monkeypatch.setattr(films, "opened", lambda *_: pytest.fail("begun"))
    for more in ((), ("--plan",)):
        with pytest.raises(SystemExit, match="cannot say what it changed"):
            run(film, tmp_path / "clean.mp4", "--engine", "fill", "--mask-from", "both", *more)
    assert not list(tmp_path.iterdir())


def test_a_video_of_what_was_replaced(film, grey, tmp_path, caplog):
    caplog.set_level("INFO")
    target, mask = tmp_path / "clean.mp4", tmp_path / "where.mkv"
    with pytest.raises(SystemExit, match="would be one file"):
        run(film, target, "--engine", "fill", "--mask", target)
    run(film, target, "--engine", "fill", "--no-subtitles-only", "--mask", mask)
    times, masks = zip(*read_timed_frames(mask))
    assert len(times) == len(UNEVEN) and torch.stack(masks).amax((1, 2, 3)).min() > 0.9
    assert f"what was replaced is in {mask}" in caplog.text


def test_pictures_say_where_something_goes_and_where_nothing_may(film, tmp_path):
    drawn = np.zeros((96, 128), np.uint8)
    drawn[8:24, 20:60] = 255
    Image.fromarray(drawn).save(tmp_path / "goes.png")
    Image.fromarray(255 - drawn).save(tmp_path / "stays.png")
    only = ("--engine", "fill", "--subtitle", tmp_path / "goes.png", "--subtitle-use", "only", "--report")
    run(film, tmp_path / "a.mp4", *only)
    before = torch.stack([frame for _, frame in read_timed_frames(film)])
    after = torch.stack([frame for _, frame in read_timed_frames(tmp_path / "a.mp4")])
    changed = (after - before).abs().amax((0, 3))
    assert changed[10:22, 24:56].mean() > 0.02 and changed[40:].mean() < 0.02
    run(film, tmp_path / "b.mp4", "--engine", "fill", "--protect", tmp_path / "stays.png", "--no-subtitles-only")
    after = torch.stack([frame for _, frame in read_timed_frames(tmp_path / "b.mp4")])
    assert (after - before).abs().amax((0, 3))[40:].mean() < 0.02, "the letters stay"


def test_a_picture_that_is_none_or_does_not_fit_is_said(film, tmp_path):
    Image.new("L", (64, 48)).save(tmp_path / "small.png")
    (tmp_path / "text.png").write_text("no picture")
    for name, words in (("small.png", "64x48"), ("text.png", "cannot be read as a picture")):
        with pytest.raises(SystemExit, match=words):
            run(film, tmp_path / "clean.mp4", "--engine", "fill", "--protect", tmp_path / name)


def test_without_its_packages_nano_is_left_and_that_is_said(film, grey, tmp_path, monkeypatch, caplog):
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
        ("clean.avi", "has to end in .mp4, .mov, .mkv or .webm"),
        ("gone/clean.mp4", "There is no folder"),
        ("x" * 300 + ".mp4", "Choose a shorter name"),
    ],
)
def test_outputs_that_cannot_be_are_refused(film, tmp_path, out, words):
    with pytest.raises(SystemExit, match=words):
        run(film, tmp_path / out, "--engine", "fill")


@pytest.mark.parametrize("told, looks", [("--resume", 0), ("--no-resume", 1)])
def test_after_a_stop_the_same_command_goes_on_or_begins_anew(film, grey, tmp_path, monkeypatch, told, looks):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(VideoWriter, "write", stopped)
        with pytest.raises(SystemExit, match="the same command goes on from there"):
            run(film, tmp_path / "clean.mp4", "--engine", "fill")
    assert [path.name for path in tmp_path.iterdir()] == ["clean.mp4.unfinished"]
    looked, look = [], film_run.look
    monkeypatch.setattr(film_run, "look", lambda *given: looked.append(1) or look(*given))
    run(film, tmp_path / "clean.mp4", "--engine", "fill", told)
    names = ["clean.mp4", "clean_plan.json", "clean_plan.marks"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names and len(looked) == looks


def test_a_source_that_is_none_is_said(tmp_path):
    with pytest.raises(SystemExit, match="error: gone.mp4: there is no such file"):
        run(tmp_path / "gone.mp4", tmp_path / "clean.mp4", "--engine", "fill")


def test_films_of_a_folder_each_keep_their_name_and_one_that_fails_stops_no_other(film, grey, tmp_path, caplog):
    films, out = tmp_path / "films", tmp_path / "out"
    films.mkdir()
    for name in ("a.mkv", "a.mp4", "b.mp4"):
        (films / name).write_bytes(film.read_bytes())
    (films / "b.mp4").write_bytes(b"no film")
    (films / "notes.txt").write_text("no film either")
    caplog.set_level("INFO")
    for _ in range(2):
        with pytest.raises(SystemExit, match="1 of 3 could not be cleaned: b.mp4"):
            run(films, out, "--engine", "fill")
        made = sorted(path.name for path in out.iterdir() if path.suffix != ".marks" and "_plan" not in path.name)
        assert made == ["a.mkv.mkv", "a.mp4.mp4"]
    assert caplog.text.count("cleaned before") == 2
    Image.new("L", (128, 96), 255).save(tmp_path / "all.png")
    with pytest.raises(SystemExit, match="3 of 3 could not be cleaned"):  # they are there, and of another job
        run(films, out, "--engine", "fill", "--protect", tmp_path / "all.png")
    assert len(list(read_timed_frames(out / "a.mkv.mkv"))) == 9


def test_a_plan_alone_then_edited_then_used(film, grey, tmp_path, caplog):
    caplog.set_level("INFO")
    run(film, tmp_path / "clean.mp4", "--engine", "fill", "--plan", "--no-subtitles-only")
    path = tmp_path / "clean_plan.json"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["clean_plan.json", "clean_plan.marks"]
    assert "of memory beside the model" in caplog.text and "of disk" in caplog.text
    plan = json.loads(path.read_text(encoding="utf-8"))
    assert plan["lines"]
    for line in plan["lines"]:
        line["remove"] = False
    path.write_text(json.dumps(plan), encoding="utf-8")
    run(film, tmp_path / "clean.mp4", "--engine", "fill", "--use-plan", str(path), "--no-subtitles-only", "--report")
    assert json.loads((tmp_path / "clean_report.json").read_text(encoding="utf-8"))["changed"] == 0
    assert json.loads(path.read_text(encoding="utf-8")) == plan, "the user's plan is as it was"


def test_a_time_and_an_area(film, grey, tmp_path):
    more = ("--no-subtitles-only", "--report", "--from", "0.2", "--to", "0:00.32", "--area", "0%,0%,100%,100%")
    run(film, tmp_path / "clean.mp4", "--engine", "fill", *more)
    assert json.loads((tmp_path / "clean_report.json").read_text(encoding="utf-8"))["changed"] == 3


def test_a_pattern_that_names_nothing_is_said(tmp_path):
    with pytest.raises(SystemExit, match="names no film"):
        run(tmp_path / "*.mkv", tmp_path / "out", "--engine", "fill")


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
