"""Every setting of a removal, and the report it sends while it works."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from .engines import schedule
from .engines.control import CONTROLS
from .errors import ClearError
from .frames import windows

OUTPUTS = ("composite", "raw", "preview")
REGIONS = ("whole frame", "subtitle band")
MASKS = ("prior", "difference")


@dataclass(frozen=True)
class RemoveOptions:
    """Settings with the paper's defaults; values that cannot work raise ClearError at once."""

    steps: int = 5
    """Sampler steps."""
    seed: int = 0
    window: int = 81
    """Frames the network sees at once, rounded down to 4k + 1."""
    overlap: int = 16
    """Frames that neighbouring windows share, at least; they are cross-faded."""
    output: str = "composite"
    """composite: the source with only the subtitle's pixels replaced. raw: the network's whole picture, as the paper
    gives it. preview: the fill alone, no network."""
    control: str = "as is"
    """What goes into the control: see engines/control.py."""
    region: str = "whole frame"
    """subtitle band: the network sees only the part of the frame with subtitles in it and some context."""
    context: int = 64
    """Working pixels around the subtitles that the network sees with region "subtitle band"."""
    mask_from: str = "prior"
    """Where the mask comes from. prior: the subtitle prior. difference: what the network changed in the latents."""
    threshold: float = 0.5
    """The prior's value over which a pixel is subtitle."""
    subtitles_only: bool = True
    """Leave what the prior marks but does not behave like a subtitle: moves with the scene, sits wholly in a corner, or
    stands too short (find/marks.py). For this the frames must follow one another. Off, only specks are left."""
    grow: int = 2
    """Pixels of the source by which the mask is made larger."""
    feather: int = 2
    """Pixels of the source over which the replacement fades out, outside the grown mask."""
    max_pixels: int = 1280 * 720
    """Larger frames are scaled down to this many pixels for the network, and only for it."""
    keep_change: float = 1.0
    """Share of the network's change that is added onto a prefilled control."""

    def __post_init__(self):
        for name, value, choices in (
            ("output", self.output, OUTPUTS),
            ("control", self.control, CONTROLS),
            ("region", self.region, REGIONS),
            ("mask_from", self.mask_from, MASKS),
        ):
            if value not in choices:
                raise ClearError(f'{name} is "{value}". Choose one of: {", ".join(choices)}.')
        windows.normalise(self.window, self.overlap)
        schedule.sigmas(self.steps)
        schedule.check_seed(self.seed)
        for name, value, low, high in (
            ("threshold", self.threshold, 0, 1),
            ("keep_change", self.keep_change, 0, 1),
            ("context", self.context, 0, math.inf),
            ("grow", self.grow, 0, math.inf),
            ("feather", self.feather, 0, math.inf),
            ("max_pixels", self.max_pixels, 1024, math.inf),
        ):
            if not low <= value <= high:
                raise ClearError(
                    f"{name} is {value}. Use a value of at least {low}"
                    + (f" and at most {high}." if high < math.inf else ".")
                )
        if self.mask_from == "difference" and self.output == "preview":
            raise ClearError(
                'A preview runs no network, so there is no difference to take the mask from. Set mask_from to "prior".'
            )
        if self.mask_from == "difference" and self.region == "subtitle band":
            raise ClearError(
                'The subtitle band is found by the prior, before the network runs. Set mask_from to "prior", or region '
                "to "
                '"whole frame".'
            )

    @property
    def needs_prior(self) -> bool:
        return self.mask_from == "prior" or self.control == "prefilled"


@dataclass(frozen=True)
class RemovalProgress:
    """How far a removal has come. The unit is a sampler step; a window counts as `steps` of them even if it needs
    none."""

    done: int
    total: int | None
    """None while nobody knows how long the video is."""
    stage: str
    """mask, control, encode, sample, decode or done: what begins now, or in `sample` and `done`, what was just
    finished."""
    preview: Tensor | None = None
    """A frame [H, W, 3] to look at: the window's frame with the most subtitle in it, before and after."""
