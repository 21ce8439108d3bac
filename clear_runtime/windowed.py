"""One window of a removal: boxes lifted, holes filled where the engine wants that, painted, put over the source.

Works on the part of the frame that has marks, with some room around it; of the whole frame there is never more than one
at a time, beside what the engine is given. A window costs at most three copies of its frames in float32: the part with
the marks, the same filled, and the engine's picture. Where the engine's whole picture is asked for, the frames
themselves are read where they lie, and it costs two: what the engine is given, and its picture.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .composite import composite_, match
from .engines.control import CONTROLS, as_is
from .engines.engine import Engine, Painted, Piece
from .errors import ClearError
from .fill.bleed import without_bleed
from .fill.boxes.lift import lift_boxes
from .fill.boxes.opaque import around_rows, behind
from .fill.flow import OpticalFlow
from .fill.ringing import without_ringing
from .find.again import SecondLook
from .find.changed import rows_that_last
from .find.jumps import without_jumps
from .find.marks import Prior
from .frames.canvas import Canvas, stacked
from .frames.masks import cut, feather, grow, restrict
from .frames.patch import Patched, Rectangles, together
from .frames.region import Region, band, bounds
from .frames.view import View
from .frames.windows import BAND, Window, kept
from .options import DIFFERENCE, KEEP, RAW, REMOVE
from .presets import Resolved

log = logging.getLogger(__name__)

ROOM = 64
"""Pixels around the marks that are worked on, beside once their height: what the fill (32), the matching of colours
(24) and the search for a box's edges (half the height of what stands in it, and 16) look at."""

LETTERS_BLUR = 1
"""Pixels around letters that are neither theirs nor a translucent box's: the search for the box goes round them."""

Tell = Callable[..., None]
"""Called with a stage, the steps of it that are done, and a picture to look at."""


def second_look(prior: Prior, settings: Resolved) -> SecondLook | None:
    """What looks at a window's result once more, where that was asked for and there is a source to compare with."""
    asked = settings.asked
    if not asked.output.second_look or asked.output.output == RAW or settings.mask_from == DIFFERENCE:
        return None
    return SecondLook(prior, asked.marking.threshold)


@dataclass(frozen=True)
class Areas:
    """Masks [T, H, W] or [1, H, W] in 0..1 for the whole video: where pixels may change at all, where they must not,
    and where the user says that there is a subtitle. total: the frames of the video, if known."""

    limit: Tensor | None = None
    protect: Tensor | None = None
    subtitle: Tensor | None = None
    total: int | None = None

    def __post_init__(self):
        for name, area in self.named():
            if not len(area):
                raise ClearError(f"The {name} mask has no frame. Give one for the whole video, or one a frame.")

    def named(self) -> list[tuple[str, Tensor]]:
        areas = (("limit", self.limit), ("protect", self.protect), ("subtitle", self.subtitle))
        return [(name, area) for name, area in areas if area is not None]

    def check(self, size: tuple[int, int]) -> None:
        """Raise ClearError for masks of another size than the frames', or with values that are not numbers."""
        for name, area in self.named():
            cut(area, name, Window(0, 1), size)
            if not area.isfinite().all():
                raise ClearError(
                    f"The {name} mask has values that are not numbers (NaN or infinity). Give a mask of 0 to 1."
                )

    def steadied(self, most: int, cut: Callable[[int], bool] = lambda t: False) -> tuple[Areas, list[str]]:
        """The same without the jumps of `protect` and `subtitle`, and what there was of these, in words. most, cut: as
        of find.jumps."""
        still, notes = self, []
        for name, area in self.named():
            if name == "limit":
                continue
            area, found = without_jumps(area, most, cut)
            still = replace(still, **{name: area})
            notes += [_of_jumps(name, found)] if found else []
        return still, notes

    def of(self, window: Window, size: tuple[int, int], region: Region) -> _Bounds:
        """What of them holds for a window and a rectangle of the frame."""
        parts = [cut(area, name, window, size) for name, area in (("limit", self.limit), ("protect", self.protect))]
        return _Bounds(*(part if part is None else region.of(part) for part in parts))

    def mention_if_longer(self, frames: int) -> None:
        """Log where a mask has more frames than the video."""
        for name, area in self.named():
            if len(area) not in (1, frames):
                log.warning(
                    "The %s mask has %d frames, the video %d. Check that they belong together.", name, len(area), frames
                )


def _of_jumps(name: str, found: list[tuple[int, int]]) -> str:
    at = ", ".join(f"{first}" if stop == first + 1 else f"{first}-{stop - 1}" for first, stop in found[:8])
    return (
        f"The {name} mask jumped to another object and back in {'frame' if at.isdigit() else 'frames'} {at}"
        f"{' ...' if len(found) > 8 else ''}; there it was held where its own object moves (mask_jumps)."
    )


@dataclass(frozen=True)
class _Bounds:
    limit: Tensor | None
    protect: Tensor | None

    @property
    def some(self) -> bool:
        return self.limit is not None or self.protect is not None

    def __call__(self, mask: Tensor) -> Tensor:
        return restrict(mask, self.limit, self.protect)


