"""Frames that any other model has cleaned, as an engine: what paints is elsewhere, and the pipeline does the rest."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from ..errors import ClearError
from ..fill.flow import OpticalFlow
from ..fill.plain import MARGIN, fill
from ..frames.region import Region
from .difference import unusual
from .engine import Needs, OnStage, Painted, Piece
from .fit import CROPPED, FITS, SCALED
from .recolour import Squares, recoloured

SPARE = 8
"""Frames that may be missing at the end, or be too many: video models take 4k + 1 or 8k + 1 frames."""
SAME_SHAPE = 0.04
"""By how much of it the ratio of the sides may differ where frames were scaled: models round sides to multiples of 16
or 32, which of 720 rows is 2 %."""
BLUR = 5
"""Side of the box in pixels over which the difference to the source is averaged: about a stroke of a letter."""
SMALLEST_CHANGE = 0.06
"""Distance of two colours, each channel in 0..1, that a model must have made for it to count: codecs make 0.03."""
STILL_THERE = 0.04
"""Mean distance of colours under which the cleaned frames show what can still be read: the model left it there."""


class GivenFrames:
    """cleaned: frames [h, w, 3] in 0..1, of any size and dtype, one for each frame of a video of `total` frames of
    (height, width) pixels. fit: how they lie over it, one of fit.FITS. optical_flow: what the fill follows in place of
    its own.

    Their colours are brought to the source's, as far as one rule for all of a piece can. What they do not show (frames
    missing at the end, edges that were cut off, and letters that the model itself left) is filled instead; `missing`
    and `left` say in which frames, and `others` which frames seem to show something else than the source. Raises
    ClearError where they are not of that video: at once, or where a piece has no frame that is.
    """

    needs = Needs(
        scaled=False, context=MARGIN, region="subtitle band", finds_text=True, tells_changes=True, recolours=True
    )
    steps = 1

    def __init__(
        self,
        cleaned: Sequence[Tensor] | Tensor,
        total: int,
        size: tuple[int, int],
        fit: str = SCALED,
        optical_flow: OpticalFlow | None = None,
    ):
        self.cleaned, self.size, self.fit, self.optical_flow = cleaned, size, fit, optical_flow
        self.missing = list(range(len(cleaned), total))
        self.left: set[int] = set()
        self.others: set[int] = set()
        _require_same_film(cleaned, total, size, fit)
        self.shown = _shown(tuple(cleaned[0].shape[:2]), size) if fit == CROPPED else Region(0, 0, *size)

    def paint(self, piece: Piece, seed: int, on_stage: OnStage) -> Painted:
        picture, known = piece.frames.clone(), torch.zeros(piece.frames.shape[:3], dtype=torch.bool)
        seen = torch.zeros(self.size, dtype=torch.bool)
        seen[self.shown.rows, self.shown.columns] = True
        given = self._given(piece, piece.region.of(seen[None])[0])
        for t, part in enumerate(given):
            if piece.again and _alike(part, piece.frames[t], piece.holes[t]):
                self.left.add(piece.window.start + t)
                continue
            known[t] = piece.region.of(seen[None])[0]
            picture[t] = torch.where(known[t][..., None], part, picture[t])
        changed = _changed(piece.source, picture) if piece.differs else None
        picture = self._filled(piece, picture, known)
        on_stage("sample", self.steps)
        return Painted(picture, changed=changed)

    def _given(self, piece: Piece, seen: Tensor) -> Tensor:
        """The cleaned frames of a piece, as far as there are any [t, h, w, 3], in the source's colours. seen: where
        they show the frame [h, w]."""
        first = piece.window.start
        stop = min(first + len(piece.frames), len(self.cleaned))
        if stop <= first:
            return piece.frames[:0]
        given = torch.cat([piece.region.of(self._over(number)[None]) for number in range(first, stop)])
        both = Squares(given, piece.source[: len(given)], seen & ~piece.holes[: len(given)])
        if not piece.again:
            self._require_same_pictures({first + t for t in both.others()}, first, stop)
        learned = both.learned()
        if learned is not None:
            for frame in given:  # one by one: it takes three times as much on the way
                frame.copy_(recoloured(frame, learned).clamp_(0, 1))
        return given

    def _require_same_pictures(self, others: set[int], first: int, stop: int) -> None:
        self.others |= others
        if len(others) == stop - first:
            raise ClearError(
                f"The cleaned frames {first} to {stop - 1} show something else than the source's, as far as there is "
                "no subtitle. Give the same frames, in the same order and at the same frame rate."
            )

    def notes(self) -> list[str]:
        """What a user should know of the frames, in words."""
        said = []
        if self.missing:
            said.append(f"The cleaned frames end {len(self.missing)} before the source does; these were filled.")
        if self.left:
            said.append(f"In {len(self.left)} frames the cleaned ones still showed letters; these were filled.")
        if self.others:
            said.append(
                f"In {len(self.others)} frames, the first of them {min(self.others)}, the cleaned ones seem to show "
                "something else than the source. Look there: are they the same frames, in the same order?"
            )
        return said

    def _filled(self, piece: Piece, picture: Tensor, known: Tensor) -> Tensor:
        """The picture with what is to be replaced and was not given made by the fill, from what was given beside it."""
        rest = piece.holes & ~known
        if not rest.any():
            return picture
        beside = torch.where((piece.holes & known)[..., None], picture, piece.frames)
        return torch.where(rest[..., None], fill(beside, rest, optical_flow=self.optical_flow), picture)

    def _over(self, number: int) -> Tensor:
        """A cleaned frame at its place over the source [H, W, 3]; black beyond it."""
        at = self.shown
        frame = self.cleaned[number][..., :3].float()
        if not frame.isfinite().all():
            raise ClearError(
                f"Cleaned frame {number} has values that are not numbers (NaN or infinity). Look at what made it, "
                "often a VAE in half precision."
            )
        frame = rearrange(frame, "h w c -> 1 c h w")
        if frame.shape[2:] != (at.height, at.width):
            frame = F.interpolate(frame, (at.height, at.width), mode="bicubic", antialias=True).clamp(0, 1)
        whole = torch.zeros(*self.size, 3)
        at.of(whole[None])[0] = rearrange(frame, "1 c h w -> h w c")
        return whole


def _require_same_film(cleaned: Sequence[Tensor] | Tensor, total: int, size: tuple[int, int], fit: str) -> None:
    if fit not in FITS:
        raise ClearError(f'fit is "{fit}". Choose one of: {", ".join(FITS)}.')
    if not len(cleaned) or abs(len(cleaned) - total) > SPARE:
        raise ClearError(
            f"There are {len(cleaned)} cleaned frames for {total} of the source. Give one for each, at the same frame "
            f"rate; at most {SPARE} may be missing or too many at the end."
        )
    (height, width), (h, w) = size, cleaned[0].shape[:2]
    if not (h and w) or not _shown((h, w), size).height or not _shown((h, w), size).width:
        raise ClearError(
            f"The cleaned frames are {w}x{h} pixels: too small or too narrow to be of a source of {width}x{height}. "
            "Connect the frames that the other model gave."
        )
    other = abs((w / h) / (width / height) - 1)
    if fit == SCALED and other > SAME_SHAPE:
        raise ClearError(
            f"The cleaned frames are {w}x{h} pixels, the source {width}x{height}: another shape, so that they cannot "
            f'be the whole picture. If its edges were cut off evenly, set fit to "{CROPPED}"; if bars were added, take '
            "them off first."
        )


def _shown(cleaned: tuple[int, int], size: tuple[int, int]) -> Region:
    """The middle of a frame of `size` (height, width) that has the shape of `cleaned` and is as large as can be."""
    (h, w), (height, width) = cleaned, size
    tall, wide = min(height, round(width * h / w)), min(width, round(height * w / h))
    return Region((height - tall) // 2, (width - wide) // 2, tall, wide)


def _alike(given: Tensor, frame: Tensor, holes: Tensor) -> bool:
    """Whether under the holes [h, w] the given picture is what the frame shows already."""
    return bool(holes.any()) and (given - frame)[holes].norm(dim=-1).mean().item() < STILL_THERE


def _changed(source: Tensor, picture: Tensor) -> Tensor:
    """[T, h, w] float: 1 where the other model changed more than it did elsewhere. A colour that moved in the whole
    frame is none of it."""
    apart = picture - source
    apart = apart - apart.flatten(1, 2).median(1).values[:, None, None]
    blurred = F.avg_pool2d(rearrange(apart, "t h w c -> t c h w"), BLUR, 1, BLUR // 2, count_include_pad=False)
    return unusual(blurred.norm(dim=1), SMALLEST_CHANGE).float()
