"""Where the training pictures and fonts come from: packages of the Debian archive, each with its licence.

    python -m clear_runtime.data.sources FOLDER      fetch and unpack them (Debian or Ubuntu, about 1 GB)

Pictures and fonts are split by name into training and validation, and never shared between the two.
"""
import argparse
import logging
import subprocess
import zlib
from pathlib import Path

from ..errors import ClearError
from .qt_resources import extract_pictures

log = logging.getLogger(__name__)

PICTURES = {  # package: (licence, glob below usr/share)
    "gnome-backgrounds": ("CC BY-SA 3.0", "backgrounds/gnome/*"),
    "mate-backgrounds": ("GPL-2+ and CC BY-SA 4.0", "backgrounds/mate/nature/*"),
    "lomiri-wallpapers-16.04": ("CC BY-SA 3.0 and CC BY 4.0", "backgrounds/*.jpg"),
    "lomiri-wallpapers-20.04": ("CC BY-SA 4.0 and CC0", "backgrounds/*.jpg"),
    "ukui-wallpapers": ("CC BY-SA 3.0", "backgrounds/*"),
    "plasma-workspace-wallpapers": ("CC BY-SA 4.0 and LGPL-3", "wallpapers/*/contents/images*/*"),
    "palapeli-data": ("GPL-2+ and CC BY-SA 3.0", "palapeli/collection/*.jpg"),
    "gcompris-qt-data": ("GPL-3+, CC BY-SA 4.0 and public domain", "gcompris-qt/pictures/*"),
}
RESOURCES = {"gcompris-qt-data": ("gcompris-qt/rcc", "gcompris-qt/pictures", ("explore_*", "erase", "details", "clickgame", "photo_hunter"))}
"""Packages whose pictures lie in Qt's resource files: where these are, where the pictures go, and which files have photographs and paintings."""
SPRITES = {"tuxpaint-stamps-default": ("GPL-2+ and public domain", "tuxpaint/stamps/**/*.png")}
LETTERED = {"alphabets", "math", "money", "music", "roadsigns"}
"""Folders of sprites that are letters, figures and signs: in a scene they would teach that letters are no text."""
FONTS = {  # script: {package: file name patterns}
    "latin": {"fonts-noto-core": ["NotoSans-*", "NotoSerif-*"], "fonts-dejavu-core": ["DejaVu*"], "fonts-dejavu-extra": ["DejaVu*"],
              "fonts-liberation": ["Liberation*"], "fonts-roboto-unhinted": ["Roboto*"], "fonts-open-sans": ["*"], "fonts-lato": ["*"],
              "fonts-comfortaa": ["*"], "fonts-cantarell": ["*"], "fonts-linuxlibertine": ["LinLibertine_R*", "LinBiolinum_R*"],
              "fonts-crosextra-carlito": ["*"], "fonts-oxygen": ["*"], "fonts-bebas-neue": ["*"], "fonts-quicksand": ["*"], "fonts-jura": ["*"]},
    "cyrillic": {"fonts-noto-core": ["NotoSans-*", "NotoSerif-*"], "fonts-dejavu-core": ["DejaVu*"], "fonts-liberation": ["Liberation*"],
                 "fonts-roboto-unhinted": ["Roboto*"], "fonts-open-sans": ["*"], "fonts-paratype": ["*"], "fonts-comfortaa": ["*"]},
    "arabic": {"fonts-noto-core": ["NotoNaskhArabic-*", "NotoKufiArabic-*", "NotoSansArabic-*"], "fonts-hosny-amiri": ["Amiri-*"],
               "fonts-kacst": ["*"], "fonts-sil-scheherazade": ["*"], "fonts-sil-lateef": ["*"]},
    "chinese": {"fonts-noto-cjk": ["*"], "fonts-wqy-zenhei": ["*"], "fonts-wqy-microhei": ["*"], "fonts-arphic-ukai": ["*"], "fonts-arphic-uming": ["*"]},
    "japanese": {"fonts-noto-cjk": ["*"], "fonts-vlgothic": ["*"], "fonts-takao-gothic": ["*"], "fonts-ipafont-mincho": ["*"], "fonts-mplus": ["Mplus1-*", "Mplus2-*"]},
    "korean": {"fonts-noto-cjk": ["*"], "fonts-nanum": ["*"], "fonts-unfonts-core": ["UnDotum*", "UnBatang*", "UnGraphic*"], "fonts-baekmuk": ["*"]},
    "devanagari": {"fonts-noto-core": ["NotoSansDevanagari-*"], "fonts-lohit-deva": ["*"]},
    "thai": {"fonts-noto-core": ["NotoSansThai-*"], "fonts-tlwg-loma-ttf": ["*"], "fonts-tlwg-garuda-ttf": ["*"]},
    "hebrew": {"fonts-noto-core": ["NotoSansHebrew-*", "NotoSerifHebrew-*", "NotoRashiHebrew-*"]},
    "tamil": {"fonts-noto-core": ["NotoSansTamil-*", "NotoSerifTamil-*"]},
}


