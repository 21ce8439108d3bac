"""Panels of nodes that are folded, and of nodes inside of a subgraph."""

import json
import uuid

import pytest
from clips_for_browser import small_removal
from comfy_graphs import cut
from paths import ROOT

REMOVAL = "CLEAR_SubtitleRemove"
NODES = (
    "[app.rootGraph ?? app.graph, ...((app.rootGraph ?? app.graph).subgraphs?.values() ?? [])].flatMap(g => g.nodes)"
)
FIND = f"k => {NODES}.find(n => n.comfyClass === k)"


def seen(page, kind):
    """Of a node's panel: its words, whether a run has told it something, lines of its list, whether it is on screen."""
    return page.run_js(
        f"k => {{ const node = ({FIND})(k), live = node.clearLive.root ? node.clearLive : node.clearCompare;"
        " const box = live.root.getBoundingClientRect();"
        " return {text: live.text?.textContent, plan: live.plan?.textContent, told: !!live.told,"
        " lines: live.found?.root.children.length,"
        " shown: live.root.isConnected && box.width > 50 && box.height > 50} }",
        kind,
    )


def fold(page, kind, folded):
    page.run_js(
        f"([k, to]) => {{ const n = ({FIND})(k); if (!!n.flags.collapsed !== to) n.collapse() }}", [kind, folded]
    )
    page.page.wait_for_timeout(600)


def run(page):
    """Run with another seed, so that nothing comes from the cache."""
    page.run_js(
        f"() => {{ const w = ({FIND})('{REMOVAL}').widgets.find(w => w.name === 'seed'); w.value = Date.now() % 1e6 }}"
    )
    page.queue()
    assert page.wait_for_end()["status"]["status_str"] == "success"
    page.page.wait_for_timeout(1500)


@pytest.mark.parametrize("kind", [REMOVAL, "CLEAR_BeforeAfter"])
def test_a_panel_is_away_while_its_node_is_folded_and_comes_back_whole(page, comfyui, kind, pictures):
    page.load(small_removal(comfyui))
    page.whole_view(0.8)
    assert seen(page, kind)["shown"]
    fold(page, kind, True)
    assert not seen(page, kind)["shown"]
    run(page)
    assert not seen(page, kind)["shown"]
    fold(page, kind, False)
    after = seen(page, kind)
    assert after["shown"] and after["told"]
    if kind == REMOVAL:
        assert after["lines"] >= 1 and "removed" in after["text"]
    else:
        drawn = page.run_js(
            f"k => {{ const c = ({FIND})(k).clearCompare; return [c.canvas.width, c.video.readyState] }}", kind
        )
        assert drawn[0] > 100 and drawn[1] >= 2
    pictures(page, f"unfolded_{kind}")
    saved = page.run_js("() => app.graph.serialize()")
    saved["nodes"] = [one | {"flags": {"collapsed": True}} if one["type"] == kind else one for one in saved["nodes"]]
    page.load(saved)  # opened with the node folded
    assert not seen(page, kind)["shown"]
    fold(page, kind, False)
    assert seen(page, kind)["shown"]


def test_a_panel_within_a_subgraph_is_there_when_that_is_opened(page, comfyui, pictures):
    if not (comfyui.base / "input" / "small.mp4").exists():
        cut(comfyui, "small.mp4")
    text = (ROOT / "workflows" / "Remove subtitles (one node).json").read_text(encoding="utf-8")
    page.load(json.loads(text.replace('"clear_demo.mp4"', '"small.mp4"')) | {"id": str(uuid.uuid4())})
    run(page)
    assert seen(page, REMOVAL)["told"] and not seen(page, REMOVAL)["shown"]
    page.run_js("() => { const n = app.graph.nodes.find(n => n.subgraph); app.canvas.openSubgraph(n.subgraph, n) }")
    page.page.wait_for_timeout(1000)
    place = page.run_js(f"() => ({FIND})('{REMOVAL}').pos")
    page.whole_view(0.7, (place[0] - 100, place[1] - 100))
    page.page.wait_for_timeout(800)
    inside = seen(page, REMOVAL)
    assert inside["shown"] and inside["told"] and inside["lines"] >= 1 and "9 frames" in inside["plan"]
    pictures(page, "inside_subgraph")
    page.run_js("() => app.canvas.setGraph(app.rootGraph)")
    page.page.wait_for_timeout(800)
    assert not seen(page, REMOVAL)["shown"]
    run(page)
    page.open()
    page.page.wait_for_timeout(1500)
    assert seen(page, REMOVAL)["told"], "it is told again after a reload"
