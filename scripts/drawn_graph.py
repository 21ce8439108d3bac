"""A graph as ComfyUI's editor saves it, with its nodes in columns. scripts/make_graphs.py draws with it."""

from __future__ import annotations

import json
import uuid

from graph_words import note_in, title_in

IMAGE, MASK, AUDIO, VIDEO, FLOAT, STRING = "IMAGE", "MASK", "AUDIO", "VIDEO", "FLOAT", "STRING"
MODEL, VAE, CONDITIONING = "MODEL", "VAE", "CONDITIONING"
OUTPUTS = {
    "LoadVideo": [(VIDEO, VIDEO)],
    "GetVideoComponents": [("images", IMAGE), ("audio", AUDIO), ("fps", FLOAT)],
    "GetImageSize": [("width", "INT"), ("height", "INT"), ("batch_size", "INT")],
    "SolidMask": [(MASK, MASK)],
    "MaskComposite": [(MASK, MASK)],
    "GrowMask": [(MASK, MASK)],
    "CreateVideo": [(VIDEO, VIDEO)],
    "CheckpointLoaderSimple": [(MODEL, MODEL), ("CLIP", "CLIP"), (VAE, VAE)],
    "CLIPTextEncode": [(CONDITIONING, CONDITIONING)],
    "UpscaleModelLoader": [("UPSCALE_MODEL", "UPSCALE_MODEL")],
    "ImageUpscaleWithModel": [(IMAGE, IMAGE)],
    "SAM3_VideoTrack": [("track_data", "SAM3_TRACK_DATA")],
    "SAM3_TrackToMask": [("masks", MASK)],
    "VAELoader": [(VAE, VAE)],
    "CLIPLoader": [("CLIP", "CLIP")],
    "CLEAR_LoadNano": [(MODEL, MODEL), (VAE, VAE), (CONDITIONING, CONDITIONING)],
    "CLEAR_LoadModel": [(MODEL, MODEL)],
    "CLEAR_LoadMiniMax": [(MODEL, MODEL)],
    "CLEAR_Prompt": [(CONDITIONING, CONDITIONING)],
    "CLEAR_SubtitleRemove": [(IMAGE, IMAGE), (MASK, MASK), ("report", STRING), ("report_json", STRING)],
    "CLEAR_SubtitleRemoveVideo": [(VIDEO, VIDEO), ("report", STRING), ("report_json", STRING)],
    "CLEAR_Composite": [(IMAGE, IMAGE), (MASK, MASK), ("report", STRING), ("report_json", STRING)],
    "CLEAR_DrawAreas": [("subtitle", MASK), ("limit", MASK), ("protect", MASK)],
    "CLEAR_PriorMask": [("soft", MASK), ("binary", MASK), ("overlay", IMAGE), ("plot", IMAGE), ("report", STRING)],
    "CLEAR_BurnSubtitles": [(IMAGE, IMAGE), (MASK, MASK), ("style", "CLEAR_BURN_STYLE"), ("report", STRING)],
    "CLEAR_LoadPairs": [("pairs", "CLEAR_PAIRS"), ("report", STRING)],
    "CLEAR_TrainPrior": [("prior", STRING), ("curves", IMAGE), ("example", IMAGE), ("report", STRING)],
    "CLEAR_TrainLoRA": [(MODEL, MODEL), ("lora", STRING), ("curves", IMAGE), ("example", IMAGE), ("report", STRING)],
}
SIZES = {
    "LoadVideo": (340, 440),
    "GetVideoComponents": (270, 130),
    "GetImageSize": (270, 130),
    "SolidMask": (270, 140),
    "MaskComposite": (270, 190),
    "GrowMask": (270, 140),
    "CreateVideo": (270, 140),
    "CheckpointLoaderSimple": (340, 170),
    "CLIPTextEncode": (340, 160),
    "UpscaleModelLoader": (340, 90),
    "ImageUpscaleWithModel": (270, 100),
    "SAM3_VideoTrack": (300, 260),
    "SAM3_TrackToMask": (300, 120),
    "SaveVideo": (340, 420),
    "VAELoader": (300, 90),
    "CLIPLoader": (300, 150),
    "PreviewAny": (420, 220),
    "PreviewImage": (420, 320),
    "CLEAR_LoadNano": (270, 150),
    "CLEAR_LoadModel": (300, 210),
    "CLEAR_LoadMiniMax": (300, 250),
    "CLEAR_Prompt": (300, 90),
    "CLEAR_SubtitleRemove": (360, 1020),
    "CLEAR_SubtitleRemoveVideo": (400, 1340),
    "CLEAR_Composite": (360, 780),
    "CLEAR_DrawAreas": (480, 500),
    "CLEAR_PriorMask": (360, 520),
    "CLEAR_BurnSubtitles": (360, 890),
    "CLEAR_BeforeAfter": (720, 640),
    "CLEAR_LoadPairs": (340, 440),
    "CLEAR_TrainPrior": (380, 860),
    "CLEAR_TrainLoRA": (380, 1260),
}
"""Width and height with room for pictures; the Vue renderer's rows are the taller ones."""
LINKED_WIDGETS = {"fps"}
"""Inputs that are widgets where nothing is linked."""
LINK = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
"""Of a link: in a list in a graph, by name in a subgraph."""
EDGE_IN, EDGE_OUT = -10, -20
"""What the inputs and outputs of a subgraph count as inside of it."""
GAP = 70
"""Pixels between nodes; a title of 30 stands above each."""


