"""The tables of a `bench gpu` run, as Markdown, in place of what stands between two marks of a file.

python -m clear_runtime bench tables gpu.json --into docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable
from pathlib import Path

from ..errors import ClearError, ending_in_words
from .figures import read_json

log = logging.getLogger(__name__)
BEGIN, END = "<!-- gpu:begin -->", "<!-- gpu:end -->"


def tables(found: dict) -> str:
    """What stands in gpu.json, as Markdown. Parts that were not run are left out."""
    memory = f" ({found['gib']} GiB)" if "gib" in found else ""
    lines = [f"On {found['name']}{memory}, torch {found['torch']}, {found['minutes']:g} minutes in all."]
    makers = {"right": _tests, "comfy": _tests, "fast": _fast, "trainable": _trainable, "better": _better}
    for name, part in found["parts"].items():
        lines.append(f"### {name.capitalize()}")
        if part["state"] != "done":
            lines.append(f"This part {part['state']} after {part['seconds']:.0f} s; what it had found until then:")
        lines += makers[name](part["results"])
    return "\n\n".join(lines)


def into(path: Path, text: str, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Put text between two marks of a file. Raises ClearError where it has none."""
    before, after = around(path, marks)
    path.write_text(f"{before}{marks[0]}\n{text}\n{marks[1]}{after}", encoding="utf-8")


def around(path: Path, marks: tuple[str, str]) -> tuple[str, str]:
    """What stands before and behind two marks of a file. Raises ClearError where it has none."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise ClearError(f"{path} has no {' and '.join(marks)}. Put both where the tables shall stand.")
    return before, after


def _tests(results: dict) -> list[str]:
    passed = sum(row["outcome"] == "passed" for row in results.values())
    rows = []
    for name, row in results.items():
        errors = [f"{value:.1e}" for value in row.values() if isinstance(value, float) and value is not row["seconds"]]
        rows.append([name.partition("::")[2], row["outcome"], ", ".join(errors) or row.get("message", "")])
    head = f"{passed} of {len(results)} tests pass. Relative errors against the CPU's float32, where there is one:"
    return [head, _table(["test", "outcome", "error"], rows)]


def _fast(results: dict) -> list[str]:
    texts, rows, attention = [], [], []
    for name, row in results.items():
        if "whole" in row:
            parts = [row[part]["seconds_a_frame"] for part in ("encode", "denoise", "decode", "whole")]
            gib = row["whole"].get("gib", "")
            share = row["denoise"].get("share_of_peak")
            rows.append(
                [name, f"{row['tokens']:,}"]
                + [f"{value:.4f}" for value in parts]
                + ["" if share is None else f"{share:.0%}", f"{gib}", f"{row['whole']['times_paper']:.2f}"]
            )
        elif "skipped" in row or "failed" in row:
            rows.append([name, _why(row), *[""] * 7])
    columns = ["way", "tokens", "encode", "denoise", "decode", "whole", "of the peak", "GiB", "x 0.04 s"]
    if "tflops" in (peak := results.get("peak", {})):
        texts.append(f"A product of bfloat16 matrices, side {peak['side']}: {peak['tflops']:.0f} TFLOP/s.")
    texts += ["Seconds a frame, five steps, bfloat16, random weights:", _table(columns, rows)]
    for clip, kernels in results.get("attention", {}).items():
        for kernel, row in kernels.items() if isinstance(kernels, dict) else ():
            attention.append([clip, kernel, f"{row.get('ms', '')}", f"{row.get('tflops', row.get('failed', ''))}"])
    if attention:
        texts.append(_table(["self-attention of a block", "kernel", "ms", "TFLOP/s"], attention))
    if isinstance(kernels := results.get("kernels"), list):
        rows = [[f"`{row['kernel']}`", f"{row['share']:.1%}", f"{row['calls']}"] for row in kernels]
        texts.append(_table(["where a step's time goes", "share", "calls"], rows))
    if "compiled_ms" in (row := results.get("compiled", {})):
        texts.append(
            f"A block takes {row['ms']} ms as it is and {row['compiled_ms']} ms compiled; compiling takes "
            f"{row['compiling_seconds']} s."
        )
    return texts


def _trainable(results: dict) -> list[str]:
    rows = []
    for name, row in results.items():
        said = [f"{row.get(key, '')}" for key in ("tokens", "seconds_a_step", "gib", "estimated_gib")]
        rows.append([name, *said] if "seconds_a_step" in row else [name, _why(row), "", "", ""])
    return [_table(["training", "tokens", "seconds a step", "GiB at most", "estimated GiB"], rows)]


def _better(results: dict) -> list[str]:
    rows = []
    for name, row in results.items():
        kept = "kept" if row.get("kept") else "not kept"
        scores = row.get("after") or {}
        for measure, before in row.get("before", {}).items():
            if isinstance(before, (int, float)):
                after = scores.get(measure)
                rows.append(
                    [name, f"{row['minutes']}", measure, f"{before:.4f}", "" if after is None else f"{after:.4f}", kept]
                )
        if _why(row):
            rows.append([name, f"{row.get('minutes', '')}", _why(row), "", "", kept])
    return [_table(["training", "minutes", "measure", "before", "after", ""], rows)]


def _why(row: dict) -> str:
    return row.get("failed") or row.get("skipped") or ""


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(columns)
    clean = lambda cell: str(cell).replace("|", "/").replace("\n", " ")
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    return "\n".join(lines + [f"| {' | '.join(map(clean, row))} |" for row in rows])


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m clear_runtime bench tables",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("json", type=Path, help="the gpu.json of a run")
    parser.add_argument("--into", type=Path, help=f"a file with {BEGIN} and {END}; without, the tables are only said")
    args = parser.parse_args(argv)
    with ending_in_words("stopped"):
        found = read_json(args.json)
        if not found:
            raise ClearError(f"There is no {args.json}.")
        text = tables(found)
        if args.into is None:
            log.info("%s", text)
        else:
            into(args.into, text)
