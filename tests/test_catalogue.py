"""Options, and what is made of them: help in two languages, flags, and texts that are up to date."""

import argparse
import importlib.util
import json
import re
import shutil

import pytest
from paths import ROOT

from clear_runtime.catalogue import MASK, REMOVE, TRAIN_LORA, TRAIN_PRIOR, Surface
from clear_runtime.cli.arguments import add_options, options_given, options_of
from clear_runtime.data.synthetic.burn_style import BurnStyle
from clear_runtime.errors import ClearError
from clear_runtime.find.options import MarkOptions
from clear_runtime.option import AUTO, described
from clear_runtime.options import RemoveOptions
from clear_runtime.train.lora.options import LoraOptions
from clear_runtime.train.prior.options import PriorOptions

SURFACES = {"remove": REMOVE, "mask": MASK, "train-lora": Surface(LoraOptions), "train-prior": Surface(PriorOptions)}


@pytest.fixture(scope="module")
def make_docs():
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "scripts" / "make_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parsed(surface, *words):
    parser = argparse.ArgumentParser()
    add_options(parser, surface)
    return options_given(parser.parse_args(words), surface)


@pytest.mark.parametrize("of", [RemoveOptions, MarkOptions, LoraOptions, PriorOptions, BurnStyle])
def test_every_option_has_help_in_both_languages(of):
    for one, whole in described(of):
        for about in (whole, *whole.parts.values()):
            assert about.help and about.zh and about.name_zh and bool(about.more) == bool(about.more_zh), one.name
            assert not set("{}@|") & set(about.zh + about.name_zh), f"{one.name}: signs that the frontend reads"


@pytest.mark.parametrize("name", SURFACES)
def test_every_option_has_a_flag(name):
    parser = argparse.ArgumentParser()
    add_options(parser, SURFACES[name])
    flags = {flag for action in parser._actions for flag in action.option_strings}
    assert {"--" + one.name.replace("_", "-") for one in SURFACES[name].shown()} <= flags
    assert {one.field for one in SURFACES[name].shown()} == {one.name for one, _ in described(SURFACES[name].of)}
    assert all(one.about.help.split()[0] in parser.format_help() for one in SURFACES[name].shown())


def test_without_flags_the_options_are_the_runtime_s():
    assert parsed(REMOVE) == RemoveOptions()
    assert parsed(MASK) == MarkOptions(grow=0), "nothing is removed yet, so that nothing is widened"


def test_flags_reach_their_options():
    options = parsed(REMOVE, "--window", "33", "--no-subtitles-only", "--control", "as is", "--keep-change", "0.5")
    expected = RemoveOptions.of(window=33, subtitles_only=False, control="as is", keep_change=0.5)
    assert options == expected
    assert parsed(MASK, "--no-temporal", "--threshold", "0.25") == MarkOptions(0.25, False, 0)
    with pytest.raises(ClearError, match="grow is -2"):
        parsed(REMOVE, "--grow=-2")


@pytest.mark.parametrize(
    "of, words, expected",
    [
        (LoraOptions, "", {}),
        (LoraOptions, "--targets q k --no-checkpointing", {"targets": ("q", "k"), "checkpointing": False}),
        (LoraOptions, "--crop 5 32 64 --middle 3", {"crop": (5, 32, 64), "middle": 3}),
        (PriorOptions, "", {}),
        (PriorOptions, "--crop 64 96 --rate 1e-4 --steps 3", {"crop": (64, 96), "rate": 1e-4, "steps": 3}),
        (PriorOptions, "--schedule cosine --imagenet a.pth", {"schedule": "cosine", "imagenet": "a.pth"}),
    ],
)
def test_flags_reach_the_trainers_options(of, words, expected):
    parser = argparse.ArgumentParser()
    parser.add_argument("--config")
    add_options(parser, Surface(of))
    assert options_of(parser.parse_args(words.split()), of) == of(**expected)


