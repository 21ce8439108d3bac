"""Write the graphs of the template browser, workflows/NAME.json, from what they are made of.

    python scripts/make_graphs.py            rewrite what differs
    python scripts/make_graphs.py --check    say what does, and fail where there is some

Each is written twice, in English and Chinese (scripts/graph_words.py), with one picture; what their notes say stands in
scripts/notes, without code, which the Vue renderer shows in blue on brown. Nodes stand in columns, with room for what
they show while they run; tests/browser/test_templates.py measures that nothing overlaps.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from drawn_graph import CONDITIONING, IMAGE, MASK, MODEL, VAE, VIDEO, Graph  # noqa: E402
from graph_values import COMPOSITE, FILM, LOOK, REMOVE, TRAINED_LOOK, training  # noqa: E402
from graph_words import CHINESE, ENGLISH, name_in  # noqa: E402

GRAPHS = ROOT / "workflows"
HUB = "https://huggingface.co"
DEMO, CLEAN, ONE_LINE = "clear_demo.mp4", "clear_demo_clean.mp4", "clear_demo_film.mp4"


def loaded(graph: Graph, of: str, clip: str = DEMO, title=None, height: int = 440) -> dict:
    """First column: a video, and the note of that name. Its frames, sound and rate, in the second."""
    video = graph.add("LoadVideo", [clip, "image"], title)
    graph.note(of, height=height)
    graph.column()
    return graph.add("GetVideoComponents", video=(video, VIDEO))


def compared(graph: Graph, film: dict, removed: dict, prefix: str) -> None:
    graph.add(
        "CLEAR_BeforeAfter",
        [25.0, prefix, 10.0],
        before=(film, "images"),
        after=(removed, IMAGE),
        mask=(removed, MASK),
        audio=(film, "audio"),
        report=(removed, "report_json"),
        fps=(film, "fps"),
    )
    graph.add("PreviewAny", title="What was found", size=(720, 240), source=(removed, "report"))


def nano(graph: Graph, strength: float = 1.0) -> dict:
    model = graph.add("CLEAR_LoadNano", [strength])
    return {"model": (model, MODEL), "vae": (model, VAE), "positive": (model, CONDITIONING)}


def removing(graph: Graph, film: dict, values: list, title: str | None = None, **linked) -> dict:
    rate = (film, "fps")
    return graph.add("CLEAR_SubtitleRemove", values, title, images=(film, "images"), fps=rate, **linked)


def no_download(language: str) -> Graph:
    graph = Graph(language)
    film = loaded(graph, "no_download")
    parts = nano(graph)
    graph.column()
    removed = removing(graph, film, REMOVE, **parts)
    graph.column()
    compared(graph, film, removed, "CLEAR/clean")
    return graph


def _file(name: str, folder: str, repository: str, path: str) -> dict:
    return {"name": name, "url": f"{HUB}/{repository}/resolve/main/{path}", "directory": folder}


COMFY = "Comfy-Org/Wan_2.1_ComfyUI_repackaged"
BASE = "diffusion_pytorch_model.safetensors"
LORA = "CLEAR-mask-free-subtitle-removal.pt"
HOLES = "Wan2_1-MiniMaxRemover_1_3B_fp16.safetensors"
CODEC, WORDS = "wan_2.1_vae.safetensors", "umt5_xxl_fp8_e4m3fn_scaled.safetensors"
FILES = {
    BASE: _file(BASE, "diffusion_models", "alibaba-pai/Wan2.1-Fun-V1.1-1.3B-Control", BASE),
    LORA: _file(LORA, "loras", "charlesw09/CLEAR-mask-free-video-subtitle-removal", LORA),
    HOLES: _file(HOLES, "diffusion_models", "Kijai/WanVideo_comfy", HOLES),
    CODEC: _file(CODEC, "vae", COMFY, f"split_files/vae/{CODEC}"),
    WORDS: _file(WORDS, "text_encoders", COMFY, f"split_files/text_encoders/{WORDS}"),
}
"""What the large models need, under the names that the downloads have."""


def wan(language: str) -> Graph:
    graph = Graph(language)
    film = loaded(graph, "wan", height=560)
    model = graph.add("CLEAR_LoadModel", [BASE, LORA, 1.0, "default"], models=[FILES[BASE], FILES[LORA]])
    vae = graph.add("VAELoader", [CODEC], models=[FILES[CODEC]])
    clip = graph.add("CLIPLoader", [WORDS, "wan", "default"], models=[FILES[WORDS]])
    prompt = graph.add("CLEAR_Prompt", clip=(clip, "CLIP"))
    graph.column()
    parts = {"model": (model, MODEL), "vae": (vae, VAE), "positive": (prompt, CONDITIONING)}
    removed = removing(graph, film, [5, *REMOVE[1:]], **parts)
    graph.column()
    compared(graph, film, removed, "CLEAR/clean")
    return graph


def one_node(language: str) -> Graph:
    inside = Graph(language)
    film = inside.add("GetVideoComponents")
    parts = nano(inside)
    inside.column()
    removed = removing(inside, film, REMOVE, **parts)
    graph = Graph(language)
    video = graph.add("LoadVideo", [DEMO, "image"])
    graph.note("one_node")
    graph.column()
    takes = {"video": (film, "video", VIDEO), "threshold": (removed, "threshold", "FLOAT")}
    takes["grow"] = (removed, "grow", "INT")
    gives = {one["name"]: (node, one["name"], one["type"]) for node in (film, removed) for one in node["outputs"]}
    node = graph.embed(inside, "Remove subtitles", takes, gives, (340, 280))
    graph.link(video, VIDEO, node, "video")
    graph.column()
    compared(graph, node, node, "CLEAR/clean")
    return graph


def minimax(language: str) -> Graph:
    graph = Graph(language)
    film = loaded(graph, "minimax", height=520)
    model = graph.add("CLEAR_LoadMiniMax", [HOLES, "default", "unipc", 3.0, 6], models=[FILES[HOLES]])
    vae = graph.add("VAELoader", [CODEC], models=[FILES[CODEC]])
    graph.column()
    removed = removing(graph, film, [6, *REMOVE[1:]], model=(model, MODEL), vae=(vae, VAE))
    graph.column()
    compared(graph, film, removed, "CLEAR/clean")
    return graph


def whole_film(language: str) -> Graph:
    graph = Graph(language)
    video = graph.add("LoadVideo", [DEMO, "image"])
    graph.note("whole_film", height=620)
    graph.column()
    parts = nano(graph)
    drawn = graph.add("CLEAR_DrawAreas", [""], video=(video, VIDEO))
    graph.column()
    graph.add("CLEAR_SubtitleRemoveVideo", FILM, video=(video, VIDEO), **areas(drawn), **parts)
    return graph


def any_other(language: str) -> Graph:
    graph = Graph(language)
    film = loaded(graph, "any_other", height=420)
    parts = nano(graph)
    graph.column()
    raw = ["raw" if value == "composite" else value for value in REMOVE]
    other = removing(graph, film, raw, "Any other model, in place of this", **parts)
    graph.column()
    joined = graph.add("CLEAR_Composite", COMPOSITE, source=(film, "images"), cleaned=(other, IMAGE), fps=(film, "fps"))
    graph.column()
    compared(graph, film, joined, "CLEAR/composite")
    return graph


def own_mask(language: str) -> Graph:
    graph = Graph(language)
    film = loaded(graph, "own_mask", height=520)
    parts = nano(graph)
    graph.column()
    drawn = graph.add("CLEAR_DrawAreas", ["subtitle 27%,74%,46%,24%"], images=(film, "images"))
    graph.column()
    values = ["look here" if value == "add" else value for value in REMOVE]
    removed = removing(graph, film, values, **areas(drawn), **parts)
    graph.column()
    compared(graph, film, removed, "CLEAR/masked")
    return graph


def areas(drawn: dict) -> dict:
    return {name: (drawn, name) for name in ("subtitle", "limit", "protect")}


UPSCALER = "RealESRGAN_x4plus.safetensors"


def upscale(language: str) -> Graph:
    graph = Graph(language)
    film = loaded(graph, "upscale", height=560)
    parts = nano(graph)
    file = _file(UPSCALER, "upscale_models", "Comfy-Org/Real-ESRGAN_repackaged", UPSCALER)
    model = graph.add("UpscaleModelLoader", [UPSCALER], models=[file])
    graph.column()
    removed = removing(graph, film, REMOVE, **parts)
    graph.column()
    large = graph.add("ImageUpscaleWithModel", upscale_model=(model, "UPSCALE_MODEL"), image=(removed, IMAGE))
    video = graph.add("CreateVideo", [25.0], images=(large, IMAGE), audio=(film, "audio"), fps=(film, "fps"))
    graph.add("SaveVideo", ["CLEAR/upscaled", "auto", "auto"], video=(video, VIDEO))
    graph.column()
    compared(graph, film, removed, "")
    return graph


SEGMENTER = "sam3.1_multiplex_fp16.safetensors"


def words(language: str) -> Graph:
    graph = Graph(language)
    film = loaded(graph, "words", height=780)
    file = _file(SEGMENTER, "checkpoints", "Comfy-Org/sam3.1", f"checkpoints/{SEGMENTER}")
    sam = graph.add("CheckpointLoaderSimple", [SEGMENTER], "SAM3", models=[file])
    named = graph.add("CLIPTextEncode", ["subtitle"], "What shall go", clip=(sam, "CLIP"))
    parts = nano(graph)
    graph.column()
    track = graph.add(
        "SAM3_VideoTrack", [0.5, 4, 1], images=(film, "images"), model=(sam, MODEL), conditioning=(named, CONDITIONING)
    )
    masks = graph.add("SAM3_TrackToMask", [""], track_data=(track, "track_data"))
    wide = graph.add("GrowMask", [6, True], mask=(masks, "masks"))
    graph.column()
    values = ["only" if value == "add" else value for value in REMOVE]
    removed = removing(graph, film, values, subtitle=(wide, MASK), **parts)
    graph.column()
    compared(graph, film, removed, "CLEAR/named")
    return graph


def show(language: str) -> Graph:
    graph = Graph(language)
    film = loaded(graph, "show", height=360)
    graph.column()
    found = graph.add("CLEAR_PriorMask", ["bundled light prior", 0.5, 0, True], images=(film, "images"))
    graph.column()
    _heat(graph, film, found)
    return graph


def _heat(graph: Graph, film: dict, found: dict) -> None:
    graph.add(
        "CLEAR_BeforeAfter",
        [25.0, "", 10.0],
        "Film and heat",
        before=(film, "images"),
        after=(found, "overlay"),
        mask=(found, "binary"),
        fps=(film, "fps"),
    )
    graph.add("PreviewImage", title="How much of each frame is subtitle", size=(720, 280), images=(found, "plot"))
    graph.add("PreviewAny", title="What was found", size=(720, 240), source=(found, "report"))


def pairs(language: str) -> Graph:
    graph = Graph(language)
    film = loaded(graph, "pairs", CLEAN)
    graph.column()
    burned = graph.add(
        "CLEAR_BurnSubtitles", [24.0, "", "latin", "as set", "", 6.5, *LOOK], images=(film, "images"), fps=(film, "fps")
    )
    graph.column()
    graph.add(
        "CLEAR_BeforeAfter",
        [25.0, "", 10.0],
        "What was burned, and its exact mask",
        before=(burned, IMAGE),
        after=(film, "images"),
        mask=(burned, MASK),
        fps=(film, "fps"),
    )
    graph.add("PreviewAny", title="The lines", size=(720, 240), source=(burned, "report"))
    graph.column()
    video = graph.add("CreateVideo", [25.0], images=(burned, IMAGE), audio=(film, "audio"), fps=(film, "fps"))
    graph.add("SaveVideo", ["CLEAR/pairs/subtitled/film", "auto", "auto"], "Subtitled half", video=(video, VIDEO))
    clean = graph.nodes[0]
    graph.add("SaveVideo", ["CLEAR/pairs/clean/film", "auto", "auto"], "Clean half", video=(clean, VIDEO))
    return graph


def watched(graph: Graph, trained: dict, example: str, height: int) -> None:
    """A training's curves, so high, and its example."""
    graph.add("PreviewImage", title="Curves", size=(420, height), images=(trained, "curves"))
    graph.add("PreviewImage", title=example, size=(420, 300), images=(trained, "example"))


