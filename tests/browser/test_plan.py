"""What a node that removes says of its film before it runs, and lists after it."""

import json
import uuid

import pytest
from clips_for_browser import small_removal
from comfy_graphs import cut
from paths import ROOT

FRAMES, FILM = "CLEAR_SubtitleRemove", "CLEAR_SubtitleRemoveVideo"
PANEL = "app.graph.nodes.find(n => n.comfyClass === '%s').clearLive"


def whole_film(server):
    """The shipped graph for a film, of a small one, without a network."""
    if not (server.base / "input" / "small.mp4").exists():
        cut(server, "small.mp4")
    graph = json.loads((ROOT / "workflows" / "Remove subtitles from a whole film.json").read_text(encoding="utf-8"))
    graph["id"] = str(uuid.uuid4())
    for node in graph["nodes"]:
        values = node.get("widgets_values")
        if node["type"] == "LoadVideo":
            values[0] = "small.mp4"
        if node["type"] == FILM:
            values[values.index("composite")] = "preview"
            values[values.index("CLEAR/film")] = "browser/film"
    return graph


def wait(page, kind, true):
    page.page.wait_for_function(f"() => {{ const p = {PANEL % kind}; return p && ({true}) }}", timeout=300_000)


def texts(page, kind, what):
    return page.run_js(f"() => [...{PANEL % kind}.{what}].map(one => one.textContent)")


def test_a_film_is_described_as_soon_as_it_is_chosen(page, comfyui):
    (comfyui.base / "input" / "words.mp4").write_text("no film at all")
    page.load(small_removal(comfyui))
    wait(page, FRAMES, "p.plan.textContent.includes('9 frames')")
    plan = page.run_js(f"() => {PANEL % FRAMES}.plan.textContent")
    assert "0:00 · 9 frames · 128×96 · 25 fps" in plan and "GB of memory" in plan
    page.run_js("() => { app.graph.nodes.find(n => n.type === 'LoadVideo').widgets[0].value = 'clear_demo.mp4' }")
    wait(page, FRAMES, "p.plan.textContent.includes('0:02 · 49 frames · 640×352')")
    page.run_js("() => { app.graph.nodes.find(n => n.type === 'LoadVideo').widgets[0].value = 'words.mp4' }")
    wait(page, FRAMES, "p.plan.textContent.includes('words.mp4') && p.plan.style.color !== 'rgb(170, 170, 170)'")


def test_a_line_of_the_list_takes_the_slider_there(page, comfyui, renderer):
    graph = small_removal(comfyui)
    (node,) = (one for one in graph["nodes"] if one["type"] == FRAMES)
    node["widgets_values"][2] += 1 + (renderer == "vue")  # the seed: of what is all from the cache only the end is told
    page.load(graph)
    page.queue()
    assert page.wait_for_end()["status"]["status_str"] == "success"
    wait(page, FRAMES, "p.found.root.children.length && p.found.root.children[0].textContent.includes('0:00.0')")
    slider = "app.graph.nodes.find(n => n.comfyClass === 'CLEAR_BeforeAfter').clearCompare"
    page.page.wait_for_function(f"() => {slider}.told && {slider}.video.readyState >= 2")
    page.run_js(f"() => {slider}.go(0)")
    page.page.locator(".clear-found > div").first.evaluate("row => row.click()")
    page.page.wait_for_function(f"() => {slider}.frame === 4")
    wait(page, FRAMES, "p.picture.src.includes('/clear/frame') && p.picture.naturalWidth === 128")
    assert "removed" in texts(page, FRAMES, "root.querySelectorAll('.clear-found > div')")[0]