class WindowCleaner:
    """Cleans windows of one video with one engine. tell: called as it goes on.
    optical_flow: what the fill follows, where it is another than its own."""

    def __init__(
        self, engine: Engine, settings: Resolved, areas: Areas, tell: Tell, optical_flow: OpticalFlow | None = None
    ):
        self.engine, self.settings, self.areas, self.tell = engine, settings, areas, tell
        self.optical_flow = optical_flow
        self._canvas: Canvas | None = None

    @property
    def canvas(self) -> Canvas:
        """Known with the first frame."""
        if self._canvas is None:
            raise RuntimeError("no frame has been seen")
        return self._canvas

    def stays(self, shared: int) -> int:
        """Of so many frames that a window shares with the one before, those that stay as that has left them."""
        return kept(shared, self.engine.needs.group) if self.settings.goes_on else self.unpainted(shared)

    def unpainted(self, shared: int) -> int:
        """Of the same those that need not be painted."""
        fades = self.engine.needs.fades
        return 0 if fades is None else max(0, shared - math.ceil(fades * self.settings.asked.windows.overlap))

    @torch.no_grad()
    def clean(
        self,
        window: Window,
        held: list[tuple[Tensor, Tensor]],
        overlap: Sequence[Patched] = (),
        again: bool = False,
        unpainted: int = 0,
    ) -> tuple[list[Patched], int]:
        """A window's (frame [H, W, 3], marks [H, W] bool) -> its frames without what is marked, and which of them had
        most. overlap: its first frames as the window before has left them. again: the frames are its own result.
        unpainted: first frames whose result nobody wants."""
        frames = [frame for frame, _ in held]
        size = tuple(frames[0].shape[:2])
        if self._canvas is None:
            self.areas.check(size)
            self._canvas = Canvas(size, self.settings.max_pixels, self.engine.needs.multiple)
        work = self._rectangle(held, size)
        if work is None:
            return [Patched(frame) for frame in frames], 0
        marks = stacked((work.of(marks[None])[0].float() for _, marks in held), len(held))
        part = _Part(window, frames, work, self.areas.of(window, size, work), marks)
        # frame by frame: a sum over all would hold a number of eight bytes for each pixel
        shown = max(range(len(frames)), key=lambda t: int(part.holes[t].count_nonzero()))
        if self._nothing_to_do(part):
            return [Patched(frame) for frame in frames], shown

        asked = self.settings.asked.output
        if asked.output != RAW:
            part.without_boxes(asked.boxes)
            part.without_traces()
        self.tell("control", 0, Patched(frames[shown], work, part.source[shown]).picture(torch.float32))
        new = self._generated(part, again, overlap if self.settings.goes_on else (), unpainted)
        return self._put_over(part, new), shown

    def _rectangle(self, held: list[tuple[Tensor, Tensor]], size: tuple[int, int]) -> Region | None:
        """The rectangle of the frame that is worked on; None where nothing is to be done."""
        asked, whole = self.settings.asked.output, Region(0, 0, *size)
        if asked.output == RAW or self.settings.differs:
            return whole
        marks = torch.zeros(size, dtype=torch.bool)
        for _, mark in held:
            marks |= mark
        box = bounds(marks[None])
        if box is None:
            return None
        return box.grown(ROOM + asked.feather + box.height, *size)

    def _nothing_to_do(self, part: _Part) -> bool:
        return self.settings.asked.output.output != RAW and not self.settings.differs and not part.holes.any()

    def _generated(self, part: _Part, again: bool, known: Sequence[Patched], unpainted: int) -> Tensor:
        """The engine's picture of the part that is worked on [T, h, w, 3]; where what it changed makes the mask, that
        of the part becomes so. known: the window's first frames, where the engine shall go on from these.
        unpainted: first frames whose result nobody wants."""
        settings, needs, count = self.settings, self.engine.needs, len(part.frames)
        control, source = CONTROLS[settings.control], part.source
        given = source if control is as_is else control(together(source), part.holes, self.optical_flow)
        region = self._shown(part)
        if region is None:  # nothing to see in this window, and a raw picture was asked for
            return together(source)
        view = View(self.canvas, part.work, region)

        def entered(pixels: Tensor | Rectangles) -> Tensor:
            """The frames with pixels [T, h, w, 3] in the place that is worked on, as the engine sees them."""
            seen = (view.seen(Patched(frame, part.work, one)) for frame, one in zip(part.frames, pixels))
            return stacked(seen, count, needs.group)

        seen = entered(given)
        piece = Piece(
            seen,
            entered(source) if settings.differs and given is not source else seen,
            stacked(map(view.hole, part.holes), count, needs.group),
            part.window,
            region,
            self.canvas.padded,
            filled=given is not source,
            whole=settings.asked.output.output == RAW,
            differs=settings.differs,
            again=again,
            painted=self._whole_groups(known, view),
            unpainted=unpainted,
        )
        painted = self.engine.paint(piece, settings.asked.engine.seed, self.tell)
        _require_numbers(painted.frames[:count], part.window)
        self.tell("blend", 0)
        del piece, seen  # a copy of the window, and no longer needed
        if settings.differs:
            part.found = self._found_by_change(painted, part.found)
            painted = Painted(painted.frames, painted.onto)
        return view.left(painted.frames, painted.onto, part.frames, given)

    def _shown(self, part: _Part) -> Region | None:
        """The rectangle of the canvas that the engine is shown; None where that is a band, and nothing is in it."""
        canvas = self.canvas
        if self.settings.region != BAND:
            return canvas.whole
        marks = torch.zeros(1, *canvas.source)
        part.work.of(marks)[0] = part.holes.any(0)
        multiple = self.engine.needs.multiple
        return band(canvas.enter_mask(marks[0])[None], multiple, self.settings.context, canvas.padded)

    def _whole_groups(self, known: Sequence[Patched], view: View) -> Tensor | None:
        """Of finished frames those that fill the engine's groups, as it sees them; None where there are none."""
        group = self.engine.needs.group
        count = (len(known) - 1) // group * group + 1
        if not known:
            return None
        return stacked(map(view.seen, known[:count]), count)

    def _found_by_change(self, painted: Painted, found: Tensor) -> Tensor:
        """The mask [T, h, w] by what the engine changed: alone, or beside what was found before."""
        if painted.changed is None:
            raise RuntimeError("an engine that tells what it changed did not")
        masks = stacked(map(self.canvas.leave_mask, painted.changed[: len(found)]), len(found))
        changed = grow(masks, self.settings.grow)
        return changed if self.settings.mask_from == DIFFERENCE else found.masked_fill(rows_that_last(changed), 1)

    def _put_over(self, part: _Part, new: Tensor) -> list[Patched]:
        asked = self.settings.asked.output
        soft = feather(part.found, asked.feather)
        mask = part.within(soft)
        if asked.output == RAW:
            pixels = new.clamp_(0, 1)
            if part.within.some:
                pixels = composite_(together(part.source), new, part.within(torch.ones_like(mask)))
        else:
            pixels = together(part.source)
            if self.engine.needs.recolours and self.settings.control == "as is":
                new = match(pixels, new, soft)
            composite_(pixels, new, mask)
            mask = mask if part.lifted is None else mask.maximum(part.lifted)
        return [Patched(*one) for one in zip(part.frames, [part.work] * len(part.frames), pixels, mask)]


