"""Help pages and translations against the nodes' schemas: nothing missing, and nothing that is not there."""

import json
import re

import pytest
from paths import ROOT
from shipped_graphs import ENGLISH

PAGES = ROOT / "web" / "docs"
LARGEST = 130_000  # bytes of a picture: pages open at once
LANGUAGES = {"en": "{}.md", "zh": "{}/zh.md"}
"""The frontend asks for NODE/LANGUAGE.md and then for NODE.md, so that English serves every language without a page of
its own."""
NAMED = ("ja", "ko")
"""Languages in which nodes have a name, and nothing else yet."""
TRANSLATED = sorted(path.name for path in (ROOT / "locales").iterdir() if path.name not in NAMED)
HEADINGS = {"inputs": "Inputs|Options|输入|选项", "outputs": "Outputs|输出"}
"""What is listed under which headings of a page."""
LISTED = re.compile(r"^- \*\*([\w ]+)\*\*(?: \((.+?)\)|（(.+?)）)?[:：]", re.MULTILINE)
"""An input in a list: its name, its default in English, or its Chinese name and, behind a comma, the default."""
IN_WORDS = {"on": "True", "off": "False", "开": "True", "关": "False"}


@pytest.fixture(scope="module")
def schemas(pack):
    return {node_id: node.GET_SCHEMA() for node_id, node in pack.listed.items()}


def names_of(schema, kind):
    return [one.id for one in schema.inputs] if kind == "inputs" else [one.display_name for one in schema.outputs]


def page(node_id, language):
    return PAGES / LANGUAGES[language].format(node_id)