def test_where_comfyui_cannot_read_the_film_a_toast_says_why(page, comfyui):
    graph = small_removal(comfyui)
    (comfyui.base / "input" / "text.mp4").write_text("no film at all\n" * 1000)
    graph["nodes"][0]["widgets_values"][0] = "text.mp4"
    page.load(graph)
    wait(page, FRAMES, "p.plan.textContent.includes('FFmpeg')")
    page.queue()
    assert page.wait_for_end()["status"]["status_str"] == "error"
    # what a toast is made of is another thing in each version of the page: it is what names the node and says why
    page.page.wait_for_function("""() => [...document.querySelectorAll('body *')].some(({ textContent: text }) =>
        text.length < 400 && text.includes('Get Video Components') && text.includes('not a video that FFmpeg can read')
    )""")


def test_a_film_lists_its_lines_and_shows_them_before_and_after(page, comfyui):
    graph = whole_film(comfyui)
    page.load(graph)
    wait(page, FILM, "p.plan.textContent.includes('9 frames')")
    page.queue()
    assert page.wait_for_end()["status"]["status_str"] == "success"
    wait(page, FILM, "p.found.root.children.length")
    page.open()
    wait(page, FILM, "p.found.root.children.length")
    page.load(graph | {"id": str(uuid.uuid4())})
    page.queue()  # another graph with the same nodes: all of it from the cache
    page.wait_for_end()
    wait(page, FILM, "p.found.root.children.length")
    page.open()
    wait(page, FILM, "p.found.root.children.length")
    page.page.locator(".clear-found > div").first.evaluate("row => row.click()")
    wait(page, FILM, "p.picture.naturalWidth === 128 && p.picture.src.includes('output')")
    place = page.middle_of(f"{PANEL % FILM}.picture")
    page.page.mouse.move(*place)
    page.page.mouse.down()
    wait(page, FILM, "p.picture.naturalWidth === 128 && !p.picture.src.includes('output')")
    page.page.mouse.up()
    wait(page, FILM, "p.picture.src.includes('output')")


def test_what_was_found_in_another_film_is_not_shown_for_this_one(page, comfyui, renderer):
    cut(comfyui, "other.mp4", count=5)
    graph = small_removal(comfyui)
    graph["nodes"][2]["widgets_values"][2] += 3 + (renderer == "vue")  # the seed: not from the cache
    page.load(graph)
    page.queue()
    page.wait_for_end()
    choose = "name => { app.graph.nodes.find(n => n.type === 'LoadVideo').widgets[0].value = name }"
    for again in (False, True):  # the second time as a page that was loaded after the run
        wait(page, FRAMES, "p.found.root.children.length")
        page.run_js(choose, "other.mp4")
        wait(page, FRAMES, "p.plan.textContent.includes('5 frames') && !p.found.root.children.length")
        assert page.run_js(f"() => {PANEL % FRAMES}.text.textContent").endswith("the last run was of small.mp4")
        if not again:
            graph = page.run_js("() => app.graph.serialize()")
            page.open()
            page.load(graph)
            wait(page, FRAMES, "p.text.textContent.endsWith('small.mp4')")
        page.run_js(choose, "small.mp4")


@pytest.mark.parametrize("renderer", ["classic"])
def test_it_is_said_in_chinese(browser, comfyui, renderer):
    from launch.page import ComfyPage

    page = ComfyPage(browser, comfyui, renderer, locale="zh")
    page.load(small_removal(comfyui))
    wait(page, FRAMES, "p.plan.textContent.includes('9 帧')")
    page.queue()
    page.wait_for_end()
    wait(page, FRAMES, "p.text.textContent.includes('已去除')")
    words = "/extensions/clear-subtitle-remover/words.js"
    told = f"async texts => {{ const {{ told }} = await import('{words}'); return texts.map(told) }}"
    said = ["frame 12 of 49", "clip 3", "Done: a.safetensors", "Stopped at step 20, kept; Run goes on.", "Stopped."]
    assert page.run_js(told, said) == [
        "第 12 / 49 帧",
        "第 3 个片段",
        "完成：a.safetensors",
        "已停在第 20 步，已保留；再点“运行”会接着做。",
        "已停止。",
    ]
    page.close()
    assert page.errors == []
