"""The result on disk: segments, each with an encoder of its own, and the film that they are laid end to end to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..media.join import join
from ..media.writer import VideoWriter
from .source import Shown, Source

CRF = 7.0
"""x264's constant rate factor. Of the bundled clip, what nobody touched stays 45.8 dB from the source, in 3.5 times its
bytes; 10 gives 43.8 dB in 2.4 times."""


class SegmentWriter:
    """Frames of a segment in order."""

    def __init__(self, writer: VideoWriter):
        self._writer = writer

    def write(self, shown: Shown, pixels: Tensor | None, mask: Tensor | None = None) -> None:
        """A frame of the film, with other pixels [H, W, 3] or as it is stored. mask [H, W]: where they are other ones;
        None for everywhere."""
        if pixels is None:
            self._writer.write_as_it_is(shown.stored)
        else:
            self._writer.write(pixels, shown.time, mask, None if mask is None else shown.stored)

    def __enter__(self) -> SegmentWriter:
        self._writer.__enter__()
        return self

    def __exit__(self, *how) -> None:
        self._writer.__exit__(*how)


@dataclass(frozen=True)
class Store:
    """How a result is stored. crf: x264's constant rate factor, 0 (lossless) to 51."""

    crf: float = CRF

    def ending(self, source: Source) -> str:
        """Of a segment's file."""
        return ".nut"  # it keeps every clock as it is

    def segment(self, path: Path, source: Source) -> SegmentWriter:
        facts = source.facts
        writer = VideoWriter(path, facts.width, facts.height, facts.fps, self.crf, facts.colour, like=facts, joins=True)
        return SegmentWriter(writer)

    def join(
        self,
        segments: Sequence[Path],
        source: Path,
        target: Path,
        metadata: Mapping[str, str],
        on_frame: Callable[[int], None] = lambda frames: None,
    ) -> None:
        """Lay segments end to end, with all else that the source holds beside them. on_frame is told how many frames
        are over; it may raise to stop, and then there is no target."""
        join(segments, target, source, metadata, on_frame)
