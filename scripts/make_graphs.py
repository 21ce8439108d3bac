"""Write the graphs of the template browser, workflows/NAME.json, from what they are made of.

    python scripts/make_graphs.py            rewrite what differs
    python scripts/make_graphs.py --check    say what does, and fail where there is some

Nodes stand in columns, with room for what they show while they run; tests/browser/test_templates.py measures that nothing
overlaps in either renderer. A note has no code in it, which the Vue renderer shows in blue on brown.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GRAPHS = ROOT / "workflows"
HUB = "https://huggingface.co"
DEMO, CLEAN = "clear_demo.mp4", "clear_demo_clean.mp4"
REMOVE = [1, 1.0, 0, 81, 16, "composite", "auto", "auto", "auto", -1, 2, "bundled light prior", True, 0.5, "add", "auto"]
REMOVE += [True]
LOOK = ["#ffffff", 8.0, "#000000", 0.0, 0.0, "#000000", 1.0, "bottom", 5.0, 0.2, 3]
IMAGE, MASK, AUDIO, VIDEO, FLOAT, STRING = "IMAGE", "MASK", "AUDIO", "VIDEO", "FLOAT", "STRING"
MODEL, VAE, CONDITIONING = "MODEL", "VAE", "CONDITIONING"
OUTPUTS = {
    "LoadVideo": [(VIDEO, VIDEO)],
    "GetVideoComponents": [("images", IMAGE), ("audio", AUDIO), ("fps", FLOAT)],
    "GetImageSize": [("width", "INT"), ("height", "INT"), ("batch_size", "INT")],
    "SolidMask": [(MASK, MASK)],
    "MaskComposite": [(MASK, MASK)],
    "CreateVideo": [(VIDEO, VIDEO)],
    "VAELoader": [(VAE, VAE)],
    "CLIPLoader": [("CLIP", "CLIP")],
    "CLEAR_LoadNano": [(MODEL, MODEL), (VAE, VAE), (CONDITIONING, CONDITIONING)],
    "CLEAR_LoadModel": [(MODEL, MODEL)],
    "CLEAR_Prompt": [(CONDITIONING, CONDITIONING)],
    "CLEAR_SubtitleRemove": [(IMAGE, IMAGE), (MASK, MASK), ("report", STRING), ("report_json", STRING)],
    "CLEAR_PriorMask": [("soft", MASK), ("binary", MASK), ("overlay", IMAGE), ("plot", IMAGE), ("report", STRING)],
    "CLEAR_BurnSubtitles": [(IMAGE, IMAGE), (MASK, MASK), ("style", "CLEAR_BURN_STYLE"), ("report", STRING)],
    "CLEAR_LoadPairs": [("pairs", "CLEAR_PAIRS"), ("report", STRING)],
    "CLEAR_TrainPrior": [("prior", STRING), ("curves", IMAGE), ("example", IMAGE), ("report", STRING)],
    "CLEAR_TrainLoRA": [
        (MODEL, MODEL),
        ("lora", STRING),
        ("curves", IMAGE),
        ("example", IMAGE),
        ("report", STRING),
    ],
}
SIZES = {
    "LoadVideo": (340, 440),
    "GetVideoComponents": (270, 130),
    "GetImageSize": (270, 130),
    "SolidMask": (270, 140),
    "MaskComposite": (270, 190),
    "CreateVideo": (270, 140),
    "SaveVideo": (340, 420),
    "VAELoader": (300, 90),
    "CLIPLoader": (300, 150),
    "PreviewAny": (420, 220),
    "PreviewImage": (420, 320),
    "CLEAR_LoadNano": (270, 150),
    "CLEAR_LoadModel": (300, 210),
    "CLEAR_Prompt": (300, 90),
    "CLEAR_SubtitleRemove": (360, 960),
    "CLEAR_PriorMask": (360, 520),
    "CLEAR_BurnSubtitles": (360, 890),
    "CLEAR_BeforeAfter": (720, 640),
    "CLEAR_LoadPairs": (340, 440),
    "CLEAR_TrainPrior": (380, 860),
    "CLEAR_TrainLoRA": (380, 1260),
}
"""Width and height with room for pictures; the Vue renderer's rows are the taller ones."""
GAP = 70
"""Pixels between nodes; a title of 30 stands above each."""


