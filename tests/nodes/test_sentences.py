"""What the pack says while it runs, in Chinese: each sentence has one, with the same gaps, and none is left over."""

import json
import re

from paths import ROOT
from said_sentences import sentences

from clear_runtime.film.progress import CLEAN, JOIN, LOOK

CHINESE = json.loads((ROOT / "web" / "chinese.json").read_text(encoding="utf-8"))
NAMES = re.compile(r"(bf|fp)\d+.*|bfloat16|float32|unipc|euler|adamw.*|h264.*|hevc.*|vp9|av1|prores")
"""Choices that are called the same in every language."""


def gaps(text):
    return set(re.findall(r"\{\d+\}", text))


def test_each_sentence_that_a_run_can_say_has_a_chinese_one_and_no_other_is_kept():
    said, known = set(sentences.said()), set(sentences.catalogue())
    assert not said - known, "to be translated in web/chinese.json"
    assert not known - said, "said no more: to be taken out of web/chinese.json"


def test_a_chinese_sentence_says_nothing_that_the_english_one_does_not():
    for english, chinese in sentences.catalogue().items():
        assert gaps(chinese) <= gaps(english), english
        assert re.search("[\u4e00-\u9fff]", chinese) or not re.search("[A-Za-z]{4,}", english), english


def test_a_new_sentence_is_noticed(tmp_path):
    file = tmp_path / "nodes" / "new.py"
    file.parent.mkdir()
    file.write_text(
        '"""A docstring of a module."""\n'
        "def run(name, log, error):\n"
        '    """A docstring."""\n'
        '    log.info("A line for the log.")\n'
        "    if not name:\n"
        '        raise ValueError("A bug of ours.")\n'
        "    raise ClearError(f\"{name} is odd ({error or 'nobody knows'}). \" + why(name))\n",
        encoding="utf-8",
    )
    assert set(sentences.said(tmp_path)) == {"{1} is odd ({2}). {3}", "nobody knows"}


def test_stages_of_one_word_are_words_of_the_page():
    assert {CLEAN.capitalize(), JOIN.capitalize(), "Training", "Encoding", "Painting", "Decoding"} <= set(
        CHINESE["page"]
    )
    assert LOOK in sentences.catalogue()


def test_each_choice_of_a_node_has_a_chinese_word(pack):
    known, used = CHINESE["choices"], set()
    for node in pack.listed.values():
        for one in node.GET_SCHEMA().inputs:
            for value in getattr(one, "options", None) or ():
                if isinstance(value, str) and not value.endswith((".safetensors", ".pt", ".pth")):
                    key = f"{one.id}: {value}"
                    used.add(key if key in known else value)
                    assert key in known or value in known or NAMES.fullmatch(value), key
    assert not set(known) - used, "nothing to choose any more"


def test_each_text_of_the_pages_scripts_has_a_chinese_one():
    scripts = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "web").glob("*.js"))
    texts = re.findall(r'\b(?:say|filled)\("([^"]+)"|\bbutton\("[^"]*", "([^"]+)"', scripts)
    wanted = {one or other for one, other in texts}
    assert len(wanted) > 30 and wanted <= {*CHINESE["page"], *CHINESE["told"]}
