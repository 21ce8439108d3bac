"""The packed copy of the training data: smaller, of the same layout, and with every licence."""

import io

import pytest
from PIL import Image

from clear_runtime.data import pack, qt_resources, sources
from clear_runtime.errors import ClearError


@pytest.fixture
def data(tmp_path):
    """A folder with one picture, one font and one sprite for everything that is looked for."""
    folder = tmp_path / "data"
    asked = [
        (package, pattern) for of in sources.FONTS.values() for package, patterns in of.items() for pattern in patterns
    ]
    for n, (package, pattern) in enumerate(asked):
        place(folder, package, f"fonts/{pattern.replace('*', 'Face')}{n}.ttf").write_bytes(b"font")
    for n in range(12):
        Image.effect_noise((900, 600), 60).convert("RGB").save(
            place(folder, "mate-backgrounds", f"backgrounds/mate/nature/scene{n}.png")
        )
        Image.new("RGBA", (300, 200), (200, 30, 10, 128)).save(
            place(folder, "tuxpaint-stamps-default", f"tuxpaint/stamps/animals/cat{n}.png")
        )
    Image.new("RGBA", (300, 200)).save(
        place(folder, "tuxpaint-stamps-default", "tuxpaint/stamps/symbols/alphabets/a.png")
    )
    return folder


def place(folder, package, name):
    path = folder / package / "usr/share" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    stated = folder / package / "usr/share/doc" / package / "copyright"
    stated.parent.mkdir(parents=True, exist_ok=True)
    stated.write_text("CC0")
    return path


def test_the_copy_is_small_and_lists_its_licences(data, tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "_font", lambda path, target, letters: pack._write(target, path.read_bytes()))
    out = tmp_path / "packed"
    size = pack.pack(data, out, 38)
    files = [path for path in out.rglob("*") if path.is_file()]
    assert size == sum(path.stat().st_size for path in files) < 38e6
    for held_back in (False, True):
        assert {p.stem for p in sources.pictures(out, held_back)} == {p.stem for p in sources.pictures(data, held_back)}
        assert all(max(Image.open(p).size) == 640 for p in sources.pictures(out, held_back))
    listed = (out / pack.LICENCES).read_text()
    assert all(name in listed for name in sources.packages()) and sources.PICTURES["mate-backgrounds"][0] in listed
    assert (out / "mate-backgrounds/usr/share/doc/mate-backgrounds/copyright").read_text() == "CC0"
    assert not list(out.rglob("alphabets")), "letters are no scenery"


def test_what_does_not_fit_is_said(data, tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "_font", lambda path, target, letters: pack._write(target, b"font"))
    with pytest.raises(ClearError, match="Allow more --megabytes"):
        pack.pack(data, tmp_path / "packed", 0.1)
    with pytest.raises(ClearError, match="not empty"):
        pack.pack(data, tmp_path / "packed", 38)


def test_pictures_come_out_of_resource_files(tmp_path):
    def stored(size, kind, mode="RGB"):
        buffer = io.BytesIO()
        Image.new(mode, size, (200, 80, 40, 0)[: len(mode)]).save(buffer, kind)
        return len(buffer.getvalue()).to_bytes(4, "big") + buffer.getvalue()

    content = (
        b"qres"
        + stored((400, 320), "jpeg")
        + stored((64, 64), "jpeg")
        + b"\xff\xd8\xff\xe0 broken"
        + stored((320, 300), "webp")
        + stored((320, 300), "webp", "RGBA")
    )
    (tmp_path / "explore.rcc").write_bytes(content)
    assert qt_resources.extract_pictures(tmp_path / "explore.rcc", tmp_path / "out") == 2
    assert sorted((path.name, Image.open(path).size) for path in (tmp_path / "out").iterdir()) == [
        ("explore_000.jpg", (400, 320)),
        ("explore_001.webp", (320, 300)),
    ]
