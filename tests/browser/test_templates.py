"""The shipped graphs as a person sees them."""

import itertools
import json

import newer_nodes
import pytest
from shipped_graphs import CHINESE, ENGLISH

from launch.page import ComfyPage

BOXES = """vue => app.graph.nodes.map(n => {
    const place = vue && document.querySelector(`[data-node-id="${n.id}"]`)?.getBoundingClientRect()
    const scale = app.canvas.ds.scale
    if (place) return [n.title, place.left / scale, place.top / scale, place.width / scale, place.height / scale]
    return [n.title, n.pos[0], n.pos[1] - 30, n.size[0], n.size[1] + 30]
})"""


def overlapping(boxes):
    return [
        (one[0], other[0])
        for one, other in itertools.combinations(boxes, 2)
        if all(one[i] < other[i] + other[i + 2] - 1 and other[i] < one[i] + one[i + 2] - 1 for i in (1, 2))
    ]


@pytest.mark.parametrize("graph", ENGLISH, ids=lambda path: path.stem)
def test_a_template_opens_with_all_of_its_nodes_and_nothing_overlaps(page, renderer, graph):
    page.load(graph)
    page.whole_view(1.0)
    page.page.wait_for_timeout(1000)
    nodes = page.run_js("() => app.graph.nodes.map(n => [n.type, !!LiteGraph.registered_node_types[n.type]])")
    others = {"MarkdownNote", *newer_nodes.NAMES}
    folded = {one["id"] for one in page.graph_file(graph).get("definitions", {}).get("subgraphs", [])}
    assert nodes and all(known or kind in others | folded for kind, known in nodes), nodes
    links = page.run_js("() => app.graph.nodes.flatMap(n => n.inputs ?? []).filter(i => i.link != null).length")
    assert links == len(page.graph_file(graph)["links"])
    boxes = page.run_js(BOXES, renderer == "vue")
    assert len(boxes) == len(nodes) and all(box[3] > 50 and box[4] > 30 for box in boxes)
    assert not overlapping(boxes), boxes


def listed(page):
    """The pack's graphs as the template browser is told them."""
    told = page.run_js("async () => { const api = window.comfyAPI.api.api; return await api.getWorkflowTemplates() }")
    return next(names for pack, names in told.items() if "clear-subtitle-remover" in pack)


def test_templates_are_found_and_stand_in_their_order(page):
    names = listed(page)
    assert names == [path.stem for path in ENGLISH], "the order in scripts/graph_words.py"
    for word, count in (("subtitle", 7), ("remove", 8), ("watermark", 1)):
        assert sum(word in name.lower() for name in names) == count, word


def test_a_chinese_page_lists_the_chinese_ones_and_their_notes_fit(browser, comfyui, renderer, pictures):
    page = ComfyPage(browser, comfyui, renderer, locale="zh")
    names = listed(page)
    assert names == [path.stem for path in CHINESE]
    for word, count in (("字幕", 10), ("去除", 9), ("水印", 1)):
        assert sum(word in name for name in names) == count, word
    for graph in CHINESE:
        page.load(graph)
        page.whole_view(1.0)
        page.page.wait_for_timeout(500)
        assert not overlapping(page.run_js(BOXES, renderer == "vue")), graph.stem
    page.close()
    assert page.errors == []


VALUES = """() => app.graph.nodes.filter(n => n.comfyClass?.startsWith('CLEAR_'))
    .map(n => [n.type, (n.widgets ?? []).filter(w => w.serialize !== false).map(w => [w.name, w.value])])"""


@pytest.mark.parametrize("graph", [ENGLISH[0], ENGLISH[3], ENGLISH[5]], ids=lambda path: path.stem)
def test_what_was_saved_opens_without_the_packs_scripts(page, graph):
    """As on a machine whose page does not load them: no value has moved to another input."""
    page.load(graph)
    saved, values = json.loads(page.run_js("() => JSON.stringify(app.graph.serialize())")), page.run_js(VALUES)
    page.page.route("**/extensions/clear-subtitle-remover/*.js", lambda route: route.abort())
    page.open()
    page.load(saved)
    assert not page.run_js("() => app.extensions.some(one => one.name.startsWith('CLEAR.'))")
    assert page.run_js(VALUES) == values != []
    page.errors.clear()  # that they could not be loaded