def test_a_tuple_of_several_things_is_so_many_inputs_of_a_node():
    shown = {one.name: one for one in TRAIN_LORA.on_nodes()}
    assert [shown[name].default for name in ("frames", "height", "width")] == [81, 480, 832]
    assert "crop" not in shown and shown["frames"].about.low == 0, "0 is a node's word for all of a clip"
    assert shown["control"].default == AUTO and shown["control"].about.choices[0] == AUTO
    assert "both for nano" in shown["control"].about.help and "auto：" in shown["control"].about.zh
    assert "crop" not in {one.name for one in TRAIN_PRIOR.on_nodes()}


@pytest.mark.parametrize(
    "values, says",
    [
        ({"rate": float("nan")}, "rate is nan. Use a finite value above 0"),
        ({"average": 1.0}, "average is 1.0. Use a value of at least 0 and below 1"),
        ({"crop": (5, 8, 64)}, "height of crop is 8. Use a value of at least 16"),
        ({"crop": (5, 64)}, "crop has 2 values. It is made of frames, height, width"),
        ({"schedule": "linear"}, 'schedule is "linear". Choose one of: constant, cosine'),
    ],
)
def test_what_no_bound_or_list_holds_is_refused(values, says):
    with pytest.raises(ClearError, match=says):
        LoraOptions(**values)


def test_a_name_that_there_is_not_is_refused():
    with pytest.raises(ClearError, match="There is no option colour"):
        MASK.options({"colour": 1})


def test_pages_and_translations_are_up_to_date(make_docs):
    assert not list(make_docs.out_of_date()), "run python scripts/make_docs.py"


CHINESE = "locales/zh/nodeDefs.json"


@pytest.fixture
def texts(make_docs, monkeypatch, tmp_path):
    """A copy of what the script reads and writes."""
    for path in ["docs/nodes.md", CHINESE, *(page.relative_to(ROOT) for page in (ROOT / "web/docs").rglob("*.md"))]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tmp_path / path)
    monkeypatch.setattr(make_docs, "ROOT", tmp_path)
    return tmp_path


def test_texts_that_fell_behind_are_found(make_docs, texts):
    for path in make_docs.written():
        text = (texts / path).read_text(encoding="utf-8")
        (texts / path).write_text(text.replace("81", "80").replace("先验模型的把握", "把握"), encoding="utf-8")
    assert {path.as_posix() for path in make_docs.out_of_date()} >= {
        "docs/nodes.md",
        "web/docs/CLEAR_SubtitleRemove.md",
        "locales/zh/nodeDefs.json",
    }
    make_docs.main(check=False)
    assert not make_docs.out_of_date()


def test_what_is_translated_of_an_option_that_is_gone_goes_too(make_docs, texts):
    held = json.loads((texts / CHINESE).read_text(encoding="utf-8"))
    for node in ("CLEAR_SubtitleRemove", "CLEAR_LoadNano"):  # with options, and with inputs of its own alone
        held[node]["inputs"]["vanished"] = {"name": "旧", "tooltip": "旧"}
    (texts / CHINESE).write_text(json.dumps(held, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    assert [path.as_posix() for path in make_docs.out_of_date()] == [CHINESE]
    make_docs.main(check=False)
    assert (texts / CHINESE).read_bytes() == (ROOT / CHINESE).read_bytes()


def test_the_view_of_all_nodes_has_a_row_for_each_page(make_docs, texts):
    rows = re.findall(
        r"^\| \[\*\*(.+)\*\*\]\(\.\./web/docs/(\w+)\.md\) \|", (texts / "docs/nodes.md").read_text(), re.M
    )
    pages = {page.stem: page.read_text(encoding="utf-8") for page in (texts / "web" / "docs").glob("*.md")}
    assert {node: name for name, node in rows} == {node: text.splitlines()[0][2:] for node, text in pages.items()}
    page = texts / "web" / "docs" / "CLEAR_LoadNano.md"
    page.write_text(page.read_text(encoding="utf-8").replace("**strength**", "**power**"), encoding="utf-8")
    assert "docs/nodes.md" in {path.as_posix() for path in make_docs.out_of_date()}
