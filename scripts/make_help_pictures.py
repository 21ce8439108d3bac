"""Make the pictures of the help pages, of the template browser and of README, by running the nodes on the bundled clip.

    python scripts/make_help_pictures.py COMFYUI [--only demo given prior train_prior burn train_lora]

COMFYUI is ComfyUI's folder; its Python is the one that runs this, with what the pack's extra `train` names. Writes
web/docs/pictures/NAME.jpg, workflows/GRAPH.jpg and docs/before_after.jpg. Takes about a quarter of an hour on two CPU
cores, most of it for training; an --only takes that picture's time alone. Letters of the burned lines come from the
fonts that are installed.
"""

import argparse
import json
import os
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from clear_runtime.media.before_after import LINE  # noqa: E402
from clear_runtime.media.video import read_frames  # noqa: E402
from launch.console import ending_on_signals  # noqa: E402
from launch.graph import only_to, set_input, to_prompt  # noqa: E402
from launch.server import Server  # noqa: E402

PAGES, GRAPHS, DEMO = ROOT / "web" / "docs" / "pictures", ROOT / "workflows", ROOT / "assets" / "demo"
README = ROOT / "docs" / "before_after.jpg"
QUALITY = 84
LATIN, CHINESE = 12, 40  # frames of the demo clip in which its two lines stand
LOOKS = [  # what is changed in Burn Subtitles: three looks that have little in common
    {"scripts": "latin", "size": 7.0, "seed": 3},
    {"scripts": "chinese", "colour": "#ffe14d", "outline": 12.0, "shadow": 8.0, "size": 8.0, "seed": 5},
    {"scripts": "arabic", "box_opacity": 0.6, "outline": 0.0, "position": "top", "size": 7.0, "seed": 2},
]


class Graphs:
    """The shipped graphs, run on a server."""

    def __init__(self, server: Server):
        self.server, self.info = server, server.get("/object_info")

    def prompt(self, name: str) -> dict:
        return to_prompt(json.loads((GRAPHS / f"{name}.json").read_text(encoding="utf-8")), self.info)

    def pictures(self, prompt: dict, class_type: str, wanted: list[int]) -> list[list[Image.Image]]:
        """What the outputs `wanted` of the node of a class hold: a list of frames for each. Other ends of the graph do
        not run."""
        (node,) = (key for key, value in prompt.items() if value["class_type"] == class_type)
        prompt = {
            key: value
            for key, value in prompt.items()
            if not value["class_type"].startswith(("Preview", "Save", "CLEAR_BeforeAfter"))
        }
        kinds = self.info[class_type]["output"]
        for output in wanted:
            source = [node, output]
            if kinds[output] == "MASK":
                prompt[f"mask {output}"] = {"class_type": "MaskToImage", "inputs": {"mask": source}}
                source = [f"mask {output}", 0]
            prompt[f"shown {output}"] = {"class_type": "PreviewImage", "inputs": {"images": source}}
        outputs = self.server.run(prompt)
        return [
            [
                Image.open(self.server.base / i["type"] / i["subfolder"] / i["filename"]).convert("RGB")
                for i in outputs[f"shown {output}"]["images"]
            ]
            for output in wanted
        ]


def demo(graphs: Graphs) -> None:
    outputs = graphs.server.run(only_to(graphs.prompt("Nano demo"), {"CLEAR_BeforeAfter"}))
    (shown,) = (image for output in outputs.values() for image in output.get("images", []))
    both = Image.open(graphs.server.base / shown["type"] / shown["subfolder"] / shown["filename"]).convert("RGB")
    save(README, both)
    half = (both.width - LINE) // 2
    for graph in ("Nano demo", "Remove subtitles from a whole film"):  # the same model on the same clip
        parts = [both.crop((0, 0, half, both.height)), both.crop((both.width - half, 0, *both.size))]
        save(GRAPHS / f"{graph}.jpg", column(parts, 480))


def given(graphs: Graphs) -> None:
    outputs = graphs.server.run(only_to(graphs.prompt("Any other model"), {"CLEAR_BeforeAfter"}))
    (shown,) = (image for output in outputs.values() for image in output.get("images", []))
    both = Image.open(graphs.server.base / shown["type"] / shown["subfolder"] / shown["filename"]).convert("RGB")
    save(GRAPHS / "Any other model.jpg", scaled(both, 640))


