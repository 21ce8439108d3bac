"""A small copy of the training pictures and fonts, for machines that have no network.

    python -m clear_runtime.data.synthetic.pack DATA --out FOLDER --megabytes 38

DATA is a folder filled by data.sources. FOLDER gets the same layout, so that everything that reads DATA reads FOLDER:
all pictures at most 640 pixels long, a few faces per script with the letters that random lines use (cut down by
fontTools where it is installed, whole otherwise), as many sprites as there is room for, and every package's licence.
Both splits are kept apart as in DATA.
"""

import argparse
import io
import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from ...errors import ClearError
from . import sources, text

log = logging.getLogger(__name__)

LICENCES = "LICENCES.txt"
LONG_SIDE, QUALITY, SPRITE = 640, 84, 144  # pixels of a picture's longer side, JPEG quality, pixels of a sprite's
FACES = {"latin": 36, "cyrillic": 12, "arabic": 8, "chinese": 2, "japanese": 3, "korean": 3}
"""Training faces for each script; for validation a third as many, and one at least."""
_SIGNS = "".join(map(chr, range(32, 127))) + "、。，？！：；（）「」『』《》…—–“”‘’¿¡•·♪€£"
LETTERS = {
    "latin": text.LATIN + text.LATIN.upper() + text.LATIN_MARKS + text.LATIN_MARKS.upper(),
    "cyrillic": text.CYRILLIC + text.CYRILLIC.upper(),
    "arabic": text.ARABIC,
    "chinese": text.HANZI,
    "japanese": text.KANA + text.KANJI,
    "korean": text.HANGUL,
}


def pack(folder: Path, out: Path, megabytes: float) -> int:
    """Write the copy and give its size in bytes. Raises ClearError when pictures and fonts alone are larger than
    `megabytes`."""
    if out.exists() and any(out.iterdir()):
        raise ClearError(f"{out} is not empty. Choose another folder, or empty it.")
    room = int(megabytes * 1e6)
    used = _licences(folder, out)
    for path in (p for held_back in (False, True) for p in sources.pictures(folder, held_back)):
        used += _write(out / path.relative_to(folder).with_suffix(".jpg"), _picture(path))
    log.info("pictures and licences: %.1f MB", used / 1e6)
    for path, letters in _chosen(folder).items():
        used += _font(path, out / path.relative_to(folder), letters)
    log.info("with fonts: %.1f MB", used / 1e6)
    if used > room:
        raise ClearError(
            f"Pictures and fonts alone take {used / 1e6:.0f} MB. Allow more --megabytes, or install fontTools, "
            "which cuts fonts down."
        )
    for path in _sprites_first_to_last(folder):
        data = _sprite(path)
        if used + len(data) > room:
            break
        used += _write(out / path.relative_to(folder), data)
    log.info("with sprites: %.1f MB", used / 1e6)
    return used


def _write(path: Path, data: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return len(data)


def _licences(folder: Path, out: Path) -> int:
    """Each package's own statement, and a list of what was taken from where."""
    lines, used = (
        [
            "Pictures, sprites and fonts of Debian packages, scaled and cut down. Each package's own statement lies "
            "in PACKAGE/usr/share/doc.",
            "",
        ],
        0,
    )
    for name in sources.packages():
        stated = folder / name / "usr/share/doc" / name / "copyright"
        known = {**sources.PICTURES, **sources.SPRITES}.get(name, ("see its statement",))[0]
        lines.append(f"{name}: {known}")
        if stated.is_file():
            used += _write(out / stated.relative_to(folder), stated.read_bytes())
    return used + _write(out / LICENCES, "\n".join(lines).encode())


def _picture(path: Path) -> bytes:
    picture = Image.open(path).convert("RGB")
    picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "jpeg", quality=QUALITY, optimize=True)
    return buffer.getvalue()


def _sprite(path: Path) -> bytes:
    sprite = Image.open(path).convert("RGBA")
    sprite.thumbnail((SPRITE, SPRITE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    sprite.quantize(128, Image.Quantize.FASTOCTREE).save(buffer, "png", optimize=True)
    return buffer.getvalue()


def _sprites_first_to_last(folder: Path) -> Iterable[Path]:
    """Both splits, five to one, in an order in which any beginning is spread over all kinds."""
    training, held_back = (_spread(sources.sprites(folder, split), None) for split in (False, True))
    for n, path in enumerate(training):
        yield path
        if n % 5 == 0 and n // 5 < len(held_back):
            yield held_back[n // 5]


def _spread(paths: list[Path], count: int | None) -> list[Path]:
    """`count` of a list, evenly spread; None: all, every seventh first, then those beside them."""
    if count is None:
        return [path for start in range(7) for path in paths[start::7]]
    return [paths[i * len(paths) // count] for i in range(min(count, len(paths)))]


def _chosen(folder: Path) -> dict[Path, str]:
    """Font files, and the letters of all scripts that they stand in the lists of."""
    listed = {(script, split): sources.fonts(folder, script, split) for script in FACES for split in (False, True)}
    chosen: set[Path] = set()
    for (script, held_back), paths in listed.items():
        count = max(1, FACES[script] // 3) if held_back else FACES[script]
        chosen.update(_spread(paths[::-1] if held_back else paths, count))
    return {
        path: "".join(
            sorted({*_SIGNS, *"".join(LETTERS[script] for (script, _), paths in listed.items() if path in paths)})
        )
        for path in sorted(chosen)
    }


def _font(path: Path, target: Path, letters: str) -> int:
    """A face with these letters alone; the whole file where fontTools is missing or does not know it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        # an optional package
        from fontTools import subset
        from fontTools.ttLib import TTLibError
    except ImportError:
        return shutil.copyfile(path, target).stat().st_size
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # else it lists every letter
    options = subset.Options(
        hinting=False,
        notdef_outline=True,
        font_number=0,
        ignore_missing_glyphs=True,
        ignore_missing_unicodes=True,
        drop_tables=["SVG ", "EBDT", "EBLC"],
    )
    try:
        font = subset.load_font(str(path), options)
        cutter = subset.Subsetter(options)
        cutter.populate(text=letters)
        cutter.subset(font)
        subset.save_font(font, str(target), options)
    except (TTLibError, subset.Subsetter.SubsettingError, KeyError, AssertionError, ValueError) as odd:
        log.info("%s is kept whole (%s)", path.name, odd)
        shutil.copyfile(path, target)
    return target.stat().st_size


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="filled by clear_runtime.data.synthetic.sources")
    parser.add_argument("--out", type=Path, required=True, help="an empty or new folder")
    parser.add_argument("--megabytes", type=float, default=38, help="its size at most, in millions of bytes")
    options_given = parser.parse_args()
    try:
        pack(options_given.folder, options_given.out, options_given.megabytes)
    except ClearError as error:
        raise SystemExit(f"error: {error}") from error
