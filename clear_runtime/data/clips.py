"""Training clips cut from video files: which spans of which video, and reading them in one pass without holding a
video."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, groupby
from pathlib import Path
from typing import NamedTuple, Protocol

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from ..errors import ClearError
from ..frames.region import Region
from ..media.video import count_frames, read_facts, read_spans
from ..wan import GROUP, PATCH, SPATIAL, whole_groups
from .pairs_on_disk import VIDEOS, PairsReport, stamp, videos
from .synthetic.burn_style import BurnStyle
from .synthetic.burner import Burner, burn_clip
from .synthetic.subtitle_file import FORMATS

SHORTEST = GROUP + 1  # frames of a clip: two latent frames
MULTIPLE = SPATIAL * PATCH[1]  # pixels: sides that Wan's VAE and its 2x2 patches take
_TELL_EVERY = 50  # frames between two looks at whether to stop


class Clip(NamedTuple):
    """Two times [T, H, W, 3] float32 in 0..1, T = 4k + 1, sides multiples of 16."""

    subtitled: Tensor
    clean: Tensor


class Clips(Protocol):
    """Clips that are read when they are asked for. identities: one for each clip, another when what would be read is
    another. sizes: frames, height and width in pixels that clips have, each once. held_back: how many at the end share
    frames with the last one, that one among them: who looks at it to see what was learned trains on none of these."""

    identities: list[str]
    held_back: int

    @property
    def sizes(self) -> Sequence[tuple[int, int, int]]: ...

    def read(self, wanted: Sequence[int]) -> Iterator[tuple[int, Clip]]:
        """(number, clip) for the wanted numbers, which ascend. Each video is decoded at most once;
        a film once more for clips of parts of its frames."""

    def __str__(self) -> str:
        """What a user reads: how many clips of how many videos, and what was left out and why."""


class Spans(NamedTuple):
    """spans: of equal length, ascending. empty: how many more there would be, but without a subtitle in them."""

    spans: list[range]
    empty: int = 0


@dataclass(frozen=True)
class ClipSource:
    """The spans cut from one video, or from a pair's two files. size: height and width of the clips in pixels. parts:
    of each span, what of the fitted frames it has, and spans may come more than once; without, all of them."""

    name: str
    paths: tuple[str, ...]
    spans: tuple[range, ...]
    long_side: int
    size: tuple[int, int]
    text: str = ""  # the subtitle file to burn
    parts: tuple[Region, ...] = ()

    def part(self, i: int) -> str:
        """What of the frames span i has, in words for its identity; none where it has all of them."""
        return f"{self.parts[i]}" if self.parts else ""

    def read(self, chosen: Sequence[int]) -> Iterator[tuple[int, tuple[Tensor, ...]]]:
        """(number of the span, [T, H, W, 3] of each file), spans in ascending order. Only spans that are under way are
        in memory."""
        waiting, under_way = [(i, self.spans[i]) for i in chosen], []
        for frames in zip(*(read_spans(path, [span for _, span in waiting]) for path in self.paths)):
            number = frames[0][0]
            while waiting and waiting[0][1].start == number:
                i, span = waiting.pop(0)
                under_way.append((i, span, tuple(torch.empty(len(span), *self.size, 3) for _ in self.paths)))
            scaled = [fitted(frame, self.long_side) for _, frame in frames]
            for i, span, parts in under_way:
                for part, frame in zip(parts, scaled):
                    part[number - span.start] = self.parts[i].of(frame[None])[0] if self.parts else frame
            while under_way and under_way[0][1].stop == number + 1:
                i, _, parts = under_way.pop(0)
                yield i, parts
        if waiting or under_way:
            raise ClearError(f"{self.name} has fewer frames than when it was looked through. Load the pairs again.")


class FileClips:
    """What clips from files share. `left_out`: names and reasons."""

    def __init__(
        self, sources: Sequence[ClipSource], left_out: Sequence[tuple[str, str]], empty: int, settings: str = ""
    ):
        self.sources, self.left_out, self.empty = list(sources), list(left_out), empty
        self.index = [(source, i) for source in self.sources for i in range(len(source.spans))]
        if not self.index:
            raise ClearError(f"No clip can be cut from these videos.\n{self._left_out()}")
        self.sizes = sorted({(len(source.spans[0]), *source.size) for source in self.sources})
        last = self.sources[-1].spans
        self.held_back = sum(span.stop > last[-1].start for span in last)
        stamps = {
            source: " ".join(stamp(path) for path in (*source.paths, source.text) if path) for source in self.sources
        }
        self.identities = [
            " ".join(
                filter(None, (stamps[source], str(source.spans[i]), f"{source.long_side}", source.part(i), settings))
            )
            for source, i in self.index
        ]

    def read(self, wanted: Sequence[int]) -> Iterator[tuple[int, Clip]]:
        for source, group in groupby(wanted, lambda n: self.index[n][0]):
            numbers = list(group)
            for n, (i, parts) in zip(numbers, source.read([self.index[n][1] for n in numbers])):
                yield n, self._clip(source, i, parts)

    def _clip(self, source: ClipSource, i: int, parts: tuple[Tensor, ...]) -> Clip:
        return Clip(*parts)

    def __str__(self) -> str:
        lengths, sizes = {len(source.spans[0]) for source in self.sources}, {source.size for source in self.sources}
        frames = f"{min(lengths)} to {max(lengths)}" if len(lengths) > 1 else f"{min(lengths)}"
        shapes = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
        videos = len({source.paths for source in self.sources})
        lines = [f"{_clips(len(self.index))} of {frames} frames ({shapes}) from {_videos(videos)}."]
        if self.empty:
            lines.append(f"Left out: {_spans(self.empty)} without a subtitle.")
        return "\n".join(lines + ([self._left_out()] if self.left_out else []))

    def _left_out(self) -> str:
        return "\n".join(f"  {name}: {why}" for name, why in self.left_out)


class PairClips(FileClips):
    """Clips of pairs that check_pairs looked through."""

    def __init__(self, report: PairsReport, frames: int = 81, per_video: int = 4, long_side: int = 832):
        """frames: of a clip, rounded down to 4k + 1; a shorter video gives one clip of what it has. per_video: at most,
        spread evenly, with a subtitle in each. long_side: pixels; larger frames are scaled down. Raises ClearError when
        nothing is left."""
        check_settings(frames, per_video, long_side)
        sources, empty = [], 0
        left_out = [(looked.pair.name, looked.problem) for looked in report.pairs if looked.problem]
        for looked in report.usable:
            facts = read_facts(looked.pair.clean)
            found = spread(looked.frames, frames, per_video, looked.kept)
            size, problem = target_size(facts.height, facts.width, long_side), too_short(looked.frames)
            empty += found.empty
            if problem or not all(size):
                left_out.append((looked.pair.name, problem or too_small(facts.height, facts.width)))
            else:
                sources.append(
                    ClipSource(
                        looked.pair.name,
                        (looked.pair.subtitled, looked.pair.clean),
                        tuple(found.spans),
                        long_side,
                        size,
                    )
                )
        super().__init__(sources, left_out, empty)
        self.unpaired = report.left_out

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {sentence}" for sentence in self.unpaired)])


class BurnedClips(FileClips):
    """Clips of clean videos, into which subtitles are burned after scaling. Each clip has lines, and with the look
    "random" a look, of its own; from a subtitle file it has the lines of its time."""

    def __init__(
        self,
        source: str | Path,
        style: BurnStyle,
        frames: int = 81,
        per_video: int = 4,
        long_side: int = 832,
        seed: int = 0,
        on_look: Callable[[int, int], None] | None = None,
    ):
        """source: a folder of clean videos, or one of them. A style with a subtitle file: in a folder of several
        videos, each video takes the file of its own name beside it instead. on_look(videos done, videos): called often
        while the videos are looked through, may raise to stop. The rest as in PairClips."""
        check_settings(frames, per_video, long_side)
        self.style, self.seed, self._how = style, seed, {}
        sources, left_out, empty = [], [], 0
        paths = clean_videos(source)
        for done, video in enumerate(paths):
            tell = partial(on_look, done, len(paths)) if on_look else (lambda: None)
            tell()
            try:
                text = _text_for(video, style, len(paths) == 1)
                found, fps, spans = self._looked_through(video, text, frames, per_video, long_side, tell)
            except ClearError as problem:
                if len(paths) == 1:
                    raise
                left_out.append((video.name, str(problem).removeprefix(f"{video.name}: ")))
                continue
            empty += spans.empty
            sources.append(found)
            self._how[found] = replace(style, file=text), fps
        super().__init__(sources, left_out, empty, f"{style} {seed}")

    def _looked_through(
        self, video: Path, text: str, frames: int, per_video: int, long_side: int, tell: Callable[[], None]
    ) -> tuple[ClipSource, float, Spans]:
        facts = read_facts(video)
        size, fps = target_size(facts.height, facts.width, long_side), float(facts.fps)
        if not all(size):
            raise ClearError(f"{video.name}: {too_small(facts.height, facts.width)}")
        # what is wrong with font or text is found before the video is read to its end
        burner = Burner(replace(self.style, file=text), size[1], size[0], fps)
        total = count_frames(video, lambda count: tell() if count % _TELL_EVERY == 0 else None)
        if problem := too_short(total):
            raise ClearError(f"{video.name}: {problem}")
        kept = burner.kept(total) if text else None
        if text and not kept:
            raise ClearError(
                f"{video.name}: no line of {Path(text).name} falls into its {total / fps:.1f} s. See whether the two "
                f"belong together."
            )
        spans = spread(total, frames, per_video, kept)
        return ClipSource(video.stem, (str(video),), tuple(spans.spans), long_side, size, text), fps, spans

    def _clip(self, source: ClipSource, i: int, parts: tuple[Tensor, ...]) -> Clip:
        (style, fps), span = self._how[source], source.spans[i]
        seed = f"{style.seed} {self.seed} {source.name} {span.start}"
        subtitled, _ = burn_clip(parts[0], style, fps, span.start if source.text else 0, seed)
        return Clip(subtitled, parts[0])


def clean_videos(source: str | Path) -> list[Path]:
    """The videos of a folder in order of their names, or the one that is named. Raises ClearError when there is
    none."""
    source = Path(source)
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise ClearError(f"There is no folder or video {source}. Name a folder with clean videos, or one of them.")
    found = videos(source)
    if not found:
        raise ClearError(f"No videos in {source}. It should hold clean videos: {', '.join(sorted(VIDEOS))}.")
    return found


def _text_for(video: Path, style: BurnStyle, alone: bool) -> str:
    """The subtitle file for a video: the style's own where the video is alone, and of several videos the one of its
    name. Empty where the style has none."""
    if alone or not style.file:
        return style.file
    beside = next((str(path) for ending in FORMATS if (path := video.with_suffix(ending)).is_file()), None)
    if beside is None:
        raise ClearError(
            f"{video.name}: there is no {video.stem}{Path(style.file).suffix} beside it. With a subtitle file, each of "
            f"several videos takes the one of its own name."
        )
    return beside


def spread(total: int, frames: int, count: int, kept: Collection[int] | None = None) -> Spans:
    """At most `count` spans of `frames` frames (rounded down to 4k + 1) over a video of `total`, evenly spread,
    overlapping by half at most. kept: frames with a subtitle; each span moves to where it holds most of them, and goes
    when it holds none. A video shorter than `frames` gives one span of the largest 4k + 1; one shorter than 5 gives
    none."""
    length = whole_groups(min(frames, total))
    if length < SHORTEST:
        return Spans([])
    room = total - length
    n = min(count, 1 + room // max(1, length // 2)) if total >= frames else 1
    step = room / (n - 1) if n > 1 else 0.0
    ideal = [round(i * step) for i in range(n)] if n > 1 else [room // 2]
    if kept is None:
        return Spans([range(start, start + length) for start in ideal])
    marked = [0] * total
    for t in kept:
        marked[t] = 1
    before = [0, *accumulate(marked)]
    marked_in = lambda start: before[start + length] - before[start]
    # as far as each may go without coming nearer than half a length to the next one's place
    reach = int(max(0.0, (step - length // 2) / 2)) if n > 1 else room
    best = [
        max(
            range(max(0, at - reach), min(room, at + reach) + 1), key=lambda start: (marked_in(start), -abs(start - at))
        )
        for at in ideal
    ]
    full = [start for start in best if marked_in(start)]
    return Spans([range(start, start + length) for start in full], n - len(full))


def evenly(all_of: list, count: int) -> list:
    """At most `count` of them, evenly taken."""
    if len(all_of) <= count:
        return all_of
    return [all_of[round(i * (len(all_of) - 1) / max(1, count - 1))] for i in range(count)]


def check_settings(frames: int, per_video: int, long_side: int) -> None:
    if frames < SHORTEST or per_video < 1 or long_side < 2 * MULTIPLE:
        raise ClearError(
            f"Clips need {SHORTEST} frames or more, 1 of a video or more, and a long side of {2 * MULTIPLE} pixels or "
            f"more; these are {frames}, {per_video} and {long_side}."
        )


def target_size(height: int, width: int, long_side: int) -> tuple[int, int]:
    """Height and width that frames are scaled and cut to; 0 for a side that is too short."""
    height, width = scaled_size(height, width, long_side)
    return height // MULTIPLE * MULTIPLE, width // MULTIPLE * MULTIPLE


def fitted(frame: Tensor, long_side: int) -> Tensor:
    """[H, W, 3] -> the size of target_size, float32: scaled down with antialiasing, then cut evenly at both ends."""
    height, width = frame.shape[:2]
    size = scaled_size(height, width, long_side)
    if size != (height, width):
        small = F.interpolate(rearrange(frame, "h w c -> 1 c h w").float(), size, mode="bilinear", antialias=True)
        frame = rearrange(small, "1 c h w -> h w c").clamp(0, 1)
    height, width = (side // MULTIPLE * MULTIPLE for side in size)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    return frame[top : top + height, left : left + width].float()


def scaled_size(height: int, width: int, long_side: int) -> tuple[int, int]:
    """Height and width that frames are scaled to, before they are cut."""
    scale = min(1.0, long_side / max(height, width))
    return round(height * scale), round(width * scale)


def too_short(frames: int) -> str | None:
    return f"{frames} frames are too few; a clip needs {SHORTEST}. Take a longer video." if frames < SHORTEST else None


def too_small(height: int, width: int) -> str:
    return (
        f"{width}x{height} pixels are too few: after scaling, each side must have {MULTIPLE}. Take a larger video, "
        f"or scale it down less."
    )


def _clips(count: int) -> str:
    return "1 clip" if count == 1 else f"{count} clips"


def _spans(count: int) -> str:
    return "1 span" if count == 1 else f"{count} spans"


def _videos(count: int) -> str:
    return "1 video" if count == 1 else f"{count} videos"