def packages() -> list[str]:
    return sorted({*PICTURES, *SPRITES, *(p for by_package in FONTS.values() for p in by_package)})


def fetch(folder: Path) -> None:
    """Download every package with apt-get and unpack it with dpkg below folder/PACKAGE."""
    archive = folder / "archive"
    archive.mkdir(parents=True, exist_ok=True)
    for name in packages():
        if (folder / name).is_dir():
            continue
        try:
            subprocess.run(["apt-get", "download", name], cwd=archive, check=True, capture_output=True)
            package = next(archive.glob(f"{name}_*.deb"))
            partial = folder / f"{name}.partial"
            subprocess.run(["dpkg", "-x", str(package), str(partial)], check=True)
        except FileNotFoundError as missing:
            raise ClearError(f"{missing.filename} was not found. The training pictures come from Debian packages: run this on Debian or Ubuntu.") from missing
        except subprocess.CalledProcessError as failed:
            raise ClearError(f"apt-get could not download {name}. Run `apt-get update` first. It said: {failed.stderr.decode()[-300:]}") from failed
        if name in RESOURCES:
            inside, out, wanted = RESOURCES[name]
            for path in sorted(p for pattern in wanted for p in (partial / "usr/share" / inside).glob(f"{pattern}.rcc")):
                extract_pictures(path, partial / "usr/share" / out)
        partial.rename(folder / name)
        log.info("fetched %s", name)


VALIDATION_FONTS = ("Quicksand", "Oxygen", "LiberationSansNarrow", "LinBiolinum", "PTS", "Lateef", "Kacst", "mry_Kacst", "wqy-zenhei",
                    "uming", "VL-", "Takao", "NanumBarun", "NanumSquare", "UnDotum", "Lohit", "Loma",
                    "NotoSansHebrew", "NotoSansTamil")


def _held_back_picture(path: Path) -> bool:
    """One picture in six, by its name, is for validation: the same ones on every machine."""
    name = path.parts[path.parts.index("contents") - 1] if "contents" in path.parts else path.stem
    return zlib.crc32(name.encode()) % 6 == 0


def pictures(folder: Path, validation: bool) -> list[Path]:
    """Photographs and paintings, one file for each (the largest where a package has several sizes)."""
    found = []
    for package, (_, pattern) in PICTURES.items():
        by_scene: dict[Path, Path] = {}
        for path in sorted((folder / package / "usr/share").glob(pattern)):
            if path.suffix.lower() not in (".jpg", ".jpeg", ".png", ".webp") or path.is_symlink():
                continue
            scene = path.parent if "contents" in path.parts else path
            if scene not in by_scene or path.stat().st_size > by_scene[scene].stat().st_size:
                by_scene[scene] = path
        found += by_scene.values()
    return sorted(p for p in _found(found, folder) if _held_back_picture(p) == validation)


def sprites(folder: Path, validation: bool) -> list[Path]:
    found = [p for package, (_, pattern) in SPRITES.items() for p in (folder / package / "usr/share").glob(pattern) if not LETTERED.intersection(p.parts)]
    return sorted(p for p in _found(found, folder) if _held_back_picture(p) == validation)


def fonts(folder: Path, script: str, validation: bool) -> list[Path]:
    """Font files for a script; validation files are of other families than training files."""
    found = {p for package, patterns in FONTS[script].items() for pattern in patterns
             for p in (folder / package).rglob(pattern) if p.suffix.lower() in (".ttf", ".ttc", ".otf")}
    return sorted(p for p in _found(found, folder) if p.name.startswith(VALIDATION_FONTS) == validation)


def _found(paths, folder: Path):
    paths = list(paths)
    if not paths:
        raise ClearError(f"No training material below {folder}. Fetch it with: python -m clear_runtime.data.sources {folder}")
    return paths


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    fetch(parser.parse_args().folder)