class Graph:
    """Nodes in columns from left to right, each below the one before."""

    def __init__(self, *, scale: float = 0.7):
        self.nodes: list[dict] = []
        self.links: list[list] = []
        self.scale, self.left, self.top, self.wide = scale, 0, 0, 0

    def column(self) -> None:
        self.left, self.top, self.wide = self.left + self.wide + GAP, 0, 0

    def note(self, text: str, width: int = 340, height: int = 440) -> None:
        node = self._placed("MarkdownNote", (width, height), "Read me", [text])
        node |= {"color": "#432", "bgcolor": "#653"}

    def add(self, kind: str, values=(), title=None, models=(), size=None, **inputs) -> dict:
        """A node with widget values, and links by its inputs' names: input=(node, output's name)."""
        node = self._placed(kind, size or SIZES[kind], title, list(values))
        node["properties"] = {"Node name for S&R": kind} | ({"models": list(models)} if models else {})
        node["outputs"] = [{"name": name, "type": type_, "links": []} for name, type_ in OUTPUTS.get(kind, ())]
        for name, (source, output) in inputs.items():
            self._link(source, output, node, name)
        return node

    def _placed(self, kind, size, title, values) -> dict:
        node = {
            "id": len(self.nodes) + 1,
            "type": kind,
            "pos": [self.left, self.top],
            "size": list(size),
            "flags": {},
            "order": len(self.nodes),
            "mode": 0,
            "inputs": [],
            "outputs": [],
            "properties": {},
            "widgets_values": values,
        } | ({"title": title} if title else {})
        self.nodes.append(node)
        self.top, self.wide = self.top + size[1] + GAP, max(self.wide, size[0])
        return node

    def _link(self, source, output, node, name) -> None:
        slot = [one["name"] for one in source["outputs"]].index(output)
        number, kind = len(self.links) + 1, source["outputs"][slot]["type"]
        widget = {"widget": {"name": name}} if name in LINKED_WIDGETS else {}
        taken = "*" if node["type"] == "PreviewAny" else kind
        node["inputs"].append({"name": name, "type": taken, "link": number, **widget})
        source["outputs"][slot]["links"].append(number)
        self.links.append([number, source["id"], slot, node["id"], len(node["inputs"]) - 1, taken])

    def text(self) -> str:
        whole = {
            "revision": 0,
            "last_node_id": len(self.nodes),
            "last_link_id": len(self.links),
            "nodes": self.nodes,
            "links": self.links,
            "groups": [],
            "config": {},
            "extra": {"ds": {"scale": self.scale, "offset": [80, 80]}},
            "version": 0.4,
        }
        return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


LINKED_WIDGETS = {"fps", "width", "height"}
"""Inputs that are widgets where nothing is linked."""


def loaded(graph: Graph, note: str, clip: str = DEMO, title=None, height: int = 440) -> dict:
    """First column: a video and what is to be read. Its frames, sound and rate, in the second."""
    video = graph.add("LoadVideo", [clip, "image"], title)
    graph.note(note, height=height)
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


def no_download() -> Graph:
    graph = Graph()
    film = loaded(
        graph,
        "## Remove subtitles, nothing to download\n\nPress **Run**. The clip is a few seconds of *Big Buck Bunny* (© Blender "
        "Foundation, CC BY 3.0) with subtitles burned in. For a video of your own, choose another file in **Load Video**.\n\n"
        "**Before / After**: drag the line, play, step with the arrow keys, zoom with the wheel. It saves the clean video "
        "in ComfyUI's output folder, under CLEAR, with this graph in it.\n\n**It missed a line?** Lower *threshold*, or draw "
        "where it is: template *Remove with your own mask*. **It took too much?** *limit* and *protect* take masks.",
    )
    parts = nano(graph)
    graph.column()
    removed = graph.add("CLEAR_SubtitleRemove", REMOVE, images=(film, "images"), **parts)
    graph.column()
    compared(graph, film, removed, "CLEAR/clean")
    return graph