def lists(text):
    """What a page lists: "inputs" or "outputs" -> {name: (label in brackets, default)}. Outputs have no default."""
    found = {}
    for kind, headings in HEADINGS.items():
        sections = re.findall(rf"^## (?:{headings})\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        for name, english, chinese in (entry for section in sections for entry in LISTED.findall(section)):
            label, _, default = chinese.partition("，默认 ")
            default = english or default
            assert name not in found.get(kind, {}), name
            found.setdefault(kind, {})[name] = (label or None, IN_WORDS.get(default, default))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_names_every_input_and_output_and_no_other(schemas, language):
    for node_id, schema in schemas.items():
        described = lists(page(node_id, language).read_text(encoding="utf-8"))
        for kind in ("inputs", "outputs"):
            written = list(described.get(kind, ()))
            assert sorted(written) == sorted(names_of(schema, kind)), f"{node_id}, {language}: {kind}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_defaults_on_a_page_are_the_schemas(schemas, language):
    for node_id, schema in schemas.items():
        rows = lists(page(node_id, language).read_text(encoding="utf-8"))["inputs"]
        expected = {
            one.id: str(default) if (default := getattr(one, "default", None)) is not None else ""
            for one in schema.inputs
        }
        assert {name: default for name, (_, default) in rows.items()} == expected, f"{node_id}, {language}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_in_a_page_s_text_exist(schemas, language):
    """*Italics* are inputs and outputs of some node, or shipped graphs; a page says other things in other ways."""
    known = {name for schema in schemas.values() for kind in ("inputs", "outputs") for name in names_of(schema, kind)}
    known |= {graph.stem for graph in (ROOT / "workflows").glob("*.json")} | {
        "fps",
        "audio",
    }  # the last two: of Get Video Components
    for node_id in schemas:
        text = page(node_id, language).read_text(encoding="utf-8")
        unknown = set(re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", text)) - known
        assert not unknown, f"{node_id}, {language}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_legible_in_a_narrow_panel_and_names_usual_mistakes(schemas, language):
    """The panel is 300 pixels wide, where tables lose their last column."""
    for node_id in schemas:
        text = page(node_id, language).read_text(encoding="utf-8")
        assert not re.search(r"^\|", text, re.MULTILINE), f"{node_id}, {language}: a table"
        assert re.search(r"^## (Usual mistakes|常见错误)\n\n- ", text, re.MULTILINE), f"{node_id}, {language}"


def test_no_page_is_of_a_node_that_is_gone(schemas):
    pages = {path.relative_to(PAGES).as_posix() for path in PAGES.rglob("*.md")}
    assert pages == {name.format(node_id) for node_id in schemas for name in LANGUAGES.values()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_shows_the_pictures_that_there_are(schemas, language):
    """The frontend looks for a page's pictures from the folder of all pages, whatever the page's own."""
    shown = {
        name
        for node_id in schemas
        for name in re.findall(r"!\[.+\]\((.+)\)", page(node_id, language).read_text(encoding="utf-8"))
    }
    assert shown == {path.relative_to(PAGES).as_posix() for path in PAGES.rglob("*.jpg")}
    assert {
        "pictures/prior_mask.jpg",
        "pictures/train_prior.jpg",
        "pictures/burn_subtitles.jpg",
        "pictures/train_lora.jpg",
    } <= shown


def test_pictures_are_small():
    pictures = [*PAGES.rglob("*.jpg"), *(ROOT / "workflows").glob("*.jpg")]
    assert not [path.name for path in pictures if path.stat().st_size > LARGEST]


def test_every_graph_has_a_picture_in_the_template_browser():
    assert [graph.stem for graph in sorted((ROOT / "workflows").glob("*.json"))] == [
        path.stem for path in sorted((ROOT / "workflows").glob("*.jpg"))
    ]


def test_files_that_a_graph_offers_are_the_ones_it_chooses():
    """The frontend looks for the widget's name in the folder, and offers a download from the hosts and of the endings
    that it trusts."""
    offered = []
    for graph in ENGLISH:
        for node in json.loads(graph.read_text(encoding="utf-8"))["nodes"]:
            for one in node.get("properties", {}).get("models", []):
                assert one["name"] in node["widgets_values"], f"{graph.stem}: {node['type']}"
                assert one["url"].endswith(f"/{one['name']}"), "a browser saves it under the name of its address"
                # ComfyUI 0.3.75 lists a .pt, and offers .safetensors alone
                assert re.fullmatch(
                    r"https://huggingface\.co/[\w.-]+/[\w.-]+/resolve/main/[\w./-]+\.(safetensors|pt)", one["url"]
                )
                offered.append(one["directory"])
    others = ["checkpoints", "diffusion_models", "loras", "text_encoders", "upscale_models", "vae"]
    assert sorted(offered) == sorted([*others, "diffusion_models", "vae"])  # the last two: MiniMax-Remover's


def test_emphasis_beside_full_width_brackets_stands_apart():
    """Markdown does not close **（…）** where a letter follows at once: the asterisks would be shown."""
    texts = [*PAGES.rglob("*.md"), *(ROOT / "scripts" / "notes").rglob("*.md"), ROOT / "README.zh.md"]
    wrong = re.compile(r"[）”]\*+(?=\w)")
    found = {path: wrong.findall(path.read_text(encoding="utf-8")) for path in texts}
    assert not any(found.values()), {str(path): one for path, one in found.items() if one}


def test_notes_hold_no_code_which_the_vue_renderer_shows_in_blue_on_brown():
    notes = [
        node["widgets_values"][0]
        for graph in (ROOT / "workflows").glob("*.json")
        for node in json.loads(graph.read_text(encoding="utf-8"))["nodes"]
        if node["type"] == "MarkdownNote"
    ]
    assert notes and not [note[:40] for note in notes if "`" in note or "|" in note]


def test_english_is_in_the_schemas(schemas):
    for node_id, schema in schemas.items():
        assert schema.display_name and schema.description, node_id
        assert not [one.id for one in schema.inputs if not one.tooltip], node_id


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_every_node_input_and_output_and_no_other(schemas, language):
    nodes = json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    assert set(nodes) == set(schemas)
    for node_id, schema in schemas.items():
        node = nodes[node_id]
        assert node["display_name"] and node["description"], node_id
        assert set(node["inputs"]) == {one.id for one in schema.inputs}, node_id
        assert all(one["name"] and one["tooltip"] for one in node["inputs"].values()), node_id
        assert list(node.get("outputs", {})) == [str(i) for i in range(len(schema.outputs))], node_id
        for output, told in zip(schema.outputs, node.get("outputs", {}).values()):
            # an output that is called as its type gets ComfyUI's own word for the type
            assert told["tooltip"] and ("name" in told) == (output.display_name != output.io_type), (
                f"{node_id}: {output.display_name}"
            )


@pytest.mark.parametrize("language", NAMED)
def test_every_node_has_a_name_of_its_own(schemas, language):
    nodes = json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    assert set(nodes) == set(schemas)
    names = [node["display_name"] for node in nodes.values()]
    assert len(set(names)) == len(names) and all(list(node) == ["display_name"] for node in nodes.values())


@pytest.mark.parametrize("language", [*TRANSLATED, *NAMED])
def test_translated_texts_are_shown_as_they_are(language):
    """The frontend reads { } @ | in a text as signs of its own."""
    for path in (ROOT / "locales" / language).glob("*.json"):
        texts = _texts(json.loads(path.read_text(encoding="utf-8")))
        assert not [text for text in texts if set("{}@|") & set(text)], path.name


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_page_has_the_words_of_the_node(schemas, language):
    nodes = json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    for node_id in schemas:
        text = page(node_id, language).read_text(encoding="utf-8")
        assert text.startswith(f"# {nodes[node_id]['display_name']}\n"), node_id
        labels = {name: label for name, (label, _) in lists(text)["inputs"].items()}
        assert labels == {name: one["name"] for name, one in nodes[node_id]["inputs"].items()}, node_id


def test_an_english_page_has_the_name_of_the_node(schemas):
    for node_id, schema in schemas.items():
        assert page(node_id, "en").read_text(encoding="utf-8").startswith(f"# {schema.display_name}\n"), node_id


def _texts(value):
    return [value] if isinstance(value, str) else [text for part in value.values() for text in _texts(part)]
