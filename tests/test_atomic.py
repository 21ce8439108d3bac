"""Files and folders appear under their name only when they are whole."""

import errno
import os
import pathlib

import pytest

from clear_runtime import atomic
from clear_runtime.atomic import WholeFile, WholeFolder, write_text
from clear_runtime.errors import ClearError


def test_a_file_is_replaced_when_the_new_one_is_whole(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_text("old")
    with WholeFile(path) as part:
        part.write_text("new")
        assert path.read_text() == "old" and part.suffix == ".mp4"
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["film.mp4"]


def test_what_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), WholeFile(path) as part:
        part.write_text("half")
        raise KeyboardInterrupt
    with pytest.raises(FileNotFoundError), WholeFile(tmp_path / "nowhere" / "film.mp4"):
        pytest.fail("there is no such folder")
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["film.mp4"]


def test_content_is_on_the_disk_before_the_name(tmp_path, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(atomic.os, name, lambda *a, name=name, real=real: (done.append(name), real(*a)))
    with WholeFile(tmp_path / "a") as part:
        part.write_text("x")
    assert done == ["fsync", "replace"]


def test_two_writers_of_one_name_do_not_meet(tmp_path):
    with WholeFile(tmp_path / "a") as one, WholeFile(tmp_path / "a") as other:
        one.write_text("one")
        other.write_text("other")
    assert os.listdir(tmp_path) == ["a"]


def test_the_longest_names_leave_room_for_the_part(tmp_path):
    path = tmp_path / ("字" * 83 + ".mp4")  # 253 bytes
    with WholeFile(path) as part:
        part.write_text("x")
    assert path.read_text() == "x"


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with WholeFolder(tmp_path / "mask") as part:
        (part / "deep").mkdir()
        (part / "deep" / "1.png").write_text("x")
        assert not (tmp_path / "mask").exists()
    assert (tmp_path / "mask" / "deep" / "1.png").read_text() == "x"
    with pytest.raises(RuntimeError), WholeFolder(tmp_path / "other") as part:
        (part / "1.png").write_text("x")
        raise RuntimeError
    with pytest.raises(OSError), WholeFolder(tmp_path / "mask") as part:
        (part / "2.png").write_text("x")
    assert os.listdir(tmp_path) == ["mask"] and os.listdir(tmp_path / "mask") == ["deep"]


def test_a_full_disk_is_told_in_words(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "write_bytes", full)
    with pytest.raises(ClearError, match=r"run.json could not be written .*No space left.*Free some space"):
        write_text(tmp_path / "run.json", "{}")
