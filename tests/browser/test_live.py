"""What a long node shows while it runs, after Cancel and after the page was loaded again."""

import json
import uuid

import pytest
from clips_for_browser import small_removal
from paths import ROOT

PRIOR = "CLEAR_TrainPrior"
BOUND = 900  # seconds until the page is given up: on a busy machine a first step takes minutes


def training(steps, name):
    """The shipped graph of a training, that long."""
    graph = json.loads((ROOT / "workflows" / "Train a prior.json").read_text(encoding="utf-8"))
    (node,) = (n for n in graph["nodes"] if n["type"] == PRIOR)
    values = node["widgets_values"]
    values[values.index("demo_prior")], values[values.index(60)] = name, steps
    graph["id"] = str(uuid.uuid4())
    graph["nodes"], graph["links"], node["outputs"] = [node], [], [{**o, "links": []} for o in node["outputs"]]
    return graph


def panel(page, kind):
    return page.run_js(
        "kind => { const p = app.graph.nodes.find(n => n.comfyClass === kind).clearLive;"
        " return {text: p.text.textContent, bar: p.fill.style.width, picture: p.picture.naturalWidth,"
        " seen: p.root.getBoundingClientRect().height} }",
        kind,
    )


def wait_for(page, kind, true):
    for _ in range(BOUND * 4):
        told = panel(page, kind)
        if true(told):
            return told
        page.page.wait_for_timeout(250)
    pytest.fail(f"the panel stayed at {told}")


@pytest.fixture
def whole(comfyui):
    yield
    comfyui.interrupt()


def test_a_training_is_seen_and_goes_on_being_seen(page, comfyui, renderer, whole):
    """Curves while it runs, the same after a reload, and after Cancel what was kept."""
    page.load(training(5000, f"long_{renderer}"))
    assert panel(page, PRIOR)["text"] == "Not run yet"
    page.queue()
    shown = wait_for(page, PRIOR, lambda told: told["picture"] > 0)
    assert "Training" in shown["text"] and "of 5000" in shown["text"] and "left" in shown["text"]
    assert shown["seen"] > 100
    page.open()
    again = wait_for(page, PRIOR, lambda told: told["picture"] > 0)
    assert "of 5000" in again["text"]
    comfyui.interrupt()
    ended = wait_for(page, PRIOR, lambda told: told["text"].startswith("Stopped at step "))
    assert ended["text"].endswith(", kept; Run goes on.") and ended["picture"] > 0
    page.wait_for_end(BOUND)
    page.open()
    assert wait_for(page, PRIOR, lambda told: told["picture"] > 0)["text"] == ended["text"]


def test_a_removal_is_told_stage_by_stage_on_one_bar_with_a_picture_from_its_start(page, comfyui, renderer):
    graph = small_removal(comfyui)
    graph["nodes"][2]["widgets_values"][2] = int(renderer == "vue")  # a seed of its own, or it came from the cache
    page.load(graph)
    page.run_js(
        """() => {
            const panel = app.graph.getNodeById(3).clearLive, { text, fill, picture } = panel
            const look = () => seen.push([text.textContent, parseFloat(fill.style.width), picture.style.display])
            window.seen = []
            new MutationObserver(look).observe(text, { childList: true })
        }"""
    )
    page.queue()
    page.wait_for_end(BOUND)
    page.page.wait_for_function("() => seen.length && seen.at(-1)[0].includes('removed')")
    texts, bars, pictures = zip(*page.run_js("() => seen"))
    stages = [text.split(" · ")[0] for text in texts]
    assert list(dict.fromkeys(stages)) == [
        "Finding subtitles", "Filling in", "Painting", "Putting it into the frames", "Looking for what is left",
        "1 removed",
    ]  # fmt: skip
    assert list(bars) == sorted(bars) and bars[-1] == 100
    assert bars[stages.index("Looking for what is left")] < 100
    assert pictures[[" frame " in text for text in texts].index(True)] == "", "it is there before the first look ends"


def test_another_graph_shows_nothing_of_it(page):
    page.load(training(10, "never"))
    assert panel(page, PRIOR) | {"seen": 0} == {"text": "Not run yet", "bar": "0%", "picture": 0, "seen": 0}


def test_a_refusal_is_read_on_the_node_and_in_the_toast(page, renderer):
    graph = training(10, f"refused_{renderer}")
    values = graph["nodes"][0]["widgets_values"]
    values[values.index("clear_demo.mp4")] = "no_such_film.mp4"
    page.load(graph)
    page.queue()
    told = wait_for(page, PRIOR, lambda told: "no_such_film.mp4" in told["text"])
    assert "ClearError" not in told["text"] and "clear_runtime" not in told["text"]
    page.page.wait_for_timeout(1500)
    said = page.page.locator("[role=dialog], [role=alert], .p-toast").all_inner_texts()
    assert any(told["text"] in one for one in said), said


def test_a_new_node_has_its_panel_inside(page, renderer):
    """Where a node is as small as the page makes it."""
    left = page.run_js(
        """() => {
            app.graph.clear()
            let x = 0
            for (const kind of Object.keys(LiteGraph.registered_node_types).filter(name => name.startsWith("CLEAR_"))) {
                const node = LiteGraph.createNode(kind)
                app.graph.add(node)
                node.pos = [x, 0]
                x += node.size[0] + 20
            }
            return x
        }"""
    )
    page.whole_view(1000 / left, (0, -100))
    page.page.wait_for_timeout(1000)
    below = page.run_js(
        """vue => Object.fromEntries(app.graph.nodes.flatMap(node => {
            const panel = node.widgets?.find(one => one.element?.className.startsWith("clear-"))?.element
            if (!panel) return []
            const { scale, offset } = app.canvas.ds
            const top = document.querySelector("#graph-canvas").getBoundingClientRect().top
            const end = vue ? panel.closest("[data-node-id]").getBoundingClientRect().bottom
                : top + scale * (node.pos[1] + node.size[1] + offset[1])
            return [[node.type, (panel.getBoundingClientRect().bottom - end) / scale]]
        }))""",
        renderer == "vue",
    )
    assert len(below) >= 10 and all(pixels <= 1 for pixels in below.values()), below
