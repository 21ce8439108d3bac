"""Make the pictures of README, help pages and the template browser, by running the graphs on the bundled clip.

    python run.py shots [demo film page one other mask words upscale prior train_prior burn train_lora from_film]

Writes docs/, web/docs/pictures/, workflows/GRAPH.jpg and assets/, in about half an hour on two CPU cores, most of it
for training; a name takes that picture's time alone. Those of the page (film, page, one, mask) need a Chromium. Letters
of burned lines come from the fonts that are installed.
"""

import argparse
import contextlib
import io
import json
import math
import shutil
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from graph_words import NAMES
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from clear_runtime.atomic import WholeFile  # noqa: E402
from clear_runtime.media.video import read_frames  # noqa: E402
from launch.console import ending_on_signals  # noqa: E402
from launch.graph import only_to, set_input, to_prompt  # noqa: E402
from launch.page import ComfyPage, chromium  # noqa: E402
from launch.server import Server  # noqa: E402

PAGES, GRAPHS, DEMO = ROOT / "web" / "docs" / "pictures", ROOT / "workflows", ROOT / "assets" / "demo"
DOCS, ASSETS = ROOT / "docs", ROOT / "assets"
QUALITY = 84
PAGE = 1380, 1150
"""Width and height of the page in pixels: Remove Subtitles and Before / After of the first graph."""
MOVING = 640, 60, 2
"""README's moving picture: width in pixels, quality as WebP, and which of the frames: every so many."""
BARE = {"Comfy.Minimap.Visible": False, "Comfy.Graph.CanvasInfo": False}  # what the page lays over the graph's corners
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


def compared(graphs: Graphs, name: str) -> list[list[Image.Image]]:
    """All frames before and after, of a graph that removes."""
    return layers(graphs, name)[:2]


def layers(graphs: Graphs, name: str) -> list[list[Image.Image]]:
    """All frames before, after, and of the mask, of a graph that removes."""
    outputs = graphs.server.run(only_to(graphs.prompt(name), {"CLEAR_BeforeAfter"}))
    (shown,) = (one for output in outputs.values() for one in output.get("clear_compare", []))
    frames = [as_picture(one) for one in read_frames(graphs.server.base / "temp" / shown["layers"]["filename"])]
    high = frames[0].height // len(shown["names"])
    return [[one.crop((0, n * high, one.width, (n + 1) * high)) for one in frames] for n in range(len(shown["names"]))]


def wiped(before: Image.Image, after: Image.Image, share: float) -> Image.Image:
    """The picture after, over the right `share` of the one before."""
    at = round((1 - share) * before.width)
    whole = before.copy()
    whole.paste(after.crop((at, 0, *after.size)), (at, 0))
    if 0 < at < before.width:
        whole.paste((255, 255, 255), (at - 1, 0, at + 1, before.height))
    return whole


