"""The pack as ComfyUI sees it: its nodes, and the shipped graphs against the server's
schemas."""

import json
import re

import pytest
from comfy_graphs import ROOT
from shipped_graphs import CHINESE, ENGLISH

from clear_runtime.engines.minimax import STEPS as MINIMAX_STEPS
from clear_runtime.engines.nano.limits import STEPS
from clear_runtime.options import RAW
from launch.graph import NOTES, laid_open, to_prompt

GRAPHS = [*ENGLISH, *CHINESE]

SUBTITLE_USE = {
    "Remove with your own mask (logo, watermark)": "look here",
    "Remove what you name (text to mask, SAM3)": "only",
}
"""What graphs for a mask of one's own take."""

IDS = {
    "CLEAR_LoadNano",
    "CLEAR_LoadModel",
    "CLEAR_LoadMiniMax",
    "CLEAR_ApplyLoRA",
    "CLEAR_Prompt",
    "CLEAR_SubtitleRemove",
    "CLEAR_SubtitleRemoveVideo",
    "CLEAR_DrawAreas",
    "CLEAR_Composite",
    "CLEAR_BeforeAfter",
    "CLEAR_PriorMask",
    "CLEAR_TrainPrior",
    "CLEAR_BurnSubtitles",
    "CLEAR_LoadPairs",
    "CLEAR_TrainLoRA",
}
# Combos whose choices are files of the user, which a fresh ComfyUI has none of.
FILES = {"file", "model_name", "lora", "vae_name", "clip_name", "ckpt_name"}


def test_every_node_is_there_and_described(object_info):
    ours = {name: info for name, info in object_info.items() if name.startswith("CLEAR_")}
    assert set(ours) >= IDS
    for name, info in ours.items():
        assert info["category"] == "CLEAR", name
        assert info["description"], name
        for group in ("required", "optional"):
            for key, spec in info["input"].get(group, {}).items():
                assert spec[1].get("tooltip"), f"{name}.{key} has no tooltip"


def test_the_pack_is_loaded_without_a_failure(comfyui):
    """What loading it costs: tests/nodes/test_import.py."""
    loaded = re.findall(r"[\d.]+ seconds(?: \((.*?)\))?: .*clear-subtitle-remover", comfyui.log.read_text())
    assert loaded == [""], "ComfyUI's log says nothing of the pack's import, or that it failed"


def test_the_demo_clip_can_be_chosen(object_info):
    kind, options = object_info["LoadVideo"]["input"]["required"]["file"]
    assert "clear_demo.mp4" in (options["options"] if kind == "COMBO" else kind)


@pytest.mark.parametrize("path", GRAPHS, ids=lambda p: p.stem)
def test_a_graph_s_links_are_whole(path):
    graph = json.loads(path.read_text(encoding="utf-8"))
    nodes = {n["id"]: n for n in graph["nodes"]}
    for number, source, out, target, slot, kind in graph["links"]:
        assert nodes[target]["inputs"][slot]["link"] == number
        assert number in nodes[source]["outputs"][out]["links"]
        assert nodes[target]["inputs"][slot]["type"] == kind and kind in (nodes[source]["outputs"][out]["type"], "*")
    used = {i["link"] for n in graph["nodes"] for i in n["inputs"] if i["link"] is not None}
    assert used == {link[0] for link in graph["links"]}
    assert graph["last_link_id"] >= max(used) and graph["last_node_id"] >= max(nodes)


@pytest.mark.parametrize("path", GRAPHS, ids=lambda p: p.stem)
def test_a_graph_fits_the_server_s_schemas(path, object_info):
    graph = json.loads(path.read_text(encoding="utf-8"))
    prompt = to_prompt(graph, object_info)
    drawn = [n for n in laid_open(graph)[0].values() if n["type"] not in NOTES]
    assert len(prompt) == len(drawn)
    for node in prompt.values():
        info = object_info[node["class_type"]]
        specs = {**info["input"].get("required", {}), **info["input"].get("optional", {})}
        assert set(info["input"].get("required", {})) <= set(node["inputs"]), node
        for name, value in node["inputs"].items():
            if "." in name:  # a value that a dynamic choice brought; the server checks it
                continue
            kind, options = specs[name][0], specs[name][1] if len(specs[name]) > 1 else {}
            if isinstance(value, list):
                source = object_info[prompt[value[0]]["class_type"]]
                assert kind in (source["output"][value[1]], "*"), f"{node['class_type']}.{name}"
            elif isinstance(kind, list) or kind == "COMBO":
                assert name in FILES or value in (kind if isinstance(kind, list) else options["options"]), (
                    f"{name}: {value}"
                )
            elif kind in ("INT", "FLOAT"):
                assert isinstance(value, (int, float)) and options.get("min", value) <= value <= options.get(
                    "max", value
                ), name
    for node in drawn:
        info = object_info[node["type"]]
        named = {**info["input"].get("required", {}), **info["input"].get("optional", {})}
        assert all(named[slot["name"]][0] == slot["type"] for slot in node["inputs"]), node["type"]
        assert [o["type"] for o in node["outputs"]] == info["output"][: len(node["outputs"])]


def test_widgets_on_the_graphs_stand_at_their_defaults(object_info, template):
    """What a graph shows and what a fresh node does are the same, so a default that changes is changed in both.

    Some exceptions: MiniMax-Remover's graph takes its own six steps, and the small model's the one that it does best
    with; where it stands for another model it gives its whole picture, and the graph for a mask of one's own takes what
    is in it."""
    for path in ENGLISH:
        for node in template(path.name).values():
            if node["class_type"] in ("CLEAR_SubtitleRemove", "CLEAR_SubtitleRemoveVideo"):
                specs = object_info[node["class_type"]]["input"]
                for name, spec in {**specs["required"], **specs["optional"]}.items():
                    if isinstance(node["inputs"].get(name), list):
                        continue  # linked
                    if name == "steps" and "MiniMax" in path.name:
                        assert node["inputs"][name] == MINIMAX_STEPS
                    elif name == "steps" and "Wan" not in path.name:
                        assert node["inputs"][name] == STEPS
                    elif name == "output" and path.stem == "Remove subtitles (any other model)":
                        assert node["inputs"][name] == RAW
                    elif name == "subtitle_use" and path.stem in SUBTITLE_USE:
                        assert node["inputs"][name] == SUBTITLE_USE[path.stem]
                    elif "default" in spec[1] and not isinstance(node["inputs"][name], list):  # a link has none
                        assert node["inputs"][name] == spec[1]["default"], f"{path.name}: {name}"


@pytest.mark.parametrize(
    "name, folders",
    [
        ("Remove subtitles (Wan2.1 + CLEAR).json", ("diffusion_models", "vae", "text_encoders", "loras")),
        ("Remove subtitles (MiniMax-Remover).json", ("diffusion_models", "vae")),
    ],
)
def test_a_large_model_s_graph_names_what_it_needs(template, name, folders):
    graph = json.loads((ROOT / "workflows" / name).read_text(encoding="utf-8"))
    note = next(n for n in graph["nodes"] if n["type"] == "MarkdownNote")["widgets_values"][0]
    named = [v for n in template(name).values() for k, v in n["inputs"].items() if k in FILES - {"file"}]
    assert len(named) == len(folders) and all(f"[{name}](" in note for name in named)
    assert all(f"models/{folder}:" in note for folder in folders)
