"""The command that scores what is found on generated clips, and says what the finder's rules are worth."""

import json

import pytest
from drawn_rows import white

from clear_runtime.bench import rows
from clear_runtime.data.synthetic.specimens import scenes
from clear_runtime.data.synthetic.specimens.drawing import Drawing
from clear_runtime.data.synthetic.specimens.films import paragraph
from clear_runtime.data.synthetic.specimens.recipe import Recipe
from clear_runtime.data.synthetic.specimens.scenes import EVENING, Size
from clear_runtime.errors import ClearError

SIZE = Size(20, 360, 640)


def line(size):
    drawing = Drawing(scenes.still("line", size, EVENING))
    drawing.show(drawing.text("It was late.", size=0.08))
    return drawing


@pytest.fixture(autouse=True)
def two_kinds(monkeypatch):
    monkeypatch.setattr(rows, "RECIPES", {"line": Recipe(0, "", line, SIZE), "poem": Recipe(0, "", paragraph, SIZE)})
    monkeypatch.setattr(rows, "load_prior", lambda file: white)


def test_each_kind_is_scored_and_drawn(tmp_path, capsys):
    scores = rows.run(out=tmp_path, figures_in=tmp_path / "figures.json")
    assert set(scores) == {"line", "poem"} and scores["line"].recall > 0.5
    assert json.loads((tmp_path / "figures.json").read_text())["line"]["recall"] == scores["line"].recall
    assert (tmp_path / "line.png").is_file()
    assert capsys.readouterr().out.count("\n") == 5


def test_a_rule_is_worth_what_the_kinds_lose_without_it(tmp_path, capsys):
    scores = rows.run(without=["paragraph", "bars"], figures_in=tmp_path / "figures.json")
    said = capsys.readouterr().out.splitlines()
    assert said[3].startswith("| without paragraph |") and "poem: recall" in said[3] and "line: " not in said[3]
    assert said[4].startswith("| without bars |") and said[4].endswith("| – |")
    written = json.loads((tmp_path / "figures.json").read_text())
    assert written["with"]["poem"]["recall"] == scores["poem"].recall
    assert written["without"]["paragraph"]["poem"]["recall"] < 0.8 * scores["poem"].recall


def test_unknown_kinds_and_rules_are_refused():
    with pytest.raises(ClearError, match="no case 'nothing'"):
        rows.run(only=["nothing"])
    with pytest.raises(ClearError, match="no rule 'nothing'"):
        rows.run(without=["nothing"])
