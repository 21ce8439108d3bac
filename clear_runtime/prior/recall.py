"""How much of the letters a prior finds, by how large they are and how wide their row is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

SIZES = (8, 11, 16, 24, 36, 56, 90)  # pixels of an em: the lower ends of the classes
WIDTHS = (0, 24, 48, 96, 192, 320)  # pixels of a row's letters, likewise


class Recall:
    """Labelled pixels in the boxes of rows, and those of them that were found."""

    def __init__(self):
        self.sizes, self.widths = ({key: [0, 0] for key in keys} for keys in (SIZES, WIDTHS))

    def add(self, found: np.ndarray, true: np.ndarray, rows: Iterable[tuple[float, Sequence[float]]]) -> None:
        """found, true: masks [H, W] bool. rows: (pixels of an em, (left, top, right, bottom) in pixels)."""
        for size, (left, top, right, bottom) in rows:
            part = slice(max(0, int(top)), max(0, int(bottom) + 1)), slice(max(0, int(left)), max(0, int(right) + 1))
            here, seen = true[part], found[part]
            width = here.shape[1] if here.size else 0  # what is inside the frame
            for table, value in ((self.sizes, size), (self.widths, width)):
                counts = table[max(key for key in table if key <= max(value, min(table)))]
                counts[0] += int((here & seen).sum())
                counts[1] += int(here.sum())

    def report(self) -> dict[str, dict[int, float]]:
        """Shares of 0..1 by the lower end of each class that occurred."""
        return {
            name: {key: round(found / true, 3) for key, (found, true) in table.items() if true}
            for name, table in (("size", self.sizes), ("width", self.widths))
        }
