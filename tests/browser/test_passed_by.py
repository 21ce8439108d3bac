"""What a graph shows where the node that removes is bypassed or muted."""

import pytest
from clips_for_browser import small_removal, with_report
from paths import ROOT

MUTED, BYPASSED = 2, 4


@pytest.mark.parametrize("mode", [MUTED, BYPASSED], ids=["muted", "bypassed"])
def test_where_a_report_would_stand_is_said_that_there_is_none(page, comfyui, mode, pictures):
    graph = with_report(small_removal(comfyui))
    graph["nodes"][2]["mode"] = mode
    page.load(graph)
    page.queue()
    told = page.wait_for_end()
    said = "Nothing to tell: Remove Subtitles is bypassed or muted."
    assert told["status"]["status_str"] == "success" and told["outputs"]["9"]["text"] == [said]
    page.page.wait_for_timeout(1000)
    assert said in page.run_js("() => app.graph.getNodeById(9).widgets.map(w => w.value)")
    # what is not removed is shown all the same, if the frames still come through
    assert ("4" in told["outputs"]) == (mode == BYPASSED)
    pictures(page, f"passed_by_{mode}")


def test_so_it_is_where_a_part_of_a_folded_node_is_bypassed(page):
    page.load(ROOT / "workflows" / "Remove subtitles (one node).json")
    source = """async mode => {
        const folded = app.graph.nodes.find(n => n.subgraph), shown = app.graph.nodes.find(n => n.type === "PreviewAny")
        folded.subgraph.nodes.find(n => n.type === "CLEAR_SubtitleRemove").mode = mode
        return (await app.graphToPrompt()).output[shown.id].inputs.source
    }"""
    assert isinstance(page.run_js(source, 0), list)
    for mode in (MUTED, BYPASSED):
        assert page.run_js(source, mode).startswith("Nothing to tell: "), mode


def test_what_runs_is_told_as_ever(page, comfyui):
    page.load(with_report(small_removal(comfyui)))
    made = page.run_js("async () => (await app.graphToPrompt()).output['9'].inputs.source")
    assert made == ["3", 2]