def _file(name: str, folder: str, repository: str, path: str) -> dict:
    return {"name": name, "url": f"{HUB}/{repository}/resolve/main/{path}", "directory": folder}


COMFY = "Comfy-Org/Wan_2.1_ComfyUI_repackaged"
BASE = "diffusion_pytorch_model.safetensors"
LORA = "CLEAR-mask-free-subtitle-removal.pt"
CODEC, WORDS = "wan_2.1_vae.safetensors", "umt5_xxl_fp8_e4m3fn_scaled.safetensors"
FILES = {
    BASE: _file(BASE, "diffusion_models", "alibaba-pai/Wan2.1-Fun-V1.1-1.3B-Control", BASE),
    LORA: _file(LORA, "loras", "charlesw09/CLEAR-mask-free-video-subtitle-removal", LORA),
    CODEC: _file(CODEC, "vae", COMFY, f"split_files/vae/{CODEC}"),
    WORDS: _file(WORDS, "text_encoders", COMFY, f"split_files/text_encoders/{WORDS}"),
}
"""What the large model needs, under the names that the downloads have."""


def wan() -> Graph:
    graph = Graph()
    film = loaded(
        graph,
        "## Remove subtitles with Wan2.1 and CLEAR\n\nFor films, on a graphics card. Four files; ComfyUI offers them when "
        "this graph opens, or by hand:\n\n"
        f"- models/diffusion_models: [{BASE}]({HUB}/alibaba-pai/Wan2.1-Fun-V1.1-1.3B-Control) (Fun-Control **V1.1** 1.3B, "
        "not T2V)\n"
        f"- models/vae: [{CODEC}]({HUB}/{COMFY}/tree/main/split_files/vae)\n"
        f"- models/text_encoders: [{WORDS}]({HUB}/{COMFY}/tree/main/split_files/text_encoders)\n"
        f"- models/loras: [{LORA}]({HUB}/charlesw09/CLEAR-mask-free-video-subtitle-removal)\n\n"
        "Press **R**, or reload the page, then choose them in the nodes. The text encoder is read once: **CLEAR Prompt** "
        "keeps what it needs, and **Load CLIP** can go.",
        height=560,
    )
    model = graph.add("CLEAR_LoadModel", [BASE, LORA, 1.0, "default"], models=[FILES[BASE], FILES[LORA]])
    vae = graph.add("VAELoader", [CODEC], models=[FILES[CODEC]])
    clip = graph.add("CLIPLoader", [WORDS, "wan", "default"], models=[FILES[WORDS]])
    prompt = graph.add("CLEAR_Prompt", clip=(clip, "CLIP"))
    graph.column()
    removed = graph.add(
        "CLEAR_SubtitleRemove",
        [5, *REMOVE[1:]],
        images=(film, "images"),
        model=(model, MODEL),
        vae=(vae, VAE),
        positive=(prompt, CONDITIONING),
    )
    graph.column()
    compared(graph, film, removed, "CLEAR/clean")
    return graph


