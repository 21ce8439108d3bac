"""The folder of a Stage I run: one run at a time is in it, and one that is no good is named before the pairs are looked
through."""

from dataclasses import replace

import pytest
from tiny_frames import SHORT, Frames

from clear_runtime.cli import train_prior as train_command
from clear_runtime.errors import ClearError
from clear_runtime.train.prior.train import train


@pytest.mark.slow
def test_a_second_run_in_a_folder_is_refused_while_the_first_is_there(tmp_path):
    first = train(SHORT, Frames(), tmp_path)
    next(first)
    with pytest.raises(ClearError, match="Another run is using"):
        next(train(SHORT, Frames(), tmp_path))
    first.close()
    assert [p.step for p in train(SHORT, Frames(), tmp_path)] == [2, 3, 4, 5, 6]
    with pytest.raises(ClearError, match="other options"):
        next(train(replace(SHORT, seed=4), Frames(), tmp_path))
    assert not list(train(SHORT, Frames(), tmp_path)), "one that was refused has let go"


def test_a_folder_that_cannot_be_one_is_refused_in_words_before_the_look(tmp_path, monkeypatch):
    monkeypatch.setattr(train_command, "look_through", lambda *a: pytest.fail("looked through"))
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(ClearError, match="cannot be written to .*Name a folder"):
            next(train(SHORT, Frames(), out))
        with pytest.raises(SystemExit, match="error: .*cannot be written to"):
            train_command.main(["--pairs", str(tmp_path), "--out", str(out), "--device", "cpu"])


def test_a_folder_that_another_run_is_in_is_refused_before_the_look(tmp_path, monkeypatch):
    monkeypatch.setattr(train_command, "look_through", lambda *a: pytest.fail("looked through"))
    first = train(SHORT, Frames(), tmp_path)
    next(first)
    options = ["--model", "light", "--steps", "6", "--batch", "2", "--crop", "64", "96", "--seed", "3"]
    with pytest.raises(SystemExit, match="error: Another run is using"):
        train_command.main(["--pairs", str(tmp_path), "--out", str(tmp_path), "--device", "cpu", *options])
    first.close()
