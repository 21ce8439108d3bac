"""The result on disk: segments, each with an encoder of its own, and the film that they are laid end to end to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ..errors import ClearError
from ..media.codecs import AS_SOURCE, H264, VideoCodec, codec_for
from ..media.join import Part, join
from ..media.video import Facts, keeps_turn
from ..media.writer import VideoWriter, require_writable, stored_as
from .source import Shown, Source

CRF = 7.0
"""x264's constant rate factor. Of the bundled clip, what nobody touched stays 45.8 dB from the source, in 3.5 times its
bytes; 10 gives 43.8 dB in 2.4 times."""


DEEPEST = 10
"""Bits of a sample that are written at most."""
MASKS_CRF = 4.0
"""Of the video of masks: a level of 8 bits at most."""


class SegmentWriter:
    """Frames of a segment in order. masks: what writes a grey video of where pixels are other ones, if it is asked
    for."""

    def __init__(self, writer: VideoWriter, masks: VideoWriter | None, size: tuple[int, int]):
        self._writer, self._masks, self._size = writer, masks, size
        self._files = ExitStack()
        for one in (writer, *([] if masks is None else [masks])):
            self._files.push(one)

    def write(self, shown: Shown, pixels: Tensor | None, mask: Tensor | None = None) -> None:
        """A frame of the film, with other pixels [H, W, 3] or as it is stored. mask [H, W]: where they are other ones;
        None for everywhere."""
        if pixels is None:
            self._writer.write_as_it_is(shown.stored)
        else:
            self._writer.write(pixels, shown.time, mask, None if mask is None else shown.stored)
        if self._masks is not None:
            whole = torch.full(self._size, float(pixels is not None))
            where = whole if mask is None or pixels is None else mask
            self._masks.write(where[..., None].expand(-1, -1, 3), shown.time)

    def __enter__(self) -> SegmentWriter:
        return self

    def __exit__(self, *how) -> None:
        self._files.__exit__(*how)


def as_written(source: Source) -> Facts:
    """A film's facts as those of what its result holds: a turned film is stored as it lies, and says how to turn it."""
    return source.facts.as_stored() if keeps_turn() else source.facts


@dataclass(frozen=True)
class Store:
    """How a result is stored. crf: x264's constant rate factor, 0 (lossless) to 51, or what comes as close with another
    codec. codec: one of CHOICES (media/codecs.py). container: the ending of the result's name. masks: whether there is
    a grey video of what was replaced as well, with a frame for each of the film's, at its time. among: what the encoder
    is told where packets of the source lie among its own (copying.py)."""

    crf: float = CRF
    masks: bool = False
    codec: str = AS_SOURCE
    container: str = ".mp4"
    among: str = ""

    def __post_init__(self):
        if not 0 <= self.crf <= 51:  # false for what is no number, too
            raise ClearError(f"crf is {self.crf}. It goes from 0, lossless, to 51; 7 stays close to the original.")

    def chosen(self, source: Source) -> tuple[VideoCodec, str]:
        """What the result is stored with, and why that is not what was asked for, if it is not. Raises ClearError for a
        codec that cannot be, and for a size that none has."""
        facts = as_written(source)
        require_writable(facts.width, facts.height, facts.fps, self.crf)
        form = stored_as(facts.width, facts.height, facts.depth, facts.chroma)
        return codec_for(self.codec, facts, form, self.container)

    def losses(self, source: Source) -> list[str]:
        """What of a film's pictures the result cannot have, in words."""
        facts, (codec, why) = as_written(source), self.chosen(source)
        said = [why] if why else []
        if facts.interlaced and not codec.keeps_fields(facts):
            said.append(
                f"{source.path.name} is interlaced. {codec.encoder} says so of no frame: the result has both fields in "
                "each, as the source, and a player has to be told. h264 keeps it."
            )
        if facts.transparent:
            said.append(f"{source.path.name} has a channel of transparency; the result has none.")
        if self.container.lower() == ".webm" and facts.aspect != 1:
            said.append(
                f"The pixels of {source.path.name} are {facts.aspect.numerator}:{facts.aspect.denominator}, which the "
                "result cannot say: players show it with square ones. .mp4 keeps it."
            )
        if facts.mastering is not None and not facts.mastering.told(codec.encoder):
            said.append(
                f"{source.path.name} says what its HDR was mastered on; the result cannot. hevc, h264 and av1 keep it."
            )
        if facts.depth > DEEPEST:
            said.append(f"{source.path.name} has {facts.depth} bits a sample; the result has {DEEPEST}.")
        return said

    def ending(self, source: Source) -> str:
        """Of a segment's file."""
        return self.chosen(source)[0].part

    def segment(self, path: Path, source: Source) -> SegmentWriter:
        facts, codec = source.facts, self.chosen(source)[0].among(self.among)
        turns = (facts.rotation - as_written(source).rotation) // 90
        writer = VideoWriter(
            path,
            facts.width,
            facts.height,
            facts.fps,
            self.crf,
            facts.colour,
            like=facts,
            joins=True,
            codec=codec,
            turns=turns,
        )
        return SegmentWriter(writer, self._masks(masks_path(path), source) if self.masks else None, source.size)

    def _masks(self, path: Path, source: Source) -> VideoWriter:
        plain = replace(source.facts, depth=8, chroma="420", interlaced=False)
        return VideoWriter(path, plain.width, plain.height, plain.fps, MASKS_CRF, like=plain, joins=True)

    def join(
        self,
        segments: Sequence[Part],
        source: Path,
        target: Path,
        metadata: Mapping[str, str],
        on_frame: Callable[[int], None],
        on_loss: Callable[[str], None],
    ) -> None:
        """Lay segments end to end, with all else that the source holds beside them. on_frame is told how many frames
        are over; it may raise to stop, and then there is no target. on_loss: told what cannot be there as it was."""
        join(segments, target, source, metadata, on_frame, on_loss=on_loss)

    def join_masks(self, segments: Sequence[Path], source: Path, target: Path) -> None:
        """Lay the masks of segments end to end, and nothing beside them."""
        join(segments, target, source, alone=True)


def masks_path(segment: Path) -> Path:
    """Where the masks of a segment lie."""
    return segment.with_name(f"{segment.stem}_masks{H264.part}")