def own_mask() -> Graph:
    graph = Graph()
    film = loaded(
        graph,
        "## Remove what you point at\n\nFor a watermark, a logo, a name in a corner, or a line that is never found. **Size of "
        "the area** and **Place of the area** say where it is, in pixels: *x* and *y* are its left upper corner. Press "
        "**Run**, and set the slider of **Before / After** to *mask* to see whether it covers all of it.\n\nAny other mask "
        "does as well: of Load Image (as Mask), drawn in the mask editor, or of a segmenter such as SAM3; one mask, or one "
        "for each frame.\n\n*subtitle_use* is *only*: this area and nothing else. *look here* takes only the letters in it; "
        "*add* takes it beside what is found.",
        height=520,
    )
    size = graph.add("GetImageSize", image=(film, "images"))
    empty = graph.add(
        "SolidMask", [0.0, 512, 512], "All of the picture", width=(size, "width"), height=(size, "height")
    )
    area = graph.add("SolidMask", [1.0, 292, 84], "Size of the area")
    mask = graph.add(
        "MaskComposite", [174, 262, "add"], "Place of the area", destination=(empty, MASK), source=(area, MASK)
    )
    graph.column()
    parts = nano(graph)
    graph.column()
    values = ["only" if value == "add" else value for value in REMOVE]
    removed = graph.add(
        "CLEAR_SubtitleRemove", values, images=(film, "images"), subtitle=(mask, MASK), **parts
    )
    graph.column()
    compared(graph, film, removed, "CLEAR/masked")
    return graph


def show() -> Graph:
    graph = Graph()
    film = loaded(
        graph,
        "## Where are the subtitles?\n\nPress **Run**: the pack's small network (its *prior*) marks what it takes for "
        "subtitles, in any script. Nothing is changed or saved. The slider shows the film on the left and the heat on "
        "the right: the brighter, the surer.\n\nThe mask *binary* fits every node that takes a mask. With *temporal* on, "
        "lettering that moves with the scene is left out.",
        height=360,
    )
    graph.column()
    found = graph.add(
        "CLEAR_PriorMask", ["bundled light prior", 0.5, 0, True], images=(film, "images")
    )
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


