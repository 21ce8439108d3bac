"""What a run says, on a Chinese page: the report, the plan, the progress and the errors, in Chinese."""

import re

import pytest
from clips_for_browser import small_removal, with_report
from said_sentences import sentences

from launch.page import ComfyPage

ENGLISH = r"[A-Za-z]{3,} [a-z]{2,} [a-z]{2,}"
"""Three words in a row."""


@pytest.fixture
def chinese(browser, comfyui, renderer):
    page = ComfyPage(browser, comfyui, renderer, locale="zh")
    yield page
    page.close()
    assert page.errors == []


def panel(page):
    return page.run_js("() => app.graph.getNodeById(3).clearLive.root.innerText")


def test_a_report_is_chinese_on_the_page_and_english_in_the_graph(chinese, comfyui, pictures):
    chinese.load(with_report(small_removal(comfyui)))
    chinese.queue()
    told = chinese.wait_for_end()
    chinese.page.wait_for_timeout(1500)
    shown = chinese.run_js("() => app.graph.getNodeById(9).widgets.map(w => w.value).find(v => /\\d/.test(v))")
    assert re.search(r"9 帧中有 \d+ 帧带字幕。", shown) and "已去除：" in shown, shown
    assert told["outputs"]["9"]["text"][0].startswith("Subtitles in "), "what other nodes are given stays English"
    assert not re.search(ENGLISH, shown + panel(chinese)), shown + panel(chinese)
    assert "most text" not in chinese.run_js("() => app.graph.getNodeById(4).clearCompare.root.innerText")
    pictures(chinese, "chinese_report")


def test_an_error_is_chinese_on_the_node_and_where_the_page_shows_it(chinese, comfyui, pictures):
    graph = small_removal(comfyui)
    graph["nodes"][2]["widgets_values"] = [1, 1.0, 0, 81, 16, "composite"]  # nothing paints: no model is connected
    chinese.load(graph)
    chinese.queue()
    assert chinese.wait_for_end()["status"]["status_str"] == "error"
    chinese.page.wait_for_function("() => document.body.innerText.includes('加载 CLEAR Nano')")
    assert "没有连接" in panel(chinese) and not re.search(ENGLISH, panel(chinese)), panel(chinese)
    chinese.page.wait_for_timeout(1500)
    assert "not connected" not in chinese.run_js("() => document.body.innerText")
    pictures(chinese, "chinese_error")


def test_choices_are_shown_in_chinese_and_saved_in_english(chinese, comfyui, renderer, pictures):
    chinese.load(small_removal(comfyui))
    chinese.page.wait_for_timeout(1000)
    output = "app.graph.getNodeById(3).widgets.find(w => w.name === 'output')"
    assert chinese.run_js(f"() => {output}.options.getOptionLabel('preview')") == "预览（preview）"
    assert "preview" in chinese.run_js("() => app.graph.serialize().nodes.find(n => n.id === 3).widgets_values")
    if renderer == "classic":  # of the other one, 0.3.75 shows values
        assert chinese.run_js(f"() => {output}._displayValue") == "预览（preview）"
    pictures(chinese, "chinese_choices")


def test_sentences_are_found_inside_one_another_too(chinese):
    """As the server puts them together: lists, names before a sentence, phrases in a gap, several lines."""
    say = "async text => (await import('/extensions/clear-subtitle-remover/chinese.js')).inChinese(text)"
    said = lambda text: chinese.run_js(say, text)
    report = "Subtitles in 40 of 49 frames. Nothing frames 0-3, frames 44-48.\n"
    report += "Left: frame 7, 1 row, letters of 22 px, 300x30 at 20,300, 98% sure; "
    report += "stands all the time; taken for lettering by its place"
    assert said(report) == (
        "49 帧中有 40 帧带字幕。没有字幕的：第 0–3 帧、第 44–48 帧。\n"
        "保留：第 7 帧，1 行，字高 22 像素，300×30，位于 20,300，把握 98%；一直都在，按位置判断为画面文字"
    )
    assert (
        said("a.mp4: this is a folder. Name one video file in it.") == "a.mp4：这是文件夹。请填写其中的一个视频文件。"
    )
    assert said("2400 frames, of which 300 are painted; about 1.3 GB of memory beside the model's own.") == (
        "2400 帧，其中 300 帧要绘制；约 1.3 GB 内存（不含模型）。"
    )
    assert (
        said("size is 0. Use a value of at least 1 and at most 40.") == "size 是 0。请使用 不小于 1，不大于 40 的值。"
    )
    for english, own in sentences.catalogue().items():
        filled = [re.sub(r"\{(\d+)\}", r"<\1>", text) for text in (english, own)]
        assert said(filled[0]) == filled[1], "another sentence of web/chinese.json is taken for it"
    assert said("What nobody has translated. Yet.") == "What nobody has translated. Yet."
