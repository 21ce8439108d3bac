"""The slider of Before / After."""

import pytest
from clips_for_browser import small_removal

from launch.page import ComfyPage

COMPARE = "app.graph.nodes.find(n => n.comfyClass === 'CLEAR_BeforeAfter').clearCompare"


@pytest.fixture
def compared(page, comfyui):
    """The page with the result of a small clip on the slider."""
    page.load(small_removal(comfyui))
    page.queue()
    assert page.wait_for_end()["status"]["status_str"] == "success"
    page.page.wait_for_function(f"() => {COMPARE}.video.readyState >= 2 && {COMPARE}.told")
    page.page.wait_for_timeout(800)
    return page


def ask(page, what):
    return page.run_js(f"() => {{ const c = {COMPARE}; return {what} }}")


def place(page):
    """Of the pictures: left, top, width, height on the screen."""
    return ask(page, "(b => [b.left, b.top, b.width, b.height])(c.stage.getBoundingClientRect())")


def colours(page, x):
    """The mean colour of a column of the slider's canvas, x of its width from the left."""
    return ask(
        page,
        f"(() => {{ const x = Math.round({x} * c.canvas.width); const d = c.canvas.getContext('2d')"
        ".getImageData(x, 0, 1, c.canvas.height).data; let s = [0, 0, 0];"
        " for (let i = 0; i < d.length; i += 4) for (let k = 0; k < 3; k++) s[k] += d[i + k];"
        " return s.map(v => v / (d.length / 4)) })()",
    )


def test_dragging_moves_the_line_between_before_and_after(compared):
    left, top, width, height = place(compared)
    assert width > 100 and height > 100
    mouse = compared.page.mouse
    mouse.move(left + width / 2, top + height / 2)
    mouse.down()
    mouse.move(left + 0.9 * width, top + height / 2, steps=4)
    mouse.up()
    assert ask(compared, "c.divider") == pytest.approx(0.9, abs=0.02)
    before = colours(compared, 0.5)
    compared.run_js(f"() => {{ {COMPARE}.divider = 0.1; {COMPARE}.draw() }}")
    after = colours(compared, 0.5)
    assert max(abs(a - b) for a, b in zip(before, after)) > 0.3, "the text stands in the middle column"
    compared.run_js(f"() => {{ {COMPARE}.swap() }}")
    assert colours(compared, 0.5) == pytest.approx(before, abs=0.01)


def test_steps_go_frame_by_frame_and_play_runs(compared):
    ask(compared, "c.go(3)")
    compared.page.wait_for_timeout(400)
    assert ask(compared, "[c.frame, Math.floor(c.video.currentTime * c.told.fps)]") == [3, 3]
    compared.run_js(f"() => {COMPARE}.root.focus()")
    compared.page.keyboard.press("ArrowRight")
    compared.page.wait_for_timeout(400)
    assert ask(compared, "[c.frame, Math.floor(c.video.currentTime * c.told.fps)]") == [4, 4]
    assert "frame 4 / 8" in ask(compared, "c.number.textContent")
    assert ask(compared, "app.canvas.selected_nodes && Object.keys(app.canvas.selected_nodes).length >= 0")
    compared.page.keyboard.press(" ")
    compared.page.wait_for_timeout(300)
    assert not ask(compared, "c.video.paused")
    compared.page.keyboard.press(" ")
    compared.page.wait_for_timeout(300)
    assert ask(compared, "c.video.paused")


def test_while_a_frame_is_on_its_way_the_one_before_stays(compared):
    before = colours(compared, 0.6)
    ask(compared, "Object.defineProperty(c.video, 'readyState', { configurable: true, value: c.video.HAVE_METADATA })")
    compared.run_js(f"() => {{ {COMPARE}.divider = 0.9; {COMPARE}.draw() }}")
    assert colours(compared, 0.6) == before != [0, 0, 0]
    compared.run_js(f"() => {{ delete {COMPARE}.video.readyState; {COMPARE}.draw() }}")
    assert colours(compared, 0.6) != before


def test_wheel_zooms_the_picture_and_not_the_graph(compared):
    left, top, width, height = place(compared)
    scale = compared.run_js("() => app.canvas.ds.scale")
    compared.page.mouse.move(left + width / 3, top + height / 2)
    compared.page.mouse.wheel(0, -300)
    compared.page.wait_for_timeout(300)
    assert ask(compared, "c.view.zoom") > 1.5 and compared.run_js("() => app.canvas.ds.scale") == scale
    ask(compared, "c.resetView()")
    assert ask(compared, "c.view.zoom") == 1


def test_the_mask_is_a_third_layer(compared):
    plain = colours(compared, 0.45)
    ask(compared, "c.nextMask()")
    assert colours(compared, 0.45)[0] > plain[0] + 0.3, "letters are red under the mask"
    ask(compared, "c.nextMask()")
    assert ask(compared, "[c.left.textContent, c.maskButton.textContent]") == ["mask", "mask: only"]
    red, green, blue = colours(compared, 0.45)
    assert red > 0.3 and abs(red - green) < 3 and abs(green - blue) < 3, "a mask is grey"
    ask(compared, "c.nextMask()")


def test_it_is_there_again_after_a_reload_and_shows_one_picture(compared):
    compared.open()
    compared.page.wait_for_function(f"() => {COMPARE}.told && {COMPARE}.video.readyState >= 2")
    node = "app.graph.nodes.find(n => n.comfyClass === 'CLEAR_BeforeAfter')"
    assert not compared.run_js(f"() => !!{node}.imgs?.length"), "the picture stands below the slider as well"


def test_a_second_page_of_the_graph_shows_what_the_first_one_ran(page, browser, comfyui, renderer):
    """Only the page that ran a graph is told what its nodes left."""
    graph = small_removal(comfyui)
    page.load(graph)
    other = ComfyPage(browser, comfyui, renderer)
    other.load(graph)
    page.queue()
    assert page.wait_for_end()["status"]["status_str"] == "success"
    other.page.wait_for_function(f"() => {COMPARE}.told && {COMPARE}.video.readyState >= 2")
    assert other.errors == []
    other.close()
