"""Write what help pages, docs/nodes.md and translations say of the options, out of the options themselves.

    python scripts/make_docs.py            rewrite what is out of date
    python scripts/make_docs.py --check    say what is, and fail where there is some

Rewritten is what stands between `<!-- options -->` and `<!-- end of options -->`, and the entries of those inputs in
locales/zh/nodeDefs.json.
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

_BETWEEN = re.compile(r"(<!-- options -->\n).*?(<!-- end of options -->)", re.DOTALL)
_CHINESE = Path("locales/zh/nodeDefs.json")


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


def translated(text: str) -> str:
    """nodeDefs.json with the options' own names and help."""
    nodes = json.loads(text)
    for node, surface in NODES.items():
        for one in surface.on_nodes():
            nodes[node]["inputs"][one.name] = {"name": surface.title(one), "tooltip": one.about.zh}
    return json.dumps(nodes, indent=2, ensure_ascii=False) + "\n"


def written() -> dict[Path, str]:
    """File, from the repository's root -> what it should hold."""
    parts = {Path("docs/nodes.md"): table(NODES["CLEAR_SubtitleRemove"])}
    for node, surface in NODES.items():
        parts |= {Path(f"web/docs/{node}.md"): list_en(surface), Path(f"web/docs/{node}/zh.md"): list_zh(surface)}
    made = {path: _between(path, part) for path, part in parts.items()}
    return {**made, _CHINESE: translated((ROOT / _CHINESE).read_text(encoding="utf-8"))}


def _between(path: Path, part: str) -> str:
    text, count = _BETWEEN.subn(lambda m: m[1] + part + m[2], (ROOT / path).read_text(encoding="utf-8"))
    if count != 1:
        raise SystemExit(f"{path} needs `<!-- options -->` and `<!-- end of options -->`, once")
    return text


def out_of_date() -> dict[Path, str]:
    return {path: text for path, text in written().items() if (ROOT / path).read_text(encoding="utf-8") != text}


def main(check: bool) -> None:
    stale = out_of_date()
    if check and stale:
        raise SystemExit(f"out of date: {', '.join(map(str, stale))}. Run python scripts/make_docs.py")
    for path, text in stale.items():
        (ROOT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
