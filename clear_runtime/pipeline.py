"""Remove subtitles from a video of any length. Start reading here.

remove() pulls frames and marks the subtitles in them; for each window of them it prepares the control, encodes,
denoises, decodes, puts the new pixels over the source, cross-fades with the window before, and yields every frame that
no later window can change. What it holds is bounded by the window, not by the video.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from .composite import composite_, match
from .engines.codec import Codec
from .engines.control import CONTROLS
from .engines.denoiser import Denoiser
from .engines.schedule import latent_noise, sigmas
from .errors import ClearError
from .fill.boxes.lift import lift_boxes
from .find.difference import changed_cells
from .find.marks import mark_stream, soft_masks
from .frames.canvas import Canvas
from .frames.checks import require_finite
from .frames.latent_grid import cells_to_frames
from .frames.masks import check_area, cut, feather, grow, restrict
from .frames.region import Region, band
from .frames.windows import Window, blend, iter_windows, plan
from .options import RemovalProgress, RemoveOptions
from .wan import GROUP

log = logging.getLogger(__name__)

OnProgress = Callable[[RemovalProgress], None]
FindMask = Callable[[Tensor], Tensor]


def remove(
    frames: Iterable[Tensor],
    codec: Codec | None,
    denoiser: Denoiser | None,
    prior: FindMask | None,
    options: RemoveOptions = RemoveOptions(),
    limit: Tensor | None = None,
    protect: Tensor | None = None,
    total: int | None = None,
    on_progress: OnProgress | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields (frame [H, W, 3] in its own dtype, mask [H, W] float32 of what was replaced) for every frame, in order.
    With output "raw", where all is the network's, the mask says where the subtitle is.

    frames: [H, W, 3] float32, float16 or bfloat16 in 0..1 each, all of one size. prior: frames [T, H, W, 3] -> soft
    masks [T, H, W]; may be None where the options use none. codec and denoiser may be None for a preview. limit and
    protect: masks [T, H, W] or [1, H, W], where pixels may change at all and where they must not. total: the number of
    frames, if it is known. on_progress is called at every stage and sampler step; what it raises ends the run at once.

    Raises ClearError, before the first window's work wherever that can be known.
    """
    for part, name, needed in (
        (codec, "VAE", options.output != "preview"),
        (denoiser, "model", options.output != "preview"),
        (prior, "subtitle prior", options.needs_prior),
    ):
        if needed and part is None:
            raise ClearError(
                f'These settings need a {name}, and none was given. Without a VAE and a model, only output "preview" '
                f"works."
            )
    if codec is not None and codec.temporal != GROUP:
        raise ClearError(
            f"This VAE puts {codec.temporal} frames into a latent frame. CLEAR works with VAEs of {GROUP}, such as "
            f"Wan2.1's."
        )
    check_area(limit, "limit", total)
    check_area(protect, "protect", total)
    return _Removal(codec, denoiser, prior, options, limit, protect, total, on_progress).run(frames)


@dataclass
class _Cleaned:
    """What a window has become: frames [T, H, W, 3] and masks [T, H, W], both float32, from frame `start` on."""

    start: int
    frames: Tensor
    masks: Tensor

    def split(self, at: int) -> tuple[_Cleaned, _Cleaned]:
        """The frames before frame `at`, and a copy of the others, so that the whole can go."""
        n = at - self.start
        return _Cleaned(self.start, self.frames[:n], self.masks[:n]), _Cleaned(
            at, self.frames[n:].clone(), self.masks[n:].clone()
        )

    def each(self, dtype: torch.dtype) -> Iterator[tuple[Tensor, Tensor]]:
        for frame, mask in zip(self.frames, self.masks):
            yield frame.to(dtype), mask

    def fade_into(self, newer: _Cleaned) -> _Cleaned:
        """`newer`, whose first frames are these ones too, going over from these to its own."""
        count = len(self.frames)
        newer.frames[:count] = blend(self.frames, newer.frames[:count])
        newer.masks[:count] = blend(self.masks, newer.masks[:count])
        return newer


