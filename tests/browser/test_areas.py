"""Areas drawn with the mouse on a frame of the film."""

import json
import uuid

import pytest
from clips_for_browser import small_removal
from paths import ROOT

AREAS = "app.graph.nodes.find(n => n.comfyClass === 'CLEAR_DrawAreas')"
GRAPH = "Remove with your own mask (logo, watermark).json"


def drawing(server):
    """The shipped graph: loader, frames and what is drawn on them."""
    small_removal(server)
    graph = json.loads((ROOT / "workflows" / GRAPH).read_text(encoding="utf-8"))
    graph["id"] = str(uuid.uuid4())
    for node in graph["nodes"]:
        if node["type"] == "LoadVideo":
            node["widgets_values"][0] = "small.mp4"
        if node["type"] == "CLEAR_SubtitleRemove":
            values = node["widgets_values"]
            values[values.index("composite")] = "preview"
            values[values.index("look here")] = "only"
        if node["type"] == "CLEAR_DrawAreas":
            node["widgets_values"] = [""]
    return graph


def drag(page, start, stop, steps=5):
    """From one place of the picture to another, in shares of it."""
    left, top, width, height = page.run_js(
        f"() => {{ const a = {AREAS}.clearAreas, b = a.canvas.getBoundingClientRect(), k = b.width / a.canvas.width;"
        " const [x, y, w, h] = a.box(); return [b.left + x * k, b.top + y * k, w * k, h * k] }"
    )
    mouse = page.page.mouse
    mouse.move(left + start[0] * width, top + start[1] * height)
    mouse.down()
    for x, y in [stop] if isinstance(stop[0], float) else stop:
        mouse.move(left + x * width, top + y * height, steps=steps)
    mouse.up()
    return page.run_js(f"() => {AREAS}.widgets.find(w => w.name === 'areas').value")


def numbers(text):
    kind, *pairs = text.split()
    return kind, [float(one.strip("%")) for pair in pairs for one in pair.split(",")]


def test_what_is_drawn_is_in_the_workflow_and_is_what_goes(page, comfyui):
    page.load(drawing(comfyui))
    at = page.run_js(f"() => {AREAS}.pos")
    page.whole_view(1.0, (at[0], at[1]))
    page.page.wait_for_function(f"() => {AREAS}.clearAreas.picture.naturalWidth === 128")
    kind, sides = numbers(drag(page, (0.1, 0.2), (0.6, 0.9)))
    assert kind == "subtitle" and sides == pytest.approx([10, 20, 50, 70], abs=1.5)
    page.page.locator(".clear-areas button[data-kind=protect]").click()
    text = drag(page, (0.7, 0.1), (0.9, 0.3))
    assert numbers(text.split("; ")[1])[0] == "protect"
    saved = page.run_js("() => app.graph.serialize()")
    (node,) = [one for one in saved["nodes"] if one["type"] == "CLEAR_DrawAreas"]
    assert node["widgets_values"][0] == text
    page.queue()
    assert page.wait_for_end()["status"]["status_str"] == "success"
    slider = "app.graph.nodes.find(n => n.comfyClass === 'CLEAR_BeforeAfter').clearCompare"
    page.page.wait_for_function(f"() => {slider}.told && {slider}.video.readyState >= 2")
    page.page.wait_for_timeout(500)
    inside, outside = (
        page.run_js(
            f"() => {{ const c = {slider}, s = document.createElement('canvas'); s.width = 128; s.height = 96;"
            " const p = s.getContext('2d'); p.drawImage(c.video, 0, 192, 128, 96, 0, 0, 128, 96);"
            f" return p.getImageData({x}, 48, 1, 1).data[0] }}"
        )
        for x in (45, 110)
    )
    assert inside > 200 and outside < 50, "the mask is what was drawn"


def test_outlines_undo_and_typed_text(page, comfyui):
    page.load(drawing(comfyui))
    at = page.run_js(f"() => {AREAS}.pos")
    page.whole_view(1.0, (at[0], at[1]))
    page.page.wait_for_function(f"() => {AREAS}.clearAreas.picture.naturalWidth === 128")
    page.run_js(f"() => {AREAS}.clearAreas.choose('limit', true)")
    kind, corners = numbers(drag(page, (0.2, 0.2), [(0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]))
    assert kind == "limit" and len(corners) > 12 and min(corners) == pytest.approx(20, abs=2)
    page.run_js(f"() => {AREAS}.clearAreas.put({AREAS}.clearAreas.texts().slice(0, -1))")
    assert page.run_js(f"() => {AREAS}.widgets.find(w => w.name === 'areas').value") == ""
    pixel = (
        f"() => {{ const a = {AREAS}.clearAreas, [x, y, w, h] = a.box();"
        " return [...a.canvas.getContext('2d').getImageData(x + w / 2, y + h / 2, 1, 1).data] }"
    )
    before = page.run_js(pixel)
    page.run_js(
        f"() => {{ const w = {AREAS}.widgets.find(w => w.name === 'areas'); w.value = 'protect 0%,0%,100%,100%';"
        " w.callback(w.value) }"
    )
    assert page.run_js(pixel)[1] > before[1], "typed text is drawn in green"


def test_a_file_that_is_no_film_leaves_no_other_films_picture(page, comfyui):
    (comfyui.base / "input" / "words.mp4").write_text("This is no video.")
    page.load(drawing(comfyui))
    page.page.wait_for_function(f"() => {AREAS}.clearAreas.picture.naturalWidth === 128")
    page.run_js("() => { app.graph.nodes.find(n => n.type === 'LoadVideo').widgets[0].value = 'words.mp4' }")
    page.page.wait_for_function(f"() => {AREAS}.clearAreas.facts?.failed")
    page.page.wait_for_function(f"() => !{AREAS}.clearAreas.picture.naturalWidth")
    assert page.run_js(f"() => {AREAS}.clearAreas.hint()") == "No picture can be read from this file"