class _Part:
    """The part of a window's frames that is worked on, and what has become of it so far.

    work: its rectangle of the frame; within: what of the user's areas holds there. source [T, h, w, 3]: its pixels.
    found [T, h, w] in 0..1: what of it is to be replaced, and holes, the same as bool and within the areas. lifted: how
    much of each pixel was mended without being painted, None where nothing was.
    """

    def __init__(self, window: Window, frames: list[Tensor], work: Region, within: _Bounds, found: Tensor):
        self.window, self.frames, self.work, self.within = window, frames, work, within
        self.source: Tensor | Rectangles = Rectangles(frames, work)
        self.found, self.holes = found, within(found) > 0
        self.lifted: Tensor | None = None

    def without_boxes(self, boxes: str) -> None:
        """From here on a translucent box is no longer there, and only its letters are to be replaced."""
        source = together(self.source)
        self.source, self.found, self.lifted = _without_boxes(source, self.found, self.within, boxes)
        self.holes = self.within(self.found) > 0

    def without_traces(self) -> None:
        """The same of what letters have left around what is to be replaced: their colour, and specks."""
        without, coloured = without_bleed(together(self.source), self.holes)
        without, rang = without_ringing(without, self.holes)
        traces = coloured | rang
        if traces.any():
            mended = self.within(traces.float())
            self.source = composite_(together(self.source), without, mended)
            self.lifted = mended if self.lifted is None else self.lifted.maximum(mended)


def _require_numbers(painted: Tensor, window: Window) -> None:
    """Raise ClearError for a picture of which a part is NaN or infinity: as a frame it would be black, and so would all
    that goes on from it."""
    for t, frame in enumerate(painted):
        if not frame.isfinite().all():
            raise ClearError(
                f"What the model painted of frame {window.start + t} has values that are not numbers (NaN or "
                "infinity). Often its VAE or its weights are in half precision: load them in bf16 or fp32 "
                "(weight_dtype of the loader; ComfyUI's --fp32-vae), or leave a LoRA out, to see which of them it is."
            )


def _without_boxes(source: Tensor, found: Tensor, within: _Bounds, boxes: str) -> tuple[Tensor, Tensor, Tensor | None]:
    """The frames without the translucent boxes behind subtitles, what of them is still to be replaced (opaque boxes
    among it), and where translucent ones were, if there were any."""
    if boxes == KEEP:
        return source, found, None
    if boxes == REMOVE:
        return source, found.maximum(around_rows(found).float()), None
    without, lifted = lift_boxes(source, grow(found, LETTERS_BLUR)), None
    if without.lifted.any():
        lifted = within(without.lifted.float())
        source, found = composite_(source, without.frames, lifted), without.hidden
    return source, found.maximum(behind(source, found).float()), lifted
