"""What "auto" comes to: the one place where a choice that the user left open is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .engines.bundled import FILL, NANO
from .engines.control import AUTO as AUTO_CONTROL
from .engines.engine import Needs
from .frames.windows import AUTO as AUTO_REGION
from .frames.windows import WHOLE
from .options import PREVIEW, PRIOR, RAW, RemoveOptions

AUTO_ENGINE = "auto"


def engine_name(asked: str, missing: Sequence[str]) -> str:
    """The bundled engine that is meant: "auto" is nano, where none of the packages that it runs on is missing."""
    if asked != AUTO_ENGINE:
        return asked
    return FILL if missing else NANO


@dataclass(frozen=True)
class Resolved:
    """What was asked, with nothing left open. control, region: as in the options, never "auto". context: pixels of the
    working frame around the subtitle. max_pixels: of the working frame, None for the source's own size."""

    asked: RemoveOptions
    control: str
    region: str
    context: int
    max_pixels: int | None

    @property
    def needs_prior(self) -> bool:
        return self.asked.output.mask_from == PRIOR or self.control == "prefilled"


def resolved(options: RemoveOptions, needs: Needs) -> Resolved:
    """The options for an engine with these needs. A preview is shown no filled frames, for it is the fill; a whole
    picture, and a mask from the network's difference, take the whole frame."""
    windows, output = options.windows, options.output
    control = needs.control if options.engine.control == AUTO_CONTROL else options.engine.control
    region = windows.region
    if region == AUTO_REGION:
        region = needs.region if output.output != RAW and output.mask_from == PRIOR else WHOLE
    if output.output == PREVIEW:
        control, region = needs.control, needs.region
    max_pixels = int(min(windows.max_pixels, needs.max_pixels)) if needs.scaled else None
    return Resolved(options, control, region, int(min(windows.context, needs.context)), max_pixels)