def prior(graphs: Graphs) -> None:
    overlay, plot = graphs.pictures(graphs.prompt("Prior mask"), "CLEAR_PriorMask", [2, 3])
    save(PAGES / "prior_mask.jpg", column([beside([overlay[LATIN], overlay[CHINESE]], 960), plot[0]], 960))
    save(GRAPHS / "Prior mask.jpg", column([overlay[CHINESE], plot[0]], 640))
    # what the large model paints cannot be shown without its files, but what it replaces can
    save(GRAPHS / "Wan2.1 + CLEAR.jpg", column([frame(DEMO / "bunny_subtitled.mp4", LATIN), overlay[LATIN]], 480))


def burn(graphs: Graphs) -> None:
    rows = []
    for look in LOOKS:
        prompt = graphs.prompt("Burn subtitles")
        set_input(prompt, "CLEAR_BurnSubtitles", **look)
        subtitled, mask = graphs.pictures(prompt, "CLEAR_BurnSubtitles", [0, 1])
        index = int(np.argmax([np.asarray(m).sum() for m in mask]))
        rows.append([frame(DEMO / "bunny_clean.mp4", index), subtitled[index], mask[index]])
    save(PAGES / "burn_subtitles.jpg", column([beside(row, 960) for row in rows], 960))
    save(GRAPHS / "Burn subtitles.jpg", column([rows[1][1], rows[1][2]], 480))


def train_prior(graphs: Graphs) -> None:
    prompt = graphs.prompt("Train a prior")
    (overlay,) = graphs.pictures(prompt, "CLEAR_PriorMask", [2])
    (curves,) = graphs.pictures(prompt, "CLEAR_TrainPrior", [1])  # of the same run, which ComfyUI remembers
    save(GRAPHS / "Train a prior.jpg", column([overlay[LATIN], curves[0]], 480))
    prompt = only_to(prompt, {"CLEAR_TrainPrior"})
    set_input(prompt, "CLEAR_TrainPrior", name="picture_prior", steps=200)
    curves, example = graphs.pictures(prompt, "CLEAR_TrainPrior", [1, 2])
    save(PAGES / "train_prior.jpg", column([curves[0], example[0]], 640))


def train_lora(graphs: Graphs) -> None:
    prompt = graphs.prompt("Train a LoRA")
    set_input(prompt, "CLEAR_LoadPairs", frames=9, per_video=6)
    set_input(prompt, "CLEAR_TrainLoRA", name="picture_lora", height=96, width=320, steps=100, preview_every=100)
    prompt = {key: value for key, value in prompt.items() if value["class_type"] != "CLEAR_SubtitleRemove"}
    curves, example = graphs.pictures(prompt, "CLEAR_TrainLoRA", [2, 3])
    save(PAGES / "train_lora.jpg", column([curves[0], example[0]], 640))
    save(GRAPHS / "Train a LoRA.jpg", column([example[0], curves[0]], 480))


PICTURES = {
    "demo": demo,
    "given": given,
    "prior": prior,
    "burn": burn,
    "train_prior": train_prior,
    "train_lora": train_lora,
}


def frame(video: Path, index: int) -> Image.Image:
    picked = next(islice(read_frames(video), index, None))
    return Image.fromarray((picked * 255).round().to(torch.uint8).numpy())


def beside(pictures: list[Image.Image], width: int) -> Image.Image:
    """Pictures of one size in a row, `width` pixels in all."""
    each = width // len(pictures)
    parts = [scaled(picture, each) for picture in pictures]
    whole = Image.new("RGB", (each * len(parts), parts[0].height))
    for i, part in enumerate(parts):
        whole.paste(part, (i * each, 0))
    return whole


def column(pictures: list[Image.Image], width: int) -> Image.Image:
    """Pictures one below the other, all `width` pixels wide."""
    parts = [scaled(picture, width) for picture in pictures]
    whole, top = Image.new("RGB", (width, sum(part.height for part in parts))), 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height
    return whole


def scaled(picture: Image.Image, width: int) -> Image.Image:
    return (
        picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
        if picture.width != width
        else picture
    )


def save(path: Path, picture: Image.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.jpg")
    picture.save(part, quality=QUALITY, optimize=True)
    os.replace(part, path)
    print(path, picture.size, path.stat().st_size // 1024, "kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("comfyui", type=Path)
    parser.add_argument("--only", nargs="+", choices=PICTURES, default=list(PICTURES))
    options = parser.parse_args()
    with (
        ending_on_signals(),
        Server(Path(sys.executable), options.comfyui, cpu=not torch.cuda.is_available()) as server,
    ):
        graphs = Graphs(server)
        for name in options.only:
            PICTURES[name](graphs)


if __name__ == "__main__":
    main()