def train_lora(language: str) -> Graph:
    graph = Graph(language, scale=0.6)
    film = loaded(graph, "train_lora", CLEAN, "Clean video", height=620)
    graph.column()
    burned = graph.add("CLEAR_BurnSubtitles", TRAINED_LOOK, images=(film, "images"), fps=(film, "fps"))
    graph.column()
    clips = graph.add("CLEAR_LoadPairs", ["", CLEAN, "by name", 9, 6, 640, 0, False], style=(burned, "style"))
    bare = nano(graph, 0.0)
    other = graph.add("LoadVideo", [DEMO, "image"], "Video with subtitles")
    subtitled = graph.add("GetVideoComponents", video=(other, VIDEO))
    graph.column()
    trained = graph.add("CLEAR_TrainLoRA", training("demo_lora"), **bare, pairs=(clips, "pairs"))
    graph.column()
    watched(graph, trained, "Before, after, where the model sees the subtitle", height=460)
    graph.column()
    removed = removing(graph, subtitled, REMOVE, **(bare | {"model": (trained, MODEL)}))
    graph.column()
    compared(graph, subtitled, removed, "CLEAR/trained")
    return graph


def train_from_film(language: str) -> Graph:
    graph = Graph(language, scale=0.6)
    video = graph.add("LoadVideo", [ONE_LINE, "image"], "The film")
    graph.note("train_from_film", height=620)
    graph.column()
    clips = graph.add("CLEAR_LoadPairs", [ONE_LINE, "", "by name", 9, 12, 640, 0, True], "Pairs from this film")
    bare = nano(graph, 0.0)
    graph.add("PreviewAny", title="How its lines look", source=(clips, "report"))
    graph.column()
    trained = graph.add("CLEAR_TrainLoRA", training("film_lora"), **bare, pairs=(clips, "pairs"))
    graph.column()
    watched(graph, trained, "Before, after, where the model sees the subtitle", height=460)
    graph.column()
    removed = graph.add("CLEAR_SubtitleRemoveVideo", FILM, video=(video, VIDEO), **(bare | {"model": (trained, MODEL)}))
    graph.column()
    graph.add("PreviewAny", title="What was found", size=(720, 240), source=(removed, "report"))
    return graph


