"""The shipped graphs are what scripts/make_graphs.py writes, and fit nodes that not every ComfyUI has."""

import json
import re
import subprocess
import sys

import newer_nodes
import pytest
from paths import ROOT
from shipped_graphs import CHINESE, ENGLISH

GRAPHS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "workflows").glob("*.json")}


def test_graphs_are_up_to_date():
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "make_graphs.py"), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def links_of(note):
    return re.findall(r"\[[^]]+\]\(([^)]+)\)", note)


def without_words(value):
    """Of a graph: without titles, what notes say, and the name of a graph that is folded into a node."""
    if isinstance(value, list):
        return [without_words(one) for one in value]
    if not isinstance(value, dict):
        return value
    said = {"title"}
    said |= {"widgets_values"} if value.get("type") == "MarkdownNote" else set()
    said |= {"name"} if "nodes" in value else set()
    return {name: without_words(one) for name, one in value.items() if name not in said}


@pytest.mark.parametrize("english, chinese", [*zip(ENGLISH, CHINESE)], ids=[path.stem for path in ENGLISH])
def test_the_chinese_graph_differs_in_its_words_alone(english, chinese):
    one, other = (json.loads(path.read_text(encoding="utf-8")) for path in (english, chinese))
    assert without_words(one) == without_words(other)
    assert english.with_suffix(".jpg").read_bytes() == chinese.with_suffix(".jpg").read_bytes()
    for mine, theirs in zip(one["nodes"], other["nodes"]):
        if mine.get("title") not in (None, "SAM3"):
            assert theirs["title"] != mine["title"]
        if mine["type"] == "MarkdownNote":
            (text,), (said,) = mine["widgets_values"], theirs["widgets_values"]
            assert links_of(text) == links_of(said) and any("一" <= letter <= "鿿" for letter in said)


def newer(graph):
    return [node for node in graph["nodes"] if node["type"] in newer_nodes.NAMES]


@pytest.mark.parametrize("name", [name for name, graph in GRAPHS.items() if newer(graph)])
def test_nodes_of_later_comfyuis_have_the_sockets_and_values_on_record(name):
    record = newer_nodes.recorded()
    for node in newer(GRAPHS[name]):
        info = record[node["type"]]
        inputs = {**info["input"].get("required", {}), **info["input"].get("optional", {})}
        linked = {slot["name"]: slot["type"] for slot in node["inputs"]}
        assert linked.items() <= {name: spec[0] for name, spec in inputs.items()}.items(), node["type"]
        assert [[one["name"], one["type"]] for one in node["outputs"]] == [
            list(one) for one in zip(info["output_name"], info["output"])
        ]
        widgets = [spec for spec in inputs.values() if spec[0] in ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")]
        shown = [spec for spec in widgets if not spec[1].get("forceInput")]
        assert len(node["widgets_values"]) == len(shown), node["type"]
        for value, (kind, bounds) in zip(node["widgets_values"], shown):
            assert isinstance(value, {"INT": int, "FLOAT": float, "BOOLEAN": bool}.get(kind, str))
            assert bounds.get("min", value) <= value <= bounds.get("max", value)
        needed = {name for name, spec in info["input"]["required"].items() if spec not in shown}
        assert needed <= set(linked), f"{node['type']}: {needed - set(linked)} not linked"


@pytest.mark.parametrize("graphs", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_each_training_has_a_name_of_its_own(graphs):
    """A run of the same name goes on, or is refused where its pairs are others."""
    nodes = [node for path in graphs for node in json.loads(path.read_text(encoding="utf-8"))["nodes"]]
    named = [node["widgets_values"][1] for node in nodes if node["type"] in ("CLEAR_TrainLoRA", "CLEAR_TrainPrior")]
    assert len(named) == 3 == len(set(named))


SINGLE = {"plot", "curves", "example"}
"""Outputs of one picture."""


@pytest.mark.parametrize("path", sorted((ROOT / "workflows").glob("*.json")), ids=lambda path: path.stem)
def test_frames_are_shown_as_a_video_and_not_as_hundreds_of_pictures(path):
    graph = json.loads(path.read_text(encoding="utf-8"))
    nodes = {node["id"]: node for node in graph["nodes"]}
    shown = [link for link in graph["links"] if nodes[link[3]]["type"] in ("PreviewImage", "SaveImage", "MaskPreview")]
    assert {nodes[source]["outputs"][slot]["name"] for _, source, slot, *_ in shown} <= SINGLE


@pytest.mark.parametrize("path", ENGLISH, ids=lambda path: path.stem)
def test_a_clean_video_is_saved_once(path):
    graph = json.loads(path.read_text(encoding="utf-8"))
    nodes = {node["id"]: node for node in graph["nodes"]}
    source = {(link[3], link[4]): tuple(link[1:3]) for link in graph["links"]}
    saved = []
    for number, node in nodes.items():
        slots = {one["name"]: i for i, one in enumerate(node["inputs"])}
        if node["type"] == "CLEAR_BeforeAfter":
            saved.append(source[number, slots["after"]])
        elif node["type"] == "SaveVideo":
            sender, place = source[number, slots["video"]]
            made = nodes[sender]["type"] == "CreateVideo"
            saved.append(source[sender, 0] if made else (sender, place))
    assert len(saved) == len(set(saved)), saved