def demo(graphs: Graphs) -> None:
    name = "Remove subtitles (no download)"
    before, after = compared(graphs, name)
    swing = [0.5 - 0.5 * math.cos(2 * math.pi * i / len(before)) for i in range(len(before))]  # there and back
    width, quality, every = MOVING
    frames = [scaled(wiped(*one), width) for one in list(zip(before, after, swing, strict=True))[::every]]
    path = DOCS / "before_after.webp"
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=round(1000 * every / 24),
        loop=0,
        quality=quality,
        method=6,
    )
    print(path, frames[0].size, path.stat().st_size // 1024, "kB")
    save(GRAPHS / f"{name}.jpg", wiped(before[LATIN], after[LATIN], 0.5))
    brand(before[LATIN], after[LATIN])


def brand(before: Image.Image, after: Image.Image) -> None:
    """The registry's icon (400x400) and banner (21:9), of the real result."""
    width, height = before.size
    side = height // 2
    corner = width // 2 - side // 2, height - side - 8
    crop = lambda one: one.crop((*corner, corner[0] + side, corner[1] + side))
    save(ASSETS / "icon.jpg", wiped(crop(before), crop(after), 0.5).resize((400, 400), Image.Resampling.LANCZOS))
    tall = round(width * 9 / 21)
    whole = wiped(before, after, 0.5).crop((0, height - tall, width, height))
    save(ASSETS / "banner.jpg", whole.resize((1260, 540), Image.Resampling.LANCZOS))


def words(graphs: Graphs) -> None:
    """SAM3 cannot be shown without its file; what becomes of a mask can."""
    own, name = "Remove with your own mask (logo, watermark)", "Remove what you name (text to mask, SAM3)"
    before, after, mask = layers(graphs, own)
    red = Image.new("RGB", before[LATIN].size, (220, 40, 40))
    tinted = Image.composite(red, before[LATIN], mask[LATIN].convert("L"))
    save(GRAPHS / f"{name}.jpg", column([tinted, after[LATIN]], 480))


def upscale(graphs: Graphs) -> None:
    """The upscaler cannot be shown without its file; where the four times the size come from can."""
    before, after = compared(graphs, "Remove subtitles (no download)")
    width, height = after[LATIN].size
    small = (width // 2 - width // 8, height - height // 4 - 8)
    part = after[LATIN].crop((*small, small[0] + width // 4, small[1] + height // 4))
    large = part.resize((width, height), Image.Resampling.LANCZOS)
    save(GRAPHS / "Clean, then upscale.jpg", column([wiped(before[LATIN], after[LATIN], 0.5), large], 480))


@contextlib.contextmanager
def opened(graphs: Graphs, name: str):
    """The real page with a graph."""
    from playwright.sync_api import sync_playwright  # only these pictures need it

    if chromium() is None:
        raise SystemExit("No Chromium is installed (Debian: apt install chromium); CLEAR_CHROMIUM names one elsewhere.")
    with sync_playwright() as playwright:
        graphs.server.request("/api/settings", BARE)
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        shown = ComfyPage(browser, graphs.server, size=PAGE)
        shown.load(GRAPHS / f"{name}.json")
        shown.page.wait_for_timeout(2000)
        yield shown
        browser.close()


def run(shown: ComfyPage) -> None:
    # the panel keeps what it said before: how long the run took is this machine's, and that of what else it did
    shown.page.wait_for_function("() => app.graph.nodes.some(n => n.subgraph || n.clearLive?.plan?.textContent)")
    shown.run_js("() => Object.defineProperty(document, 'hidden', { get: () => true })")
    shown.queue()
    shown.wait_for_end(900)
    shown.page.wait_for_timeout(2000)


def part_of(shown: ComfyPage, selector: str, kind: str, scale: float = 1.0) -> Image.Image:
    """What an element of the page looks like, in a node of that kind, at that zoom."""
    # the canvas hides what is out of sight: the lower part of the node has to be in the middle first
    x, y = shown.run_js(
        "k => (n => [n.pos[0], n.pos[1] + 0.85 * n.size[1]])(app.graph.nodes.find(n => n.type === k))", kind
    )
    shown.whole_view(scale, (x, y - PAGE[1] / 2 / scale))
    shown.middle_of(f"document.querySelector('{selector}')")
    return Image.open(io.BytesIO(shown.page.locator(selector).first.screenshot())).convert("RGB")


def mask(graphs: Graphs) -> None:
    name = "Remove with your own mask (logo, watermark)"
    with opened(graphs, name) as shown:
        drawn = part_of(shown, ".clear-areas", "CLEAR_DrawAreas", 1.5)
    save(GRAPHS / f"{name}.jpg", scaled(drawn, 640))
    save(PAGES / "draw_areas.jpg", scaled(drawn, 640))


def film(graphs: Graphs) -> None:
    name = "Remove subtitles from a whole film"
    with opened(graphs, name) as shown:
        run(shown)
        part_of(shown, ".clear-live", "CLEAR_SubtitleRemoveVideo")
        shown.page.locator(".clear-found-removed").first.evaluate("row => row.click()")
        shown.page.wait_for_timeout(1500)
        panel = part_of(shown, ".clear-live", "CLEAR_SubtitleRemoveVideo", 1.3)
    save(PAGES / "film.jpg", panel)
    result = max((graphs.server.base / "output" / "CLEAR").glob("film_*.mp4"), key=lambda path: path.stat().st_mtime)
    lines = [wiped(frame(DEMO / "bunny_subtitled.mp4", at), frame(result, at), 0.5) for at in (LATIN, CHINESE)]
    save(GRAPHS / f"{name}.jpg", column(lines, 480))


def one(graphs: Graphs) -> None:
    """The folded node and what comes of it."""
    name = "Remove subtitles (one node)"
    with opened(graphs, name) as shown:
        run(shown)
        left, top, right, bottom = shown.run_js(
            "() => (all => [0, 1].map(i => Math.min(...all.map(n => n.pos[i]))).concat("
            "[0, 1].map(i => Math.max(...all.map(n => n.pos[i] + n.size[i])))))"
            "(app.graph.nodes.filter(n => n.subgraph || n.comfyClass === 'CLEAR_BeforeAfter'))"
        )
        scale = (PAGE[0] - 250) / (right - left)
        shown.whole_view(scale, (left - 50, top - 200))
        # the view's corner lies 90 and 60 pixels inside of the page, a title 30 above its node; a rim of 12
        clip = dict(
            x=90 + 50 * scale - 12, y=60 + 170 * scale - 12,
            width=(right - left) * scale + 24, height=(bottom - top + 30) * scale + 24,
        )  # fmt: skip
        both = Image.open(io.BytesIO(shown.page.screenshot(clip=clip))).convert("RGB")
    save(GRAPHS / f"{name}.jpg", scaled(both, 640))


def other(graphs: Graphs) -> None:
    """The place of the subtitle before, as the other model gives it, and composited."""
    name = "Remove subtitles (any other model)"
    before, after = compared(graphs, name)
    raw = graphs.pictures(graphs.prompt(name), "CLEAR_SubtitleRemove", [0])[0]
    width, height = before[LATIN].size
    place = lambda one: one.crop((width // 4, height // 2, 3 * width // 4, height))
    save(GRAPHS / f"{name}.jpg", column([place(one[LATIN]) for one in (before, raw, after)], 360))


def page(graphs: Graphs) -> None:
    """The real page with the first graph run."""
    with opened(graphs, "Remove subtitles (no download)") as shown:
        run(shown)
        shown.whole_view(1.0, (740, -100))
        shown.page.wait_for_timeout(10_000)  # until the page takes away that a job is done
        whole = Image.open(io.BytesIO(shown.page.screenshot())).convert("RGB")
        save(DOCS / "page.jpg", whole.crop((60, 84, PAGE[0] - 40, PAGE[1])))
        save(PAGES / "before_after.jpg", scaled(part_of(shown, ".clear-compare", "CLEAR_BeforeAfter"), 720))
        save(PAGES / "remove.jpg", part_of(shown, ".clear-live", "CLEAR_SubtitleRemove"))


def prior(graphs: Graphs) -> None:
    overlay, plot = graphs.pictures(graphs.prompt("Show where subtitles are"), "CLEAR_PriorMask", [2, 3])
    save(PAGES / "prior_mask.jpg", column([beside([overlay[LATIN], overlay[CHINESE]], 960), plot[0]], 960))
    save(GRAPHS / "Show where subtitles are.jpg", column([overlay[CHINESE], plot[0]], 640))
    # what the large model paints cannot be shown without its files, but what it replaces can
    save(
        GRAPHS / "Remove subtitles (Wan2.1 + CLEAR).jpg",
        column([frame(DEMO / "bunny_subtitled.mp4", LATIN), overlay[LATIN]], 480),
    )
    holes = graphs.pictures(graphs.prompt("Show where subtitles are"), "CLEAR_PriorMask", [1])[0]
    shown = frame(DEMO / "bunny_subtitled.mp4", LATIN)
    grey = Image.composite(Image.new("RGB", shown.size, (128, 128, 128)), shown, holes[LATIN].convert("L"))
    save(GRAPHS / "Remove subtitles (MiniMax-Remover).jpg", column([shown, grey], 480))  # what the network is shown


def burn(graphs: Graphs) -> None:
    rows = []
    for look in LOOKS:
        prompt = graphs.prompt("Make training pairs")
        set_input(prompt, "CLEAR_BurnSubtitles", **look)
        subtitled, mask = graphs.pictures(prompt, "CLEAR_BurnSubtitles", [0, 1])
        index = int(np.argmax([np.asarray(m).sum() for m in mask]))
        rows.append([frame(DEMO / "bunny_clean.mp4", index), subtitled[index], mask[index]])
    save(PAGES / "burn_subtitles.jpg", column([beside(row, 960) for row in rows], 960))
    save(GRAPHS / "Make training pairs.jpg", column([rows[1][1], rows[1][2]], 480))


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
    prompt = graphs.prompt("Train a LoRA from clean film")
    set_input(prompt, "CLEAR_LoadPairs", frames=9, per_video=6)
    small = dict(height=96, width=256, batch=2)
    set_input(prompt, "CLEAR_TrainLoRA", name="picture_lora", recipe="paper", steps=400, preview_every=100, **small)
    prompt = {key: value for key, value in prompt.items() if value["class_type"] != "CLEAR_SubtitleRemove"}
    curves, example = graphs.pictures(prompt, "CLEAR_TrainLoRA", [2, 3])
    save(PAGES / "train_lora.jpg", column([curves[0], example[0]], 640))
    save(GRAPHS / "Train a LoRA from clean film.jpg", column([example[0], curves[0]], 480))


def from_film(graphs: Graphs) -> None:
    """The demo clip has no stretch without text; of its own lines, what a pair looks like can be shown."""
    subtitled, clean = (frame(DEMO / f"bunny_{half}.mp4", LATIN) for half in ("subtitled", "clean"))
    save(GRAPHS / "Train a LoRA from this film.jpg", column([wiped(subtitled, clean, 0.5), subtitled], 480))


PICTURES = {
    "demo": demo,
    "film": film,  # between two that remove frames: of what comes from the cache the page shows no progress
    "page": page,
    "one": one,
    "other": other,
    "mask": mask,
    "words": words,
    "upscale": upscale,
    "prior": prior,
    "burn": burn,
    "train_prior": train_prior,
    "train_lora": train_lora,
    "from_film": from_film,
}


def frame(video: Path, index: int) -> Image.Image:
    return as_picture(next(islice(read_frames(video), index, None)))


def as_picture(one: torch.Tensor) -> Image.Image:
    return Image.fromarray((one * 255).round().to(torch.uint8).numpy())


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
    with WholeFile(path) as part:
        picture.save(part, quality=QUALITY, optimize=True)
    if path.parent == GRAPHS:
        shutil.copyfile(path, path.with_stem(NAMES[path.stem]))
    print(path, picture.size, path.stat().st_size // 1024, "kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("comfyui", type=Path, help="ComfyUI's folder")
    parser.add_argument("pictures", nargs="*", metavar="PICTURE", help=f"of {', '.join(PICTURES)}; all without one")
    options = parser.parse_args()
    unknown = [name for name in options.pictures if name not in PICTURES]
    if unknown:
        parser.error(f"there is no picture {unknown[0]}; there are {', '.join(PICTURES)}")
    with (
        ending_on_signals(),
        Server(Path(sys.executable), options.comfyui, cpu=not torch.cuda.is_available()) as server,
    ):
        graphs = Graphs(server)
        for name in options.pictures or PICTURES:
            PICTURES[name](graphs)


if __name__ == "__main__":
    main()