def train_prior(language: str) -> Graph:
    graph = Graph(language, scale=0.6)
    trained = graph.add("CLEAR_TrainPrior", [DEMO, "demo_prior", "light", "from scratch", 60, 4, 0.0, 0, CLEAN])
    graph.note("train_prior", 380, 500)
    graph.column()
    watched(graph, trained, "A frame, its pseudo-label, what the prior marks", height=320)
    graph.add("PreviewAny", title="Report", source=(trained, "report"))
    graph.column()
    video = graph.add("LoadVideo", [DEMO, "image"], "Video with subtitles")
    film = graph.add("GetVideoComponents", video=(video, VIDEO))
    graph.column()
    found = graph.add(
        "CLEAR_PriorMask", ["bundled light prior", 0.5, 0, True], images=(film, "images"), trained=(trained, "prior")
    )
    graph.column()
    _heat(graph, film, found)
    return graph


ALL = {
    "Remove subtitles (no download)": no_download,
    "Remove subtitles (Wan2.1 + CLEAR)": wan,
    "Remove subtitles (MiniMax-Remover)": minimax,
    "Remove subtitles from a whole film": whole_film,
    "Remove subtitles (one node)": one_node,
    "Remove subtitles (any other model)": any_other,
    "Remove with your own mask (logo, watermark)": own_mask,
    "Remove what you name (text to mask, SAM3)": words,
    "Clean, then upscale": upscale,
    "Show where subtitles are": show,
    "Make training pairs": pairs,
    "Train a LoRA from clean film": train_lora,
    "Train a LoRA from this film": train_from_film,
    "Train a prior": train_prior,
}


def made() -> dict[Path, bytes]:
    """What each file shall hold; of the pictures, which scripts/shots.py makes, those of further languages."""
    files = {}
    for name, make in ALL.items():
        for language in (ENGLISH, CHINESE):
            files[GRAPHS / f"{name_in(language, name)}.json"] = make(language).text().encode()
        picture = GRAPHS / f"{name}.jpg"
        if picture.exists():
            files[GRAPHS / f"{name_in(CHINESE, name)}.jpg"] = picture.read_bytes()
    return files


def main(check: bool) -> None:
    files = made()
    stale = [path for path, content in files.items() if not path.exists() or path.read_bytes() != content]
    left = [path for path in GRAPHS.iterdir() if path.suffix == ".json" and path not in files]
    if check and stale + left:
        names = ", ".join(path.name for path in stale + left)
        raise SystemExit(f"out of date: {names}. Run python scripts/make_graphs.py")
    for path in left:
        path.unlink()
    for path in stale:
        path.write_bytes(files[path])


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
