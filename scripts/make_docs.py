"""Write what help pages, docs/nodes.md and translations say of the options, out of the options themselves; and the
table of all nodes in docs/nodes.md, out of their English help pages, which tests hold against the nodes.

    python scripts/make_docs.py            rewrite what is out of date
    python scripts/make_docs.py --check    say what is, and fail where there is some

Rewritten is what stands between `<!-- options -->` and `<!-- end of options -->`, or the same with `nodes`, and the
entries of those inputs in locales/zh/nodeDefs.json. What is translated there of an input that no help page lists any
more goes.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from clear_runtime.catalogue import NODES, Surface  # noqa: E402  the repository is no installed package
from clear_runtime.option import in_words  # noqa: E402

_CHINESE = Path("locales/zh/nodeDefs.json")
_VIEW = Path("docs/nodes.md")
_SECTION = r"^## (?:{})\n(.*?)(?=^## |\Z)"
_LISTED = re.compile(r"^- \*\*([\w ]+)\*\*", re.MULTILINE)
_SENTENCE = re.compile(r"\A# (.+)\n\n(.+?\.)(?= |\n)")
"""Of a help page: the node's name, and the first sentence of what it is."""


def list_en(surface: Surface) -> str:
    """A line for each option: a help panel is 300 pixels wide, too narrow for a table."""
    return "".join(
        f"- **{one.name}**{f' ({default})' if (default := in_words(one.default)) else ''}: "
        f"{' '.join(filter(None, (one.about.help, one.about.more)))}\n"
        for one in surface.on_nodes()
    )


def list_zh(surface: Surface) -> str:
    return "".join(
        f"- **{one.name}**（{surface.title(one)}"
        f"{f'，默认 {default}' if (default := in_words(one.default, '开', '关')) else ''}）："
        f"{one.about.zh}{one.about.more_zh}\n"
        for one in surface.on_nodes()
    )


def table(surface: Surface) -> str:
    """Of docs/nodes.md, which is read on a wide page."""
    rows = [f"| {one.name} | {in_words(one.default)} | {one.about.help} |" for one in surface.on_nodes()]
    return "\n".join(["| input | default | meaning |", "|---|---|---|", *rows]) + "\n"


def listed(page: str, headings: str) -> list[str]:
    """What a help page lists under some headings, by name."""
    sections = re.findall(_SECTION.format(headings), page, re.MULTILINE | re.DOTALL)
    return [name for section in sections for name in _LISTED.findall(section)]


def view(pages: dict[str, str]) -> str:
    """All nodes in one table. pages: node -> its English help page."""
    rows = []
    for node, page in pages.items():
        found = _SENTENCE.match(page)
        if found is None:
            raise SystemExit(f"web/docs/{node}.md needs a heading and a sentence under it")
        options = {one.name for one in NODES[node].on_nodes()} if node in NODES else set()
        own = [name for name in listed(page, "Inputs|Options") if name not in options]
        inputs = ", ".join([*own, *(["and the options of its help page"] if options else [])])
        outputs = ", ".join(listed(page, "Outputs"))
        rows.append(f"| [**{found[1]}**](../web/docs/{node}.md) | {found[2]} | {inputs} | {outputs} |")
    return "\n".join(["| node | what it does | in | out |", "|---|---|---|---|", *rows]) + "\n"


def translated(nodes: dict, pages: dict[str, str]) -> str:
    """nodeDefs.json with the options' own names and help, and nothing of inputs that are gone."""
    for node, surface in NODES.items():
        for one in surface.on_nodes():
            nodes[node]["inputs"][one.name] = {"name": surface.title(one), "tooltip": one.about.zh}
    for node, page in pages.items():
        there = listed(page, "Inputs|Options")
        nodes[node]["inputs"] = {name: told for name, told in nodes[node]["inputs"].items() if name in there}
    return json.dumps(nodes, indent=2, ensure_ascii=False) + "\n"


def written() -> dict[Path, str]:
    """File, from the repository's root -> what it should hold."""
    nodes = json.loads(_read(_CHINESE))
    made, english = {}, {node: Path(f"web/docs/{node}.md") for node in nodes}
    for node, surface in NODES.items():
        chinese = Path(f"web/docs/{node}/zh.md")
        made[english[node]] = _between(english[node], _read(english[node]), "options", list_en(surface))
        made[chinese] = _between(chinese, _read(chinese), "options", list_zh(surface))
    pages = {node: made.get(path) or _read(path) for node, path in english.items()}
    told = _between(_VIEW, _read(_VIEW), "options", table(NODES["CLEAR_SubtitleRemove"]))
    return {**made, _VIEW: _between(_VIEW, told, "nodes", view(pages)), _CHINESE: translated(nodes, pages)}


def _read(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _between(path: Path, text: str, what: str, part: str) -> str:
    """The text with another part between the marks of `what`."""
    marks = re.compile(rf"(<!-- {what} -->\n).*?(<!-- end of {what} -->)", re.DOTALL)
    text, count = marks.subn(lambda m: m[1] + part + m[2], text)
    if count != 1:
        raise SystemExit(f"{path} needs `<!-- {what} -->` and `<!-- end of {what} -->`, once")
    return text


def out_of_date() -> dict[Path, str]:
    return {path: text for path, text in written().items() if _read(path) != text}


def main(check: bool) -> None:
    stale = out_of_date()
    if check and stale:
        raise SystemExit(f"out of date: {', '.join(map(str, stale))}. Run python scripts/make_docs.py")
    for path, text in stale.items():
        (ROOT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
