"""What a kind of specimen is: how it is drawn, and which case of the list of reported failures it stands for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .drawing import Drawing, Specimen
from .scenes import Size

USUAL = Size(40, 360, 640)
WHITE, BLACK, YELLOW, RED = (255, 255, 255), (0, 0, 0), (255, 232, 60), (254, 44, 85)
Fields = dict[str, Any]
"""Of a Look, with lengths in em."""
OUTLINED: Fields = {"stroke": 0.07}
SHADED: Fields = {"shadow": (0.06, 0.06, 0.04, 0.85)}


class Recipe(NamedTuple):
    """number: of the reported failure, 0 for what has to work besides. size: that it is measured at. small: that a test
    draws it at. rate: frames a second."""

    number: int
    about: str
    draw: Callable[[Size], Drawing]
    size: Size = USUAL
    small: Size | None = None
    rate: float = 25.0

    def make(self, size: Size | None = None) -> Specimen:
        """Raises ClearError where no installed font has its letters."""
        return self.draw(size or self.size).specimen()

    @property
    def for_tests(self) -> Size:
        """A quarter of the pixels, unless the recipe says otherwise."""
        return self.small or Size(self.size.frames, self.size.height // 2, self.size.width // 2)