class _Removal:
    """One run over one video."""

    def __init__(self, codec, denoiser, prior, options: RemoveOptions, limit, protect, total, on_progress):
        self.codec, self.denoiser, self.prior, self.options = codec, denoiser, prior, options
        self.limit, self.protect = limit, protect
        self.sigmas = sigmas(options.steps)
        self.canvas: Canvas | None = None  # known with the first frame, like its dtype
        self.dtype: torch.dtype | None = None
        self.on_progress, self.windows_done, self.steps_done = on_progress, 0, 0
        self.steps = None if total is None else options.steps * len(plan(total, options.window, options.overlap))

    # -- the stream ------------------------------------------------------------------------------------------------

    def run(self, frames: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        pending, stop = None, 0
        for window, held in iter_windows(self._marked(frames), self.options.window, self.options.overlap):
            if pending is not None:
                final, pending = pending.split(
                    window.start
                )  # neither this window nor a later one reaches the first part
                yield from final.each(self.dtype)
                del final
            cleaned = self._clean(window, held)
            pending, stop = cleaned if pending is None else pending.fade_into(cleaned), window.stop
            del cleaned  # a whole window, which else would stay until the next one is done
        if pending is None:
            raise ClearError("There are no frames. Give at least one.")
        for area, name in ((self.limit, "limit"), (self.protect, "protect")):
            if area is not None and len(area) not in (1, stop):
                log.warning(
                    "The %s mask has %d frames, the video only %d. Check that they belong together.",
                    name,
                    len(area),
                    stop,
                )
        yield from pending.each(self.dtype)

    def _marked(self, frames: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """(frame [H, W, 3] float32 on the CPU, what of it is subtitle [H, W] bool). Marked ahead of the windows,
        because a line's first and last frames are judged by those around them, on whatever side of a window's border
        these are."""
        ready = self._ready(frames)
        if self.options.needs_prior:
            return mark_stream(soft_masks(ready, self._soft), self.options.threshold, self.options.subtitles_only)
        return ((frame, torch.zeros(frame.shape[:2], dtype=torch.bool)) for frame in ready)

    def _soft(self, frames: Tensor) -> Tensor:
        self._report("mask")
        return self.prior(frames)

    def _ready(self, frames: Iterable[Tensor]) -> Iterator[Tensor]:
        for frame in _checked(frames):
            if self.canvas is None:
                self._begin(frame)
            yield frame.to("cpu", torch.float32)

    def _begin(self, frame: Tensor) -> None:
        """What depends on the frames' size and dtype. Raises ClearError for masks of another size, or with values that
        are not numbers."""
        self.dtype = frame.dtype
        for area, name in ((self.limit, "limit"), (self.protect, "protect")):
            cut(area, name, Window(0, 1), tuple(frame.shape[:2]))
            if area is not None and not area.isfinite().all():
                raise ClearError(
                    f"The {name} mask has values that are not numbers (NaN or infinity). Give a mask of 0 to 1."
                )
        multiple = 2 * self.codec.spatial if self.codec is not None else 1
        self.canvas = Canvas(tuple(frame.shape[:2]), self.options.max_pixels, multiple)

    # -- one window ------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def _clean(self, window: Window, held: list[tuple[Tensor, Tensor]]) -> _Cleaned:
        """A window's (frame, marks) without what is marked. Works on one copy of the frames."""
        options, source = self.options, torch.stack([frame for frame, _ in held])
        limit, protect = (
            cut(area, name, window, tuple(source.shape[1:3]))
            for area, name in ((self.limit, "limit"), (self.protect, "protect"))
        )

        found = grow(torch.stack([marks for _, marks in held]).float(), options.grow)
        holes = (restrict(found, limit, protect) > 0).float()
        shown = int(holes.sum((1, 2)).argmax())
        if options.output == "composite" and options.mask_from == "prior" and not holes.any():
            return self._done(window, source, torch.zeros_like(found), shown)

        if options.output != "raw":
            # from here on, a translucent box is no longer there, and only its letters are to be replaced
            source, found, lifted = self._lift_boxes(source, found, limit, protect)
            holes = (restrict(found, limit, protect) > 0).float()

        self._report("control", source[shown].clone())
        if options.output == "preview":
            new = CONTROLS["prefilled"](source, holes)
        else:
            control = CONTROLS[options.control](source, holes)
            new, found = self._generate(window, source, control, found, holes)

        soft = feather(found, options.feather)
        mask = restrict(soft, limit, protect)
        if options.output == "raw":
            composite_(source, new, restrict(torch.ones_like(mask), limit, protect))
        else:
            if options.output == "composite" and options.control == "as is":
                new = match(source, new, soft)
            composite_(source, new, mask)
            mask = mask.maximum(lifted)
        return self._done(window, source, mask, shown)

    def _lift_boxes(
        self, source: Tensor, found: Tensor, limit: Tensor | None, protect: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The frames without the translucent boxes behind subtitles, what of them is still to be replaced, and where
        the boxes were."""
        without = lift_boxes(source, found)
        if not without.lifted.any():
            return source, found, torch.zeros_like(found)
        lifted = restrict(without.lifted.float(), limit, protect)
        return composite_(source, without.frames, lifted), without.hidden, lifted

    def _generate(
        self, window: Window, source: Tensor, control: Tensor, found: Tensor, holes: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The network's picture of a window at the source's size, and the mask: the one that was found, or from the
        difference."""
        options, codec, canvas = self.options, self.codec, self.canvas
        working = canvas.enter(control)
        region = canvas.whole
        if options.region == "subtitle band":
            region = band(canvas.enter_mask(holes), 2 * codec.spatial, options.context, canvas.padded)
            if region is None:  # nothing to see in this window, and a raw picture was asked for
                return source, found

        self._report("encode")
        control_latents = codec.encode(region.of(working))
        noise = self._noise(window, control_latents, region)
        latents = self.denoiser(noise, control_latents, self.sigmas, self._on_step)
        self._report("decode")
        picture = codec.decode(latents)

        if options.mask_from == "difference":
            before = control_latents if options.control == "as is" else codec.encode(canvas.enter(source))
            cells = cells_to_frames(changed_cells(before, latents), codec.spatial, codec.temporal)
            found = grow(canvas.leave_mask(cells, len(source)), options.grow)
        if options.output == "composite" and options.control == "prefilled":
            # The codec's loss is in both pictures, so that it cancels and the fill stays as sharp as it was.
            change = options.keep_change * (picture - codec.decode(control_latents))
            return control + canvas.leave(_placed(change, region, torch.zeros_like(working)), len(source)), found
        picture = canvas.leave(_placed(picture, region, working), len(source)).clamp(0, 1)
        if region != canvas.whole:
            inside = canvas.leave_mask(_placed(torch.tensor(1.0), region, torch.zeros(working.shape[:3])), len(source))
            picture = composite_(source.clone(), picture, inside)
        return picture, found

    def _noise(self, window: Window, like: Tensor, region: Region) -> Tensor:
        """The whole frame's noise for the window's latent frames, cut to the region."""
        cell = self.codec.spatial
        height, width = (side // cell for side in self.canvas.padded)
        noise = latent_noise(
            self.options.seed, window.start // self.codec.temporal, like.shape[2], height, width, like.shape[1]
        )
        cells = Region(region.top // cell, region.left // cell, *like.shape[3:])
        return noise[..., cells.rows, cells.columns].contiguous()

    # -- progress --------------------------------------------------------------------------------------------------

    def _on_step(self, step: int, count: int) -> None:
        self.steps_done = self.windows_done * self.options.steps + step
        self._report("sample")

    def _done(self, window: Window, frames: Tensor, masks: Tensor, shown: int) -> _Cleaned:
        self.windows_done += 1
        self.steps_done = self.windows_done * self.options.steps
        self._report("done", frames[shown])
        return _Cleaned(window.start, frames, masks)

    def _report(self, stage: str, preview: Tensor | None = None) -> None:
        if self.on_progress is not None:
            self.on_progress(RemovalProgress(self.steps_done, self.steps, stage, preview))


def _checked(frames: Iterable[Tensor]) -> Iterator[Tensor]:
    """The frames, each looked at before anything is made of it."""
    size = None
    for index, frame in enumerate(frames):
        if (
            frame.dim() != 3
            or frame.shape[2] != 3
            or 0 in frame.shape
            or frame.dtype not in (torch.float32, torch.float16, torch.bfloat16)
        ):
            raise ClearError(
                f"Frame {index} is a {frame.dtype} tensor of shape {tuple(frame.shape)}. Frames are [height, width, "
                f"3], float32 (or a half) in 0..1."
            )
        size = size or frame.shape
        if frame.shape != size:
            raise ClearError(
                f"Frame {index} is {frame.shape[1]}x{frame.shape[0]} pixels, the first one {size[1]}x{size[0]}. "
                "All frames of a video need one size."
            )
        require_finite(frame[None], index)
        yield frame


def _placed(part: Tensor, region: Region, whole: Tensor) -> Tensor:
    """`whole` with the region replaced by `part`."""
    out = whole.clone()
    region.of(out)[:] = part
    return out