def pairs() -> Graph:
    graph = Graph()
    film = loaded(
        graph,
        "## Make training pairs from clean film\n\nPress **Run**: lines are burned into a clip without any (*Big Buck Bunny*, "
        "© Blender Foundation, CC BY 3.0). The two **Save Video** keep both halves under one name, in the folders "
        "CLEAR/pairs/subtitled and CLEAR/pairs/clean: **Load Training Pairs** reads such folders.\n\nTry *look* random with "
        "another *seed*, other *scripts* such as latin, arabic, or a subtitle *file* (.srt, .ass).\n\nTo train at once, "
        "nothing needs to be saved: template *Train a LoRA from clean film*.",
        CLEAN,
    )
    graph.column()
    burned = graph.add(
        "CLEAR_BurnSubtitles",
        [24.0, "", "latin", "as set", "", 6.5, *LOOK],
        images=(film, "images"),
        fps=(film, "fps"),
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
    video = graph.add(
        "CreateVideo", [25.0], images=(burned, IMAGE), audio=(film, "audio"), fps=(film, "fps")
    )
    graph.add("SaveVideo", ["CLEAR/pairs/subtitled/film", "auto", "auto"], "Subtitled half", video=(video, VIDEO))
    clean = graph.nodes[0]
    graph.add("SaveVideo", ["CLEAR/pairs/clean/film", "auto", "auto"], "Clean half", video=(clean, VIDEO))
    return graph


def train_lora() -> Graph:
    graph = Graph(scale=0.6)
    film = loaded(
        graph,
        "## Train a LoRA from clean film, and use it\n\nPress **Run**: a minute or two on two CPU cores, nothing is downloaded. "
        "**Burn Subtitles** sets a look; **Load Training Pairs** burns lines of that look into clips of the clean video; "
        "**Train CLEAR LoRA** learns from them and hands its MODEL to **Remove Subtitles**.\n\nSo few steps show how it works, "
        "and no more. For a LoRA of use: **Load CLEAR** (lora none, weight_dtype bf16), Load VAE and **CLEAR Prompt** in "
        "place of **Load CLEAR Nano**; a folder of your own clean videos in *clean*; 1000 steps or more, rank 64, rate "
        "0.0001, 81 frames of 480x832, checkpointing on; in **Remove Subtitles** steps 5.\n\n**Cancel** keeps what was learned, "
        "Run goes on. Training needs the packages diffsynth, peft and accelerate.",
        CLEAN,
        "Clean video",
        height=620,
    )
    graph.column()
    burned = graph.add(
        "CLEAR_BurnSubtitles",
        [24.0, "", "latin", "as set", "", 5.5, "#ffffff", 7.0, "#000000", 0.0, 0.0, "#000000", 1.0, "bottom", 5.0, 0.0, 0],
        images=(film, "images"),
        fps=(film, "fps"),
    )
    graph.column()
    clips = graph.add(
        "CLEAR_LoadPairs", ["", CLEAN, "by name", 9, 6, 640, 0], style=(burned, "style")
    )
    bare = nano(graph, 0.0)
    other = graph.add("LoadVideo", [DEMO, "image"], "Video with subtitles")
    subtitled = graph.add("GetVideoComponents", video=(other, VIDEO))
    graph.column()
    values = ["bundled light prior", "demo_lora", 60, 16, "q,k,v,o,ffn.0,ffn.2", 0.001, 1, 1, 9, 64, 160, "auto", "auto"]
    trained = graph.add(
        "CLEAR_TrainLoRA", [*values, False, "adamw", "none", 0, 20], **bare, pairs=(clips, "pairs")
    )
    graph.column()
    graph.add("PreviewImage", title="Curves", size=(420, 460), images=(trained, "curves"))
    graph.add(
        "PreviewImage",
        title="Before, after, where the model sees the subtitle",
        size=(420, 300),
        images=(trained, "example"),
    )
    graph.column()
    removed = graph.add(
        "CLEAR_SubtitleRemove", REMOVE, images=(subtitled, "images"), **(bare | {"model": (trained, MODEL)})
    )
    graph.column()
    compared(graph, subtitled, removed, "CLEAR/trained")
    return graph


def train_prior() -> Graph:
    graph = Graph(scale=0.6)
    trained = graph.add(
        "CLEAR_TrainPrior", [DEMO, "demo_prior", "light", "from scratch", 60, 4, 0.0, 0, CLEAN]
    )
    graph.note(
        "## Train what finds the subtitles\n\nA *prior* is the small network that says where a subtitle is. Press **Run**: a "
        "minute on two CPU cores, nothing is downloaded. **Train Prior** begins with one that knows nothing, and learns from the "
        "clip with and without its subtitles; nobody draws a mask. **Prior Mask** then marks the clip with it.\n\nSo few steps "
        "on one pair show how it works. For a prior of use: your own pairs, a folder with NAME.mp4 beside "
        "NAME_with_subtitle.mp4, or two folders in *pairs* and *clean*; *start* bundled light prior, 1000 steps or more, "
        "batch 8.\n\n**Cancel** keeps what was learned, Run goes on. The prior is in models/clear, and in the nodes' lists "
        "after a reload.",
        380,
        500,
    )
    graph.column()
    graph.add("PreviewImage", title="Curves", size=(420, 320), images=(trained, "curves"))
    graph.add(
        "PreviewImage", title="A frame, its pseudo-label, what the prior marks", size=(420, 300), images=(trained, "example")
    )
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
    "Remove with your own mask (logo, watermark)": own_mask,
    "Show where subtitles are": show,
    "Make training pairs": pairs,
    "Train a LoRA from clean film": train_lora,
    "Train a prior": train_prior,
}
"""In the order of the template browser, which web/templates.js keeps."""


def main(check: bool) -> None:
    made = {GRAPHS / f"{name}.json": make().text() for name, make in ALL.items()}
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if check and stale:
        raise SystemExit(f"out of date: {', '.join(path.name for path in stale)}. Run python scripts/make_graphs.py")
    for path in stale:
        path.write_text(made[path], encoding="utf-8")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
