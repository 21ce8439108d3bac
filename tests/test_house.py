"""The house is kept as CONTRIBUTING says: short functions and files, and no import inside a function without a reason.

The rest of the rules has tools of its own (`python run.py check`)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from paths import ROOT

LONGEST_FUNCTION, LONGEST_FILE, LONGEST_LINE = 59, 400, 120
CODE = sorted(
    path
    for place in ("clear_runtime", "nodes", "launch", "scripts", "run.py", "__init__.py")
    for path in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PAGE = sorted((ROOT / "web").glob("*.js"))

KNOWN: set[str] = set()
"""What breaks a rule today, as `breaches` names it. An entry that is no longer true fails the test."""


def breaches(path: Path, code: bool = True) -> Iterator[tuple[str, str]]:
    """(name, what is wrong) of each place in a file. A name stays the same while the code around it changes."""
    name, lines = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8").splitlines()
    if len(lines) > LONGEST_FILE:
        yield name, f"{len(lines)} lines; at most {LONGEST_FILE}"
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            yield f"{name}:{number}", f"{len(line)} columns; at most {LONGEST_LINE}"
    if code:
        yield from _in_functions(ast.parse("\n".join(lines)), name, lines)


def _in_functions(tree: ast.AST, name: str, lines: list[str]) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{name} {node.name}", f"{length} lines; at most {LONGEST_FUNCTION}"
            if not all(_has_reason(one.lineno, lines) for one in ast.walk(node) if _is_import(one)):
                yield f"{name} {node.name} imports", "a comment on the line, or above it, must say why it is not on top"


def _is_import(node: ast.AST) -> bool:
    return isinstance(node, (ast.Import, ast.ImportFrom))


def _has_reason(number: int, lines: list[str]) -> bool:
    """Whether a comment stands on a line, or over the imports that it is one of."""
    if "#" in lines[number - 1]:
        return True
    above = lines[number - 2].strip()
    if above.startswith(("import ", "from ")):
        return _has_reason(number - 1, lines)
    if not above and lines[number - 3].strip().startswith(("import ", "from ")):  # a blank line parts ours from others'
        return _has_reason(number - 2, lines)
    return above.startswith("#")


def leaves_the_runtime(path: Path) -> list[int]:
    """Lines of a file of clear_runtime on which an import goes beyond it: the contracts leave these unseen."""
    depth = len(path.relative_to(ROOT / "clear_runtime").parts)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [one.lineno for one in ast.walk(tree) if isinstance(one, ast.ImportFrom) and one.level > depth]


def test_the_runtime_imports_nothing_from_around_it():
    assert not [path for path in (ROOT / "clear_runtime").rglob("*.py") if leaves_the_runtime(path)]


def all_breaches() -> dict[str, str]:
    found = {name: what for path in CODE for name, what in breaches(path)}
    return found | {name: what for path in TESTS + PAGE for name, what in breaches(path, code=False)}


def test_functions_files_and_lines_are_short_and_imports_stand_on_top():
    new = [f"{name}: {what}" for name, what in all_breaches().items() if name not in KNOWN]
    assert not new, "\n".join(new)


def test_what_is_known_to_break_a_rule_still_does():
    assert sorted(all_breaches().keys() & KNOWN) == sorted(KNOWN)


def test_contributing_shows_the_layers_that_are_checked():
    checked = re.search(r"layers = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.S)[1]
    shown = re.search(r"```\n(cli .*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.S)[1]
    there = lambda room: (ROOT / "clear_runtime" / room).exists() or (ROOT / "clear_runtime" / f"{room}.py").exists()
    layers = [[room.strip("() ") for room in layer.split("|")] for layer in re.findall(r'"(.*?)"', checked)]
    assert [[room.strip() for room in layer.split("|")] for layer in shown.splitlines()] == [
        [room for room in layer if there(room)] for layer in layers
    ]


@pytest.mark.parametrize(
    "code, wrong",
    [
        ("def f():\n" + "    pass\n" * 58, None),
        ("def f():\n" + "    pass\n" * 59, "60 lines"),
        ("pass\n" * 401, "401 lines"),
        ("x = " + "1" * 117, "121 columns"),
        ("def f():\n    import json\n", "a comment"),
        ("def f():\n    import json  # seldom used\n", None),
        ("def f():\n    # seldom used\n    import json\n\n    from os import path\n", None),
        ("def f():\n    x = 1\n    import json\n", "a comment"),
    ],
)
def test_each_breach_is_seen(tmp_path, monkeypatch, code, wrong):
    monkeypatch.setitem(breaches.__globals__, "ROOT", tmp_path)
    (tmp_path / "one.py").write_text(code)
    found = [what for _, what in breaches(tmp_path / "one.py")]
    assert [wrong in what for what in found] == [True] if wrong else not found


def names(lines):
    """The packages that requirement lines name."""
    return {re.split(r"[<>=\[; ]", line)[0].lower() for line in lines if line.strip() and not line.startswith("#")}


def test_the_lists_of_packages_are_one():
    """The registry reads pyproject.toml, ComfyUI-Manager requirements.txt, and the launcher its own list, which adds
    what a server needs and no pack may bring."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = names(ast.literal_eval(re.search(r"^dependencies = (\[.*?\])", project, re.S | re.M)[1]))
    read = lambda path: names((ROOT / path).read_text(encoding="utf-8").splitlines())
    assert read("requirements.txt") == wanted
    assert read("requirements/environment.txt") - wanted == {"torch", "torchvision", "torchaudio", "requests"}
    assert wanted <= read("requirements/environment.txt") and not wanted & {"torch", "numpy", "transformers"}
