"""Take the photographs and paintings out of Qt's resource files (.rcc), as far as they are stored as they are."""

import io
import re
from pathlib import Path

from PIL import Image

LEAST = 300  # pixels of the shorter side: smaller ones are icons
_STARTS = re.compile(rb"\xff\xd8\xff|RIFF....WEBP", re.DOTALL)


def extract_pictures(resources: Path, folder: Path) -> int:
    """Write the JPEG and WebP pictures of one file into `folder`, named after the file and their order; gives their
    number.

    In a resource file the length of an entry stands in the four bytes before it. Pictures with holes in them are left
    out.
    """
    content, count = resources.read_bytes(), 0
    for found in _STARTS.finditer(content):
        at = found.start()
        data = content[at : at + int.from_bytes(content[at - 4 : at], "big")]
        try:
            with Image.open(io.BytesIO(data)) as picture:
                picture.load()
                opaque = picture.mode in ("RGB", "L") or picture.convert("RGBA").getextrema()[3][0] == 255
                kind = {"JPEG": ".jpg", "WEBP": ".webp"}.get(picture.format)
        except (OSError, ValueError, SyntaxError):  # bytes that only look like the start of a picture
            continue
        if kind and opaque and min(picture.size) >= LEAST:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{resources.stem}_{count:03d}{kind}").write_bytes(data)
            count += 1
    return count
