"""One window of a removal: boxes lifted, holes filled where the engine wants that, painted, put over the source.

Works on the part of the frame that has marks, with some room around it; of the whole frame there is never more than one
at a time, beside what the engine is given. A window costs at most three copies of its frames in float32: the part with
the marks, the same filled, and the engine's picture. Where the engine's whole picture is asked for, the frames
themselves are read where they lie, and it costs two: what the engine is given, and its picture.
"""

from __future__ import annotations

import logging
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
from .frames.windows import BAND, Window
from .options import DIFFERENCE, KEEP, RAW, REMOVE
from .presets import Resolved

log = logging.getLogger(__name__)

ROOM = 64
"""Pixels around the marks that are worked on, beside once their height: what the fill (32), the matching of colours
(24) and the search for a box's edges (half the height of what stands in it, and 16) look at."""

LETTERS_BLUR = 1
"""Pixels around letters that are neither theirs nor a translucent box's: the search for the box goes round them."""

Report = Callable[..., None]


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
    """Cleans windows of one video with one engine. report(stage, steps done): called as it goes on.
    optical_flow: what the fill follows, where it is another than its own."""

    def __init__(
        self, engine: Engine, settings: Resolved, areas: Areas, report: Report, optical_flow: OpticalFlow | None = None
    ):
        self.engine, self.settings, self.areas, self.report = engine, settings, areas, report
        self.optical_flow = optical_flow
        self._canvas: Canvas | None = None

    @property
    def canvas(self) -> Canvas:
        """Known with the first frame."""
        if self._canvas is None:
            raise RuntimeError("no frame has been seen")
        return self._canvas

    @torch.no_grad()
    def clean(
        self, window: Window, held: list[tuple[Tensor, Tensor]], overlap: Sequence[Patched] = (), again: bool = False
    ) -> tuple[list[Patched], int]:
        """A window's (frame [H, W, 3], marks [H, W] bool) -> its frames without what is marked, and which of them had
        most. overlap: its first frames as the window before has left them. again: the frames are its own result."""
        frames = [frame for frame, _ in held]
        size = tuple(frames[0].shape[:2])
        if self._canvas is None:
            self.areas.check(size)
            self._canvas = Canvas(size, self.settings.max_pixels, self.engine.needs.multiple)
        asked = self.settings.asked
        work = self._part(held, size)
        if work is None:
            return [Patched(frame) for frame in frames], 0
        within = self.areas.of(window, size, work)
        found = stacked((work.of(marks[None])[0].float() for _, marks in held), len(held))
        holes = within(found) > 0
        # frame by frame: a sum over all would hold a number of eight bytes for each pixel
        shown = max(range(len(holes)), key=lambda t: int(holes[t].count_nonzero()))
        if self._nothing_to_do(holes):
            return [Patched(frame) for frame in frames], shown

        source: Tensor | Rectangles = Rectangles(frames, work)
        lifted = None
        if asked.output.output != RAW:
            # from here on, a translucent box is no longer there, and only its letters are to be replaced
            source, found, lifted = _without_boxes(together(source), found, within, asked.output.boxes)
            holes = within(found) > 0
            source, mended = _without_traces(source, holes, within)
            if mended is not None:
                lifted = mended if lifted is None else lifted.maximum(mended)
        self.report("control", 0, Patched(frames[shown], work, source[shown]).picture(torch.float32))
        known = overlap if self.settings.goes_on else ()
        new, found = self._generated(window, frames, work, source, found, holes, again, known)
        return self._put_over(frames, work, source, new, found, lifted, within), shown

    def _part(self, held: list[tuple[Tensor, Tensor]], size: tuple[int, int]) -> Region | None:
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

    def _nothing_to_do(self, holes: Tensor) -> bool:
        asked = self.settings.asked.output
        return asked.output != RAW and not self.settings.differs and not holes.any()

    def _generated(
        self,
        window: Window,
        frames: list[Tensor],
        work: Region,
        source: Tensor | Rectangles,
        found: Tensor,
        holes: Tensor,
        again: bool,
        known: Sequence[Patched],
    ) -> tuple[Tensor, Tensor]:
        """The engine's picture of the part that is worked on [T, h, w, 3], and the mask: the one that was found, or
        from the difference. known: the window's first frames, where the engine shall go on from these."""
        settings, canvas, needs = self.settings, self.canvas, self.engine.needs
        asked = settings.asked
        control = CONTROLS[settings.control]
        given = source if control is as_is else control(together(source), holes, self.optical_flow)
        region = canvas.whole
        if settings.region == BAND:
            marks = torch.zeros(1, *canvas.source)
            work.of(marks)[0] = holes.any(0)
            around = band(canvas.enter_mask(marks[0])[None], needs.multiple, settings.context, canvas.padded)
            if around is None:  # nothing to see in this window, and a raw picture was asked for
                return together(source), found
            region = around

        def entered(part: Tensor | Rectangles) -> Tensor:
            """The frames with a part [T, h, w, 3] in the place that is worked on, as the engine sees them."""
            seen = (self._seen(Patched(frame, work, pixels), region) for frame, pixels in zip(frames, part))
            return stacked(seen, len(frames), needs.group)

        differs = settings.differs
        seen = entered(given)
        piece = Piece(
            seen,
            entered(source) if differs and given is not source else seen,
            stacked((self._hole(hole, work, region) for hole in holes), len(holes), needs.group),
            window,
            region,
            canvas.padded,
            filled=given is not source,
            whole=asked.output.output == RAW,
            differs=differs,
            again=again,
            painted=self._whole_groups(known, region),
        )
        painted = self.engine.paint(piece, asked.engine.seed, self.report)
        _require_numbers(painted.frames[: len(frames)], window)
        self.report("blend", 0)
        del piece, seen  # a copy of the window, and no longer needed
        if differs:
            changed = self._changed(painted, len(frames))
            found = changed if settings.mask_from == DIFFERENCE else found.masked_fill(rows_that_last(changed), 1)
            painted, changed = Painted(painted.frames, painted.onto), None
        return self._left(painted, frames, work, given, region), found

    def _whole_groups(self, known: Sequence[Patched], region: Region) -> Tensor | None:
        """Of finished frames those that fill the engine's groups, as it sees them; None where there are none."""
        group = self.engine.needs.group
        count = (len(known) - 1) // group * group + 1
        if not known:
            return None
        return stacked((self._seen(one, region) for one in known[:count]), count)

    def _seen(self, one: Patched, region: Region) -> Tensor:
        """A rectangle [h, w, 3] of what a frame is on the canvas; no more is made than that where it can be cut out."""
        if self._cut_out(region):
            return one.part(region)
        return region.of(self.canvas.enter(one.picture(torch.float32))[None])[0]

    def _cut_out(self, region: Region) -> bool:
        """Whether a rectangle of the canvas is one of the frame as it came."""
        height, width = self.canvas.source
        return not self.canvas.scaled and region.bottom <= height and region.right <= width

    def _hole(self, hole: Tensor, work: Region, region: Region) -> Tensor:
        if self._cut_out(region):
            inside = torch.zeros(region.height, region.width, dtype=torch.bool)
            if both := work.shared(region):
                both.within(region).of(inside[None])[0] = both.within(work).of(hole[None])[0]
            return inside
        whole = torch.zeros(1, *self.canvas.source)
        work.of(whole)[0] = hole
        return region.of(self.canvas.enter_mask(whole[0])[None])[0] > 0

    def _changed(self, painted: Painted, count: int) -> Tensor:
        if painted.changed is None:
            raise RuntimeError("an engine that tells what it changed did not")
        masks = stacked(map(self.canvas.leave_mask, painted.changed[:count]), count)
        return grow(masks, self.settings.grow)

    def _left(
        self, painted: Painted, frames: list[Tensor], work: Region, given: Tensor | Rectangles, region: Region
    ) -> Tensor:
        """What was painted, at the source's size, in the part that is worked on: frame by frame."""
        canvas, out = self.canvas, torch.empty(len(frames), work.height, work.width, 3)
        if self._cut_out(region):
            both = work.shared(region)
            for t, part in enumerate(painted.frames[: len(frames)]):
                out[t] = given[t]
                if both:
                    new, here = both.within(region).of(part[None])[0], both.within(work).of(out[t : t + 1])[0]
                    here.copy_(here + new if painted.onto else new.clamp(0, 1))
            return out
        inside = torch.zeros(canvas.padded)
        region.of(inside[None])[0] = 1
        sharp = work.of(canvas.leave_mask(inside)[None])[0, ..., None] > 0
        for t, part in enumerate(painted.frames[: len(frames)]):
            if painted.onto:
                whole = torch.zeros(*canvas.padded, 3)
            elif region == canvas.whole:
                whole = part
            else:
                whole = canvas.enter(Patched(frames[t], work, given[t]).picture(torch.float32))
            if whole is not part:
                whole = whole.clone()
                region.of(whole[None])[0] = part
            left = work.of(canvas.leave(whole)[None])[0]
            out[t] = given[t] + left if painted.onto else torch.where(sharp, left.clamp(0, 1), given[t])
        return out

    def _put_over(
        self,
        frames: list[Tensor],
        work: Region,
        source: Tensor | Rectangles,
        new: Tensor,
        found: Tensor,
        lifted: Tensor | None,
        within: _Bounds,
    ) -> list[Patched]:
        asked = self.settings.asked.output
        soft = feather(found, asked.feather)
        mask = within(soft)
        if asked.output == RAW:
            pixels = new.clamp_(0, 1)
            if within.some:
                pixels = composite_(together(source), new, within(torch.ones_like(mask)))
        else:
            pixels = together(source)
            if self.engine.needs.recolours and self.settings.control == "as is":
                new = match(pixels, new, soft)
            composite_(pixels, new, mask)
            mask = mask if lifted is None else mask.maximum(lifted)
        return [Patched(*one) for one in zip(frames, [work] * len(frames), pixels, mask)]


def _without_traces(source: Tensor, holes: Tensor, within: _Bounds) -> tuple[Tensor, Tensor | None]:
    """The frames without what letters have left around what is to be replaced, their colour and specks, and where it
    was [T, h, w] in 0..1."""
    without, coloured = without_bleed(source, holes)
    without, rang = without_ringing(without, holes)
    traces = coloured | rang
    if not traces.any():
        return source, None
    mended = within(traces.float())
    return composite_(source, without, mended), mended


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
