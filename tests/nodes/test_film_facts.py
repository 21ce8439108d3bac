"""What the page asks about a film before a run and after."""

import io
import json
import shutil
import sys
from fractions import Fraction

import films
import numpy as np
import pytest
import torch
from paths import ROOT
from PIL import Image
from tiny_film import LINES, letters, write_film

DEMO = ROOT / "assets" / "demo" / "bunny_subtitled.mp4"


@pytest.fixture
def facts(pack):
    return sys.modules["clear_pack.nodes.comfy.film_facts"]


@pytest.fixture
def pace(pack, tmp_path, monkeypatch):
    module = sys.modules["clear_pack.nodes.comfy.pace"]
    monkeypatch.setattr(module, "user_file", lambda name: tmp_path / "user" / name)
    return module


@pytest.fixture
def folder(comfy_nodes, tmp_path, monkeypatch):
    """ComfyUI's input folder."""
    import folder_paths

    (tmp_path / "input").mkdir()
    monkeypatch.setattr(folder_paths, "get_input_directory", lambda: str(tmp_path / "input"))
    return tmp_path / "input"


def test_length_size_and_memory_are_told_of_a_chosen_film(facts, pace, folder):
    shutil.copy(DEMO, folder / "a.mp4")
    told = facts.about({"file": "a.mp4", "node": "CLEAR_SubtitleRemoveVideo"})
    assert (told["frames"], told["fps"], told["length"], told["size"]) == (49, 25.0, 1.96, [640, 352])
    pixels = 49 * 640 * 352
    assert 0 < told["memory"] < 28 * pixels, "a window of it"
    in_memory = facts.about({"file": "a.mp4", "node": "CLEAR_SubtitleRemove"})["memory"]
    assert in_memory == told["memory"] + 28 * pixels, "all of it, before and after and masks"


@pytest.mark.parametrize("name, film, words", [
    ("a.mp4", {}, []),
    ("a.mp4", dict(times=(0, 30, 60, 90, 180, 270)), ["come at uneven times"]),
    ("a.mp4", dict(times=tuple(range(400, 600, 40)), rotation=90), ["begins 0.40 s late", "is stored turned"]),
    ("a.mkv", dict(tracks=2, subtitles=True, aspect=Fraction(64, 45)), ["the first alone", "subtitle tracks", "64:45"]),
    ("a.mp4", dict(codec="libx265", pixel_format="yuv420p10le", tags=(9, 9, 16)), ["more than 8 bits or HDR"]),
    ("a.mkv", dict(cover_first=True), ["those of the first"]),
    ("a.mp4", dict(times=(0, 40), size=(720, 720)), ["red moves"]),
    ("a.mp4", dict(times=(0, 40), size=(720, 720), tags=(1, 1, 1)), []),
])  # fmt: skip
def test_what_frames_lose_is_said_before_the_run(facts, pace, folder, name, film, words):
    films.make(folder / name, films.Film(**{"times": tuple(range(0, 200, 40)), **film}))
    told = facts.about({"file": name, "node": "CLEAR_SubtitleRemove"})["loses"]
    assert [word in said for word, said in zip(words, told)] == [True] * len(words)
    assert told[len(words) :] == (["Remove Subtitles (Video) keeps all of this."] if words else [])
    assert facts.about({"file": name, "node": "CLEAR_SubtitleRemoveVideo"})["loses"] == []


def test_time_is_what_the_last_run_showed(facts, pace, folder, monkeypatch):
    shutil.copy(DEMO, folder / "a.mp4")
    monkeypatch.setattr("comfy.model_management.get_torch_device", lambda: torch.device("cuda"))
    asked = {"file": "a.mp4", "model": "model", "steps": "5"}
    assert facts.about(asked)["seconds"] is None, "nobody knows a card before the first run"
    pace.remember("model 5", 40, 640 * 352, 80.0)
    told = facts.about(asked)
    assert told["seconds"] == pytest.approx(98.0) and told["as_before"]
    assert facts.about({**asked, "steps": "9"})["seconds"] is None
    pace.remember("model 5", 40, 640 * 352, 1.0)
    pace.remember("model 5", 4, 640 * 352, 80.0)
    assert facts.about(asked)["seconds"] == pytest.approx(98.0), "a second tells nothing, nor do four frames"
    pace.user_file(pace.FILE).write_text("[broken")
    assert facts.about(asked)["seconds"] is None


@pytest.mark.parametrize("name", ["words.mp4", "../secret.mp4", "nowhere.mp4"])
def test_what_is_no_film_or_lies_elsewhere_is_refused_in_words(facts, folder, name):
    (folder / "words.mp4").write_text("these are words")
    shutil.copy(DEMO, folder.parent / "secret.mp4")
    told = facts.about({"file": name})
    assert set(told) == {"failed"} and name.rsplit("/")[-1] in told["failed"]


def test_a_frame_is_the_one_that_is_shown_at_that_time(facts, folder, error):
    write_film(folder / "film.mp4", 130)
    first = LINES[0][0]

    def lit(t):
        picture = Image.open(io.BytesIO(facts.still("film.mp4", t / 25, 512)))
        shown = torch.from_numpy(np.asarray(picture.convert("L")) / 255)
        return bool(shown[letters(0)].mean() > 0.8)

    assert [lit(t) for t in (0, first - 1, first, first + 20, 129)] == [False, False, True, True, False]
    with pytest.raises(error, match="shows nothing at 400 s"):
        facts.still("film.mp4", 400.0, 512)


def test_a_report_is_told_by_time(pack):
    from clear_pack.clear_runtime.find.report import Line, Report

    found_in = sys.modules["clear_pack.nodes.comfy.removal"].found_in
    line = Line(10, 20, 1, (0, 0, 9, 9), 9, 0.9, True, "subtitle", True)
    report = Report(50, [line], [30, 31])
    told = json.loads(json.dumps(found_in(report, lambda frame: frame / 10, {"filename": "a.mp4"})))
    assert told["lines"] == [
        {"first": 10, "stop": 20, "from": 1.0, "to": 2.0, "goes": True, "why": "subtitle", "sure": 0.9, "certain": True}
    ]
    assert told["left"] == [{"first": 30, "stop": 32, "from": 3.0, "to": 3.2}]
    assert "from" not in found_in(report)["lines"][0]
