"""The shipped graphs' clips in ComfyUI's input folder: offered once, and never over a file of the user."""

import sys

import pytest


@pytest.fixture
def folder_of(tmp_path, monkeypatch):
    """Name -> ComfyUI's folder `input`, `user` or `models`, each of this test alone."""
    import folder_paths

    for name in ("input", "user", "models"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(folder_paths, "get_input_directory", lambda: str(tmp_path / "input"))
    monkeypatch.setattr(folder_paths, "get_user_directory", lambda: str(tmp_path / "user"), raising=False)
    monkeypatch.setattr(folder_paths, "models_dir", str(tmp_path / "models"))
    return lambda name: tmp_path / name


@pytest.fixture
def demo_clip(pack):
    return sys.modules["clear_pack.nodes.comfy.demo_clip"]


def inside(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_clips_are_there_and_replace_nothing(demo_clip, folder_of):
    (folder_of("input") / "clear_demo.mp4").write_bytes(b"the user's own")
    demo_clip.offer_demo_clip()
    assert inside(folder_of("input")) == ["clear_demo.mp4", "clear_demo_clean.mp4", "clear_demo_film.mp4"]
    assert (folder_of("input") / "clear_demo.mp4").read_bytes() == b"the user's own"
    assert (folder_of("input") / "clear_demo_clean.mp4").stat().st_size > 100_000


def test_who_deletes_them_gets_them_again_with_a_new_edition_alone(demo_clip, folder_of, monkeypatch):
    for edition, comes in (("1", True), ("1", False), ("2", True), ("2", False)):
        monkeypatch.setattr(demo_clip, "EDITION", edition)
        demo_clip.offer_demo_clip()
        assert inside(folder_of("input")) == (sorted(demo_clip.CLIPS) if comes else [])
        for path in folder_of("input").iterdir():
            path.unlink()


def test_an_older_comfyui_keeps_the_marker_with_the_models(demo_clip, folder_of, monkeypatch):
    import folder_paths

    monkeypatch.delattr(folder_paths, "get_user_directory")
    demo_clip.offer_demo_clip()
    assert inside(folder_of("models") / "clear") == [demo_clip.MARKER] and not inside(folder_of("user"))


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(demo_clip, folder_of, caplog):
    folder_of("input").rmdir()
    demo_clip.offer_demo_clip()
    assert "could not be put into" in caplog.text
    folder_of("input").mkdir()
    demo_clip.offer_demo_clip()  # what did not work is tried again
    assert inside(folder_of("input")) == sorted(demo_clip.CLIPS)
