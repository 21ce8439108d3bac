"""The figures as Markdown."""

from __future__ import annotations

from ..metrics import Overlap
from .scores import Scores

MEASURES = {
    "psnr": ("PSNR in dB inside the subtitle grown by 3 pixels", "{:.2f}"),
    "flicker": ("flicker in 0..255", "{:.2f}"),
    "lpips": ("LPIPS of the subtitle's box", "{:.4f}"),
    "boxes": ("lines of text found at the subtitle's place, per frame", "{:.2f}"),
    "still_read": ("share of the burned characters that is still read", "{:.1%}"),
}


def removal_tables(rows: dict[str, dict[str, Scores]]) -> str:
    """A table for each measure that was taken: cases by methods, and the mean. rows: case -> method -> Scores."""
    methods = list(next(iter(rows.values())))
    tables = []
    for measure, (title, form) in MEASURES.items():
        values = {case: [getattr(row[method], measure) for method in methods] for case, row in rows.items()}
        if any(value is None for row in values.values() for value in row):
            continue
        values["**mean**"] = [sum(column) / len(column) for column in zip(*values.values())]
        tables.append(
            table(title, methods, {case: [form.format(value) for value in row] for case, row in values.items()})
        )
    return "\n\n".join(tables)


def mask_table(rows: dict[str, dict[str, Overlap]]) -> str:
    """IoU and F1 of each way to find the subtitle; the last row counts the pixels of all cases together."""
    ways = list(next(iter(rows.values())))
    whole = {way: Overlap() for way in ways}
    for row in rows.values():
        for way in ways:
            whole[way] += row[way]
    cell = lambda overlap: "{iou:.3f} / {f1:.3f}".format(**overlap.report())
    return table(
        "IoU / F1 with the true mask",
        ways,
        {case: [cell(row[way]) for way in ways] for case, row in {**rows, "**all**": whole}.items()},
    )


def table(title: str, columns: list[str], rows: dict[str, list[str]]) -> str:
    """Rows of cells by their name, under a title and columns."""
    lines = [f"| {title} | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    return "\n".join(lines + [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows.items()])
