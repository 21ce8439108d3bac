"""The command that finds lines of every kind over time, and scores what would be replaced."""

import json

import numpy as np
import pytest
import torch
from drawn_rows import at, letters, white

from clear_runtime.bench import lines
from clear_runtime.data.synthetic.letters import Overlay
from clear_runtime.data.synthetic.pairs import Drawn
from clear_runtime.errors import ClearError

HEIGHT, WIDTH = lines.SIZE


def drawn(left=240, white=255):
    """Two lines on grey, one after the other."""
    clean = np.full((lines.FRAMES, HEIGHT, WIDTH, 3), 60, np.uint8)
    subtitled, mask = clean.copy(), np.zeros(clean.shape[:3], bool)
    for n, (begin, stop) in enumerate(lines.SPANS):
        mask[begin:stop] = at(letters(n, 14), 300, left, lines.SIZE)
    subtitled[mask] = white
    return Drawn(clean, subtitled, mask, [Overlay(None, None, left, 300, ((left, 300, left + 168, 316),))])


class Maker:
    """Draws one clip after the other, all others being none that count."""

    def __init__(self, *clips):
        self.clips, self.seeds = clips, []

    def lines(self, seed, *size, **text):
        self.seeds.append(seed)
        return self.clips[(len(self.seeds) - 1) % len(self.clips)]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(lines, "load_prior", lambda file: white)
    monkeypatch.setattr(lines, "stored", lambda frames, crf: frames)


def test_lines_that_nobody_could_read_or_in_a_corner_are_left_out():
    maker = Maker(drawn(white=70), drawn(left=5), drawn())
    (clip,) = lines.clips(maker, "latin", lines.KINDS["latin"], 1)
    assert len(maker.seeds) == 3 and (clip.letters == drawn().mask).all()


def test_each_kind_is_scored_drawn_and_written_down(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lines, "_maker", lambda data: Maker(drawn()))
    out, figures = tmp_path / "pictures", tmp_path / "figures.json"
    results = lines.run(tmp_path, count=1, only=["latin", "8 px high"], without=["keeps"], out=out, figures_in=figures)
    (found, high) = results["all"].values()
    assert found == high and found.recall > 0.95 and found.iou > 0.9 and (found.left, found.lines) == (0, 2)
    assert {file.name for file in out.iterdir()} == {"latin_0.png", "8_px_high_0.png"}
    assert json.loads(figures.read_text())["without keeps"]["latin"]["lines"] == 2
    said = capsys.readouterr().out
    assert "| **script, mean** |" in said and "without keeps: mean recall" in said and "nothing differs" in said


def test_a_line_that_is_not_found_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "_maker", lambda data: Maker(drawn()))
    monkeypatch.setattr(lines, "load_prior", lambda file: lambda frames: torch.zeros(frames.shape[:3]))
    (figures,) = lines.run(tmp_path, count=1, only=["latin"])["all"].values()
    assert (figures.recall, figures.iou, figures.left, figures.lines) == (0, 0, 2, 2)


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(ClearError, match="no kind of line 'nothing'"):
        lines.run(tmp_path, only=["nothing"])
