"""A plan is made, edited and given back."""

import json
import re
import shutil
from pathlib import Path

import pytest
from tiny_film import Grey, job, read, write_film

from clear_runtime.errors import ClearError
from clear_runtime.film.done import cleaned_before
from clear_runtime.film.output import saved_plan
from clear_runtime.film.run import clean, make_plan
from clear_runtime.find.report import Report


@pytest.fixture(scope="module")
def planned(film, tmp_path_factory):
    """(the folder of a plan of the film, and of what is marked; what was said when it was made)."""
    folder = tmp_path_factory.mktemp("planned")
    return folder, make_plan(job(film, folder / "clean.mp4"), folder / "plan.json")


@pytest.fixture
def path(planned, tmp_path):
    """A plan of the film that may be changed."""
    for one in planned[0].iterdir():
        shutil.copyfile(one, tmp_path / one.name)
    return tmp_path / "plan.json"


def test_a_plan_is_made_edited_and_given_back(film, planned, path, tmp_path):
    said = planned[1]
    assert re.search(r"340 frames, of which 1\d\d are painted; about .* GB of disk.*; about \d+ (s|min)\.", said)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["plan.json", "plan.marks"]
    assert not (tmp_path / "clean.mp4.unfinished").exists()
    plan = json.loads(path.read_text(encoding="utf-8"))
    plan["lines"][1]["remove"] = False
    plan["lines"][0]["from"] = "0:00:02.000"
    plan["lines"].append({"from": "0:00:10.6", "to": "11.0", "remove": True, "box": [10, 5, 30, 10]})
    path.write_text(json.dumps(plan), encoding="utf-8")
    report = Report()
    done = clean(job(film, tmp_path / "clean.mp4", plan=path), report=report)
    before, after = read(film)[1], read(done.output)[1]
    changed = ((after - before).abs().amax((1, 2, 3)) > 0.25).nonzero()[:, 0].tolist()
    assert changed == [*range(50, 90), *range(265, 275), *range(310, 330)]
    assert (after[270, 5:15, 10:40] - before[270, 5:15, 10:40]).abs().mean() > 0.03
    assert sum(line.goes for line in report.lines) == 3
    assert [line.why for line in report.lines if not line.goes] == ["left by the plan"]


def test_a_copy_of_a_plan_under_another_name_finds_the_marks(film, path, tmp_path):
    copy = tmp_path / "edited.json"
    copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    assert clean(job(film, tmp_path / "clean.mp4", plan=copy)).changed > 0
    (tmp_path / "plan.marks").unlink()
    with pytest.raises(ClearError, match="edited.json and its plan.marks beside it.*into one folder"):
        clean(job(film, tmp_path / "again.mp4", plan=copy))


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda plan: plan["lines"][0].update({"from": "soon"}), 'line 1, "from" is .soon.'),
        (lambda plan: plan["lines"][1].update(box=[0, 0, 1000, 10]), "line 2.*within its 112x64 pixels"),
        (lambda plan: plan["lines"][1].update(remove="yes"), '"remove" is true or false'),
        (lambda plan: plan["source"].update(bytes=1), "of another film"),
        (lambda plan: plan.pop("lines"), "no plan of a film"),
    ],
)
def test_a_plan_that_cannot_be_is_said(film, path, tmp_path, change, words):
    plan = json.loads(path.read_text(encoding="utf-8"))
    change(plan)
    path.write_text(json.dumps(plan), encoding="utf-8")
    with pytest.raises(ClearError, match=words):
        clean(job(film, tmp_path / "clean.mp4", plan=path))


def test_names_with_quotes_and_colons(tmp_path, monkeypatch):
    """FFmpeg takes what stands in front of a colon for a protocol, and JSON a quote for the end."""
    monkeypatch.chdir(tmp_path)
    source, target = write_film(Path('Film: "one", 100 %d.mp4'), 3), Path("Film: \"one\" 'clean'.mp4")
    assert clean(job(source, target)).frames == 3 and cleaned_before(job(source, target), target)
    again = clean(job(source, Path("b: c.mkv"), plan=saved_plan(target)))
    assert again.frames == 3 and json.loads(saved_plan(Path("b: c.mkv")).read_text("utf-8"))["lines"] == []


@pytest.mark.parametrize(
    "name, value", [("lines", None), ("lines", {}), ("source", "x"), ("shots", None), ("shots", ["1"]), ("marks", -5)]
)
def test_what_was_written_over_by_hand_is_said_and_ends_in_no_other_error(brief, tmp_path, name, value):
    path = Path(clean(job(brief, tmp_path / "a.mp4", Grey())).plan)
    content = json.loads(path.read_text(encoding="utf-8"))
    if name == "marks":
        content["lines"][0][name] = value
    else:
        content[name] = value
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ClearError, match=name):
        clean(job(brief, tmp_path / "b.mp4", Grey(), plan=path))
