"""What counts as a subtitle: from a prior's soft masks to marks, by the rules of time and place. There is no second
way.

The remover, the masks that are shown and the trainer's cache all call `marked` (a stream) or `marks_of` (a clip).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from ..option import option, require_valid
from .evidence import CHUNK, SHORTEST, Evidence, in_chunks, keep_lasting, refine_stream
from .lines import keep_lines

BATCH = 8  # frames that a prior is given at a time

Prior = Callable[[Tensor], Tensor]
"""Frames [T, H, W, 3] -> soft masks [T, H, W] in 0..1 on the CPU."""


@dataclass(frozen=True)
class MarkOptions:
    """What of a prior's soft masks counts."""

    threshold: float = option(
        0.5,
        "How sure the prior must be, 0 to 1: what is over it counts as subtitle. Lower finds more and errs more.",
        zh="先验模型的把握超过多少才算字幕，0 到 1。越低找到的越多，误标也越多。",
        name_zh="阈值",
        low=0,
        high=1,
        least=0.01,
        most=0.99,
        step=0.01,
    )
    subtitles_only: bool = option(
        True,
        "Leave what the prior marks but does not behave like a subtitle: what moves with the scene, stands wholly in a "
        "corner, or shows for fewer than seven frames. The frames must follow one another. Off: all that is marked "
        "goes, except specks.",
        zh="保留被标出、但表现不像字幕的内容：随画面移动的、完全位于画面角落的、出现不足 7 帧的。"
        "各帧必须连续。关闭后，标出的内容除零星小点外全部去除。",
        name_zh="只去字幕",
        more="A corner is 25 % of the height and 28 % of the width.",
        more_zh="角落指画面高的 25 %、宽的 28 %。",
    )
    grow: int = option(
        2,
        "Pixels of the source by which the mask is widened, so that outlines and shadows go too.",
        zh="遮罩向外扩展的像素数，按原画面计算，使描边和阴影也一并去除。",
        name_zh="扩展",
        more="Raise it when an outline or a shadow stays.",
        more_zh="描边或阴影有残留时调大。",
        unit="pixels",
        low=0,
        most=64,
    )

    def __post_init__(self):
        require_valid(self)


class Marked(NamedTuple):
    """A frame [H, W, 3] as it came, how sure the prior is of it after the evidence over time [H, W] in 0..1 (None where
    nobody asked), and what of it counts [H, W] bool."""

    frame: Tensor
    soft: Tensor | None
    marks: Tensor


class Filter(Protocol):
    """A rule over a stream of Marked. ahead: frames that it pulls beyond the one that it gives."""

    ahead: int

    def __call__(self, stream: Iterable[Marked]) -> Iterator[Marked]: ...


class OverTime:
    """What moves with the scene is no subtitle (evidence.py); what is over the threshold after that is marked."""

    def __init__(self, threshold: float, with_soft: bool, evidence: Evidence = Evidence()):
        self.threshold, self.with_soft, self.evidence = threshold, with_soft, evidence
        self.ahead = CHUNK + evidence.context + 1

    def __call__(self, stream: Iterable[Marked]) -> Iterator[Marked]:
        for frame, soft in refine_stream(((one.frame, one.soft) for one in stream), self.evidence):
            yield Marked(frame, soft if self.with_soft else None, soft > self.threshold)


class EachAlone:
    """What is over the threshold is marked, each frame on its own."""

    ahead = 0

    def __init__(self, threshold: float):
        self.threshold = threshold

    def __call__(self, stream: Iterable[Marked]) -> Iterator[Marked]:
        return (one._replace(marks=one.soft > self.threshold) for one in stream)


class Lasting:
    """What shows for fewer than SHORTEST frames is no subtitle."""

    ahead = CHUNK + SHORTEST - 1

    def __call__(self, stream: Iterable[Marked]) -> Iterator[Marked]:
        lasting = lambda held: keep_lasting(torch.stack([one.marks for one in held]))
        for one, marks in in_chunks(stream, lasting, SHORTEST - 1):
            yield one._replace(marks=marks)


class Lines:
    """Specks are no subtitle; nor, unless `corners`, is what stands wholly in a corner."""

    ahead = 0

    def __init__(self, corners: bool):
        self.corners = corners

    def __call__(self, stream: Iterable[Marked]) -> Iterator[Marked]:
        return (one._replace(marks=keep_lines(one.marks[None], self.corners)[0].bool()) for one in stream)


def filters(options: MarkOptions, lenient: bool = False, with_soft: bool = False) -> list[Filter]:
    """The rules that apply, in order. lenient: without those of duration and place."""
    first = OverTime(options.threshold, with_soft) if options.subtitles_only else EachAlone(options.threshold)
    if lenient:
        return [first]
    return [first, Lasting(), Lines(corners=False)] if options.subtitles_only else [first, Lines(corners=True)]


def marked(
    frames: Iterable[Tensor],
    prior: Prior,
    options: MarkOptions = MarkOptions(),
    lenient: bool = False,
    with_soft: bool = False,
    on_batch: Callable[[], None] = lambda: None,
) -> Iterator[Marked]:
    """What counts in the frames [H, W, 3] of a video of any length, not grown yet. Frames come back as they are.

    Runs as many frames behind as its filters look ahead, about 50; where the video is cut into windows later makes no
    difference. lenient: keep what only the rules of duration and place would drop. A trainer's cache wants these holes
    too: a line of four frames, or one in a corner of a crop, is still a subtitle to be painted over. with_soft: give
    the soft masks too, which are four times as large as the marks. on_batch is called before the prior is given frames.
    """
    stream: Iterable[Marked] = _soft(frames, prior, on_batch)
    for rule in filters(options, lenient, with_soft):
        stream = rule(stream)
    return iter(stream) if with_soft else (one._replace(soft=None) for one in stream)


def look_ahead(options: MarkOptions) -> int:
    """Frames that `marked` pulls beyond the one that it gives, at most."""
    return sum(rule.ahead for rule in filters(options)) + BATCH


def marks_of(
    frames: Tensor, prior: Prior, options: MarkOptions = MarkOptions(), lenient: bool = False
) -> tuple[Tensor, Tensor]:
    """A whole clip [T, H, W, 3] -> (soft masks [T, H, W] in 0..1 after the evidence over time, what counts [T, H, W]
    bool)."""
    if not len(frames):
        return torch.zeros(frames.shape[:3]), torch.zeros(frames.shape[:3], dtype=torch.bool)
    found = list(marked(frames, prior, options, lenient, with_soft=True))
    return torch.stack([one.soft for one in found]), torch.stack([one.marks for one in found])


def _soft(frames: Iterable[Tensor], prior: Prior, on_batch: Callable[[], None]) -> Iterator[Marked]:
    frames = iter(frames)
    while batch := list(islice(frames, BATCH)):
        on_batch()
        for frame, soft in zip(batch, prior(torch.stack([frame.float() for frame in batch]))):
            yield Marked(frame, soft, soft)
