"""Names of results: none is taken from another film, and none is too long."""

from pathlib import Path

import pytest

from clear_runtime.errors import ClearError
from clear_runtime.film.output import films_of, outputs_of, saved_plan, work_of


def names(*films):
    return [path.name for path in outputs_of([Path(film) for film in films], Path("out"))]


def test_a_film_keeps_its_name_and_two_of_one_name_keep_both():
    assert names("in/a.mkv", "in/b.avi", "in/c.MP4") == ["a.mkv", "b.mkv", "c.MP4"]
    assert names("in/a.mkv", "in/a.mp4", "in/b.mov") == ["a.mkv.mkv", "a.mp4.mp4", "b.mov"]
    assert names("in/a.avi", "in/A.mkv") == ["a.avi.mkv", "A.mkv.mkv"]
    assert names("1/a.mkv", "2/a.mkv") == ["a.mkv.mkv", "a.mkv (2).mkv"]


def test_folders_and_patterns_give_their_films_once(tmp_path):
    for name in ("b.mkv", "a.mp4", "a.srt", ".hidden.mp4"):
        (tmp_path / name).touch()
    assert [path.name for path in films_of([tmp_path])] == ["a.mp4", "b.mkv"]
    assert [path.name for path in films_of([tmp_path / "*.mkv", tmp_path])] == ["b.mkv", "a.mp4"]
    with pytest.raises(ClearError, match="names no film"):
        films_of([tmp_path / "*.mov"])


def test_names_beside_a_very_long_one_fit(tmp_path):
    target = tmp_path / ("字" * 80 + ".mp4")
    target.touch()
    for path in (work_of(target), saved_plan(target), saved_plan(target).with_suffix(".marks")):
        path.touch()
    assert len(list(tmp_path.iterdir())) == 4
