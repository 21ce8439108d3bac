"""The result on disk: segments, each with an encoder of its own, and the film that they are laid end to end to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..media.video import VISUALLY_LOSSLESS_CRF, VideoWriter
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
        """Of a segment's file."""
        return ".mp4"

    def segment(self, path: Path, source: Source) -> SegmentWriter:
        facts = source.facts
        return SegmentWriter(VideoWriter(path, facts.width, facts.height, facts.fps, self.crf, facts.colour))

    def join(self, segments: Sequence[Path], source: Path, target: Path, metadata: Mapping[str, str]) -> None:
        from ..media.video import read_facts, read_timed_frames  # until it is there

        facts = read_facts(segments[0])
        with VideoWriter(
            target, facts.width, facts.height, facts.fps, 0, colour=facts.colour, audio_from=source
        ) as writer:
            for path in segments:
                for when, frame in read_timed_frames(path):
                    writer.write(frame, when)
