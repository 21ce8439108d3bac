"""What the pack says in English while it runs, read out of its code: reports, notes, errors and stages, with {1}, {2}
where something stands that the run fills in. The page says them in Chinese by web/chinese.json (web/chinese.js).

    python scripts/sentences.py            which are not in web/chinese.json, and which there are said no more

A text counts where it has a word and a space, outside of docstrings, help of options and inputs, logs and patterns.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "web" / "chinese.json"

ELSEWHERE = (
    "clear_runtime/bench",
    "clear_runtime/catalogue.py",
    "clear_runtime/cli",
    "clear_runtime/data/generated_clips.py",
    "clear_runtime/data/synthetic/layouts.py",
    "clear_runtime/data/synthetic/looks.py",
    "clear_runtime/data/synthetic/on_device.py",
    "clear_runtime/data/synthetic/pack.py",
    "clear_runtime/data/synthetic/sources.py",
    "clear_runtime/data/synthetic/specimens",
    "clear_runtime/film/elsewhere.py",
    "clear_runtime/film/on_ray.py",
    "clear_runtime/film/trial.py",
    "clear_runtime/metrics.py",
    "clear_runtime/train/nano",
    "clear_runtime/train/processes.py",
)
"""What no node runs: its words are read in a terminal."""

UNREAD = (
    "% of the frame that is subtitle",
    "81 frames of 1280x720",
    "81 frames of 832x480",
    "Wan2.1 Fun-Control",
    "as the source",
    "bundled light prior",
    "by name",
    "by order",
    "can't allocate memory",
    "error: {1}",
    "from scratch",
    "hard prior",
    "layer {1}",
    "learning rate",
    "picture tells",
    "model {1}",
    "no {1}s",
    "not enough memory",
    "optical flow",
    "s a step",
    "the fill then borrows pixels of other frames",
    "{1} % of the weights train",
    "{1} GiB  {2}",
    "{1} GiB",
    "{1} batch {2}",
    "{1} example {2}",
    "{1} left",
    "{1} line {2}",
    "{1} look {2}",
    "{1} of {2}",
    "{1} painted",
    "{1} skipped",
    "{1} to {2}",
)
"""No sentences of a run: choices, keys, what stands inside of pictures."""
BEGIN = ("How the cleaned frames lie", "Please remove the subtitle", "Lines of text in the film", '{\n "about"')
"""The same by how they begin: prompts, and what stands inside of files."""
NOT_SAID = {"option", "rearrange", "repeat", "reduce", "compile", "about", "in_words", "Input", "Output"}
"""Calls whose texts are help or patterns."""
QUIET = ("log.", "io.", "re.", "warnings.", "parser.")
"""The same of whole families."""


def said(root: Path = ROOT) -> dict[str, list[str]]:
    """Sentence -> the files that say it."""
    out: dict[str, list[str]] = {}
    left_out = {*_help(), *UNREAD}
    for path in sorted([*root.glob("clear_runtime/**/*.py"), *root.glob("nodes/**/*.py")]):
        name = path.relative_to(root).as_posix()
        if name.startswith(ELSEWHERE):
            continue
        for text in _texts(ast.parse(path.read_text(encoding="utf-8"))):
            if _counts(text) and text not in left_out and not text.startswith(BEGIN):
                out.setdefault(text, []).append(name)
    return out


def catalogue() -> dict[str, str]:
    return json.loads(CATALOGUE.read_text(encoding="utf-8"))["told"]


def _help() -> set[str]:
    """What options say of themselves, and what can be chosen."""
    sys.path.insert(0, str(ROOT))
    from clear_runtime.catalogue import NODES  # the repository is no installed package

    texts = set()
    for surface in NODES.values():
        for one in surface.on_nodes():
            texts |= {one.about.help, one.about.more, one.about.zh, one.about.more_zh, *(one.about.choices or ())}
    return texts


def _counts(text: str) -> bool:
    plain = re.sub(r"\{\d+\}", "", text)
    words = re.search(r"[A-Za-z]{2,}", plain) is not None
    return " " in text and words and "->" not in text and not _is_name(text)


def _is_name(text: str) -> bool:
    """Of a font, of a node: nothing but capitalised words."""
    return not re.search(r"[.:]", text) and all(word[:1].isupper() for word in text.split())


def _texts(node: ast.AST) -> Iterator[str]:
    """Every text in code that somebody may read."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.FunctionDef) and node.name == "define_schema":
        return
    if isinstance(node, ast.Call) and _is_quiet(ast.unparse(node.func)):
        return
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and _is_a_bug(ast.unparse(node.exc.func)):
        return
    if isinstance(node, (ast.Assert, ast.arg)) or isinstance(node, ast.AnnAssign) and node.value is None:
        return
    if (parts := _parts(node)) is not None:
        gaps: list[ast.AST] = []
        text = ""
        for part in parts:
            if isinstance(part, str):
                text += part
            else:
                gaps.append(part)
                text += f"{{{len(gaps)}}}"
        yield text.strip()
        for gap in gaps:
            yield from _texts(gap)
        return
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def _is_quiet(name: str) -> bool:
    return name.startswith(QUIET) or name.rpartition(".")[2] in NOT_SAID


def _is_a_bug(name: str) -> bool:
    """Of what is raised: an error of Python's, which no user can mend."""
    return name.endswith("Error") and name != "ClearError"


def _parts(node: ast.AST) -> list[str | ast.AST] | None:
    """The pieces of a text, as they stand and as code that makes them; None where it is no text."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return [v.value if isinstance(v, ast.Constant) else v.value for v in node.values]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _parts(node.left), _parts(node.right)
        if left is None and right is None:
            return None
        return [*(left or [node.left]), *(right or [node.right])]
    return None


def main() -> None:
    there, known = said(), catalogue()
    for text, files in there.items():
        if text not in known:
            print(f"not in Chinese: {text!r} ({', '.join(files)})")
    for text in known:
        if text not in there:
            print(f"said no more: {text!r}")


if __name__ == "__main__":
    main()
