"""The result on disk: segments, each with an encoder of its own, and the film that they are laid end to end to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..media.join import join
from ..media.writer import VISUALLY_LOSSLESS_CRF, VideoWriter
from .source import Shown, Source


class SegmentWriter:
    """Frames of a segment in order."""

    def __init__(self, writer: VideoWriter):
        self._writer = writer

    def write(self, shown: Shown, pixels: Tensor | None) -> None:
        """A frame of the film, with other pixels [H, W, 3] or as it was read."""
        self._writer.write(shown.pixels if pixels is None else pixels, shown.time)

    def __enter__(self) -> SegmentWriter:
        self._writer.__enter__()
        return self

    def __exit__(self, *how) -> None:
        self._writer.__exit__(*how)


@dataclass(frozen=True)
class Store:
    """How a result is stored. crf: x264's constant rate factor, 0 (lossless) to 51."""

    crf: float = VISUALLY_LOSSLESS_CRF

    def ending(self, source: Source) -> str:
        """Of a segment's file: one whose clock is fine enough for the film's times, as Matroska's is not."""
        return ".mp4"

    def segment(self, path: Path, source: Source) -> SegmentWriter:
        """A segment's file, encoded by itself: nothing of another one is known to it."""
        facts = source.facts
        return SegmentWriter(
            VideoWriter(path, facts.width, facts.height, facts.fps, self.crf, facts.colour, like=facts, repeatable=True)
        )

    def join(self, segments: Sequence[Path], source: Path, target: Path, metadata: Mapping[str, str]) -> None:
        join(segments, source, target, metadata)
