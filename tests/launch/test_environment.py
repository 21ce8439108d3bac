"""The environment: built once, taken up again, told what is wrong."""

import json
import re
import sys
import threading
import time
from pathlib import Path

import pytest
from paths import ROOT

from launch import environment
from launch.console import Problem


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CLEAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    monkeypatch.setattr(environment, "PACK", tmp_path)
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "requirements.txt").write_text("torch\n")
    return tmp_path / "cache", tree


def fake_build(built, fail_at=None):
    def build(name, folder, requirements):
        built.append(name)
        environment.python_in(folder).parent.mkdir(parents=True, exist_ok=True)
        if name == fail_at:
            raise KeyboardInterrupt
        environment.python_in(folder).touch()

    return build


def test_an_environment_is_built_once_and_again_only_when_requirements_change(cache, monkeypatch):
    built, tree = [], cache[1]
    monkeypatch.setattr(environment, "_build", fake_build(built))
    first = environment.ready_environment(tree, test=False)
    assert environment.ready_environment(tree, test=False) == first and built == ["base"]
    assert environment.ready_environment(tree, test=True) == first and built == ["base", "test"]
    (tree / "requirements.txt").write_text("torch\nnumpy\n")
    assert environment.ready_environment(tree, test=False) != first and built == ["base", "test", "base"]


def test_an_interrupted_set_up_is_taken_up_again(cache, monkeypatch):
    built = []
    monkeypatch.setattr(environment, "_build", fake_build(built, fail_at="base"))
    with pytest.raises(KeyboardInterrupt):
        environment.ready_environment(cache[1], test=False)
    monkeypatch.setattr(environment, "_build", fake_build(built))
    environment.ready_environment(cache[1], test=False)
    assert built == ["base", "base"]


def test_two_runs_at_once_build_one_environment(cache, monkeypatch):
    built, inside = [], []

    def slow(name, folder, requirements):
        inside.append(name)
        assert len(inside) - len(built) == 1
        time.sleep(0.3)
        built.append(name)
        folder.mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(environment, "_build", slow)
    runs = [threading.Thread(target=environment.ready_environment, args=(cache[1], False)) for _ in range(3)]
    [r.start() for r in runs], [r.join(20) for r in runs]
    assert built == ["base"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_dot_venv_points_to_the_environment_and_never_replaces_a_real_folder(cache, monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "_build", fake_build([]))
    python = environment.ready_environment(cache[1], test=False)
    assert (tmp_path / ".venv").resolve() == python.parents[1]
    (tmp_path / ".venv").unlink()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "mine").touch()
    environment.ready_environment(cache[1], test=False)
    assert (tmp_path / ".venv" / "mine").exists()


def test_a_pip_that_fails_is_shown_by_its_last_lines(tmp_path):
    with pytest.raises(Problem, match=r"(?s)no_such_command.*same command again"):
        environment.pip(Path(sys.executable), ["no_such_command"], "Trying", tmp_path / "log")


def test_a_full_disk_is_told_before_the_download(cache, monkeypatch):
    monkeypatch.setattr(environment, "NEEDED_SPACE", 1 << 60)
    with pytest.raises(Problem, match="CLEAR_CACHE"):
        environment.ready_environment(cache[1], test=False)


def test_a_wrong_comfyui_path_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    with pytest.raises(Problem, match="no main.py"):
        environment.ready_tree()


def test_a_python_beside_comfyui_runs_the_tests_only_with_all_that_the_pack_declares(cache, monkeypatch):
    monkeypatch.setenv("COMFYUI_PATH", str(cache[1]))
    monkeypatch.setattr(
        environment,
        "has_modules",
        lambda python, modules: {"av", "safetensors", "einops", "PIL", "pysubs2"} <= set(modules),
    )
    monkeypatch.setattr(environment, "ready_environment", lambda tree, test: None)
    assert environment.python_for(cache[1], test=True), "no Python was good enough"


def test_the_environment_holds_what_the_pack_declares():
    declared = re.search(r"^dependencies = (\[.*?\])", (ROOT / "pyproject.toml").read_text(), re.M | re.S).group(1)
    listed = environment.BASE.read_text().split()
    assert set(json.loads(declared)) <= set(listed)
    manager = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert manager == json.loads(declared) and not {
        "torch",
        "torchvision",
        "torchaudio",
        "numpy",
        "transformers",
    } & set(manager)
