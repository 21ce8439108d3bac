"""What "auto" comes to: the one place where a choice that the user left open is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .engines.bundled import FILL, NANO
from .engines.engine import Needs
from .errors import ClearError
from .find.options import AUTO_GROW
from .frames.windows import WHOLE
from .option import AUTO
from .options import BOTH, DIFFERENCE, PREVIEW, PRIOR, RAW, RemoveOptions

CHANGED_GROW = 2
"""Pixels of the source by which what the model changed is widened: a cell of its difference is blurred by as much."""


def engine_name(asked: str, missing: Sequence[str]) -> str:
    """The bundled engine that is meant: "auto" is nano, where none of the packages that it runs on is missing."""
    if asked != AUTO:
        return asked
    return FILL if missing else NANO


def training_control(asked: str, nano: bool) -> str:
    """What Stage II shows the network: for "auto" what the model will be shown later, which of nano may be either."""
    if asked != AUTO:
        return asked
    return "both" if nano else "as is"


def training_precision(asked: str, bfloat16: bool) -> str:
    """Stage II's: for "auto" bfloat16 where the device computes in it."""
    if asked != AUTO:
        return asked
    return "bfloat16" if bfloat16 else "float32"


@dataclass(frozen=True)
class Resolved:
    """What was asked, with nothing left open. control, region, mask_from: as in the options, never "auto". context:
    pixels of the working frame around the subtitle. max_pixels: of the working frame, None for the source's own size.
    grow: pixels of the source by which what the model changed is widened; rows of text have their own. goes_on: whether
    a window goes on from what the one before has painted."""

    asked: RemoveOptions
    control: str
    region: str
    context: int
    max_pixels: int | None
    grow: int
    mask_from: str
    goes_on: bool

    @property
    def needs_prior(self) -> bool:
        return self.mask_from != DIFFERENCE or self.control == "prefilled"

    @property
    def differs(self) -> bool:
        """Whether the engine shall say what it changed."""
        return self.mask_from != PRIOR


def resolved(options: RemoveOptions, needs: Needs) -> Resolved:
    """The options for an engine with these needs. A preview is shown no filled frames, for it is the fill; a whole
    picture, and a mask from the network's difference, take the whole frame. Raises ClearError for such a mask where the
    engine cannot make one."""
    windows, output = options.windows, options.output
    control = options.engine.control
    if control == AUTO or needs.holes:
        control = needs.control
    mask_from, region = output.mask_from, windows.region
    if region == AUTO:
        region = needs.region if output.output != RAW and mask_from in (AUTO, PRIOR) else WHOLE
    if mask_from == AUTO:
        mask_from = (
            BOTH if needs.finds_text and needs.tells_changes and control == "as is" and region == WHOLE else PRIOR
        )
    if output.output == PREVIEW:
        control, region, mask_from = needs.control, needs.region, PRIOR
    if not needs.tells_changes and mask_from != PRIOR:
        raise ClearError(f'This engine cannot say what it changed. Set mask_from to "{PRIOR}".')
    max_pixels = int(min(windows.max_pixels, needs.max_pixels)) if needs.scaled else None
    grow = CHANGED_GROW if options.marking.grow == AUTO_GROW else options.marking.grow
    context = int(min(windows.context, needs.context))
    goes_on = options.engine.clean_overlap and needs.goes_on
    return Resolved(options, control, region, context, max_pixels, grow, mask_from, goes_on)