class Graph:
    """Nodes in columns from left to right, each below the one before; what is written on them in one language."""

    def __init__(self, language: str, *, scale: float = 0.7):
        self.language = language
        self.nodes: list[dict] = []
        self.links: list[list] = []
        self.subgraphs: list[dict] = []
        self.scale, self.left, self.top, self.wide = scale, 0, 0, 0

    def column(self) -> None:
        self.left, self.top, self.wide = self.left + self.wide + GAP, 0, 0

    def note(self, name: str, width: int = 340, height: int = 440) -> None:
        node = self._placed("MarkdownNote", (width, height), "Read me", [note_in(self.language, name)])
        node |= {"color": "#222", "bgcolor": "#000"}  # as ComfyUI's own; on brown the Vue renderer's letters are dim

    def add(self, kind: str, values=(), title=None, models=(), size=None, **inputs) -> dict:
        """A node with widget values, and links by its inputs' names: input=(node, output's name)."""
        node = self._placed(kind, size or SIZES[kind], title, list(values))
        node["properties"] = {"Node name for S&R": kind} | ({"models": list(models)} if models else {})
        node["outputs"] = [{"name": name, "type": type_, "links": []} for name, type_ in OUTPUTS.get(kind, ())]
        for name, (source, output) in inputs.items():
            self.link(source, output, node, name)
        return node

    def embed(self, inside: Graph, name: str, takes: dict, gives: dict, size) -> dict:
        """A node that is a graph of its own. takes, gives: its inputs and outputs by name, each (node inside, name of
        that node's input or output, type); takes may be widgets of it."""
        identity = str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
        links = [dict(zip(LINK, link)) for link in inside.links]
        slots: dict[str, list[dict]] = {"inputs": [], "outputs": []}

        def joined(side: str, one: str, kind: str, **ends) -> int:
            number = len(links) + 1
            links.append({"id": number, **ends, "type": kind})
            slot = {"id": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name} {side} {one}")), "name": one, "type": kind}
            slots[side].append({**slot, "linkIds": [number]})
            return number

        for slot, (one, (node, inner, kind)) in enumerate(takes.items()):
            at = len(node["inputs"])
            number = joined("inputs", one, kind, **dict(zip(LINK[1:5], (EDGE_IN, slot, node["id"], at))))
            widget = {} if kind == VIDEO else {"widget": {"name": inner}}
            node["inputs"].append({"name": inner, "type": kind, "link": number, **widget})
        for slot, (one, (node, inner, kind)) in enumerate(gives.items()):
            at = [each["name"] for each in node["outputs"]].index(inner)
            number = joined("outputs", one, kind, **dict(zip(LINK[1:5], (node["id"], at, EDGE_OUT, slot))))
            node["outputs"][at]["links"].append(number)
        state = {"lastGroupId": 0, "lastNodeId": len(inside.nodes), "lastLinkId": len(links), "lastRerouteId": 0}
        right = inside.left + inside.wide + GAP
        self.subgraphs.append(
            {
                "id": identity,
                "version": 1,
                "state": state,
                "revision": 0,
                "config": {},
                "name": title_in(self.language, name),
                "inputNode": {"id": EDGE_IN, "bounding": [-200, 0, 120, 40 + 20 * len(takes)]},
                "outputNode": {"id": EDGE_OUT, "bounding": [right, 0, 120, 40 + 20 * len(gives)]},
                **slots,
                "widgets": [],
                "nodes": inside.nodes,
                "groups": [],
                "links": links,
                "extra": {},
            }
        )
        node = self._placed(identity, size, name, [])
        node["outputs"] = [{"name": one, "type": kind, "links": []} for one, (_, _, kind) in gives.items()]
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
        } | ({"title": title_in(self.language, title)} if title else {})
        self.nodes.append(node)
        self.top, self.wide = self.top + size[1] + GAP, max(self.wide, size[0])
        return node

    def link(self, source, output, node, name) -> None:
        """From an output, by its name, to an input."""
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
            **({"definitions": {"subgraphs": self.subgraphs}} if self.subgraphs else {}),
            "config": {},
            "extra": {"ds": {"scale": self.scale, "offset": [80, 80]}},
            "version": 0.4,
        }
        return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
