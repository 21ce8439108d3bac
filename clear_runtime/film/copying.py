"""Where nothing changes in a film from one keyframe to another, its packets are taken over as they are: such a segment
is only a note of which they are, and joining reads them from the film itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from ..atomic import write_text
from ..media.codecs import SOFTWARE
from ..media.groups import Copied, Packets, among, copies, read_packets
from ..media.join import Part
from ..media.writer import stored_as
from .clean import Cleaning
from .identity import file_digest
from .source import Source
from .store import Store, as_written
from .work import Segment, Work

ENDING = ".copy"
LEAST = 12
"""Frames that are worth a copy: each takes a keyframe of the encoder behind it."""


UNUSUAL = "its packets are unusual: damaged, without times, hidden by an edit list, or with parameter sets that change"
TIMELESS = "AVI says of no packet when its frame is shown"


def original_packets(source: Source, store: Store) -> tuple[Packets | None, str]:
    """The film's, if the result can have them, and why it cannot have them among its own, in words. Without packets
    that is why there are none: "" where what the result is stored with says enough."""
    facts, codec = as_written(source), store.chosen(source)[0]
    form = stored_as(facts.width, facts.height, facts.depth, facts.chroma)
    if codec is not SOFTWARE.get(facts.codec) or facts.pixel_format.replace("yuvj", "yuv") != form:
        return None, ""
    if facts.rotation:
        return None, "its picture is turned"
    if facts.interlaced and not codec.keeps_fields(facts):
        return None, "its picture is interlaced"
    if store.masks:
        return None, "a video of masks is written with it"
    packets = read_packets(source.path)
    if packets is None:
        return None, TIMELESS if source.path.suffix.lower() == ".avi" else UNUSUAL
    if among(packets, store.container.lower()) is None:
        where = (
            f"HEVC in {store.container} has all parameter sets in its header, unless the film is tagged hev1 (.mkv has "
            "them with each keyframe)"
        )
        return packets, where if packets.codec == "hevc" else UNUSUAL
    return packets, ""


def some_pass(cleaning: Cleaning) -> bool:
    """Whether nothing changes for so long anywhere that a copy would be worth it."""
    return any(
        not piece.works and (piece.stop is None or piece.stop - piece.first >= LEAST) for piece in cleaning.pieces()
    )


def copied_parts(cleaning: Cleaning, packets: Packets | None, at: int = 0) -> list[Copied]:
    """What of a film can be taken over from frame `at` on, a border or 0."""
    if packets is None:
        return []
    passing = [
        (max(at, piece.first), piece.stop)
        for piece in cleaning.pieces()
        if not piece.works and (piece.stop is None or piece.stop > at)
    ]
    clock = cleaning.marks.clock()
    return copies(packets, passing, clock.times[:-1], clock.first, LEAST)


def is_whole(parts: Sequence[Copied]) -> bool:
    """Whether they are all of a film: then nothing lies among its packets."""
    return len(parts) == 1 and parts[0].first == 0 and parts[0].last


def copied_segments(
    cleaning: Cleaning, packets: Packets | None, work: Work, at: int, there: Mapping[int, int]
) -> list[Segment]:
    """Those from frame `at` on that are not there yet, each recorded. Raises OSError where the disk does not take
    them."""
    made = []
    for part in copied_parts(cleaning, packets, at):
        if part.first in there:
            continue
        path = work.path_of(part.first, ENDING)
        write_text(path, json.dumps(asdict(part)) + "\n")
        last = part.last or part.stop == cleaning.total
        window = cleaning.options.windows.window
        segment = Segment(part.first, part.stop, path.name, file_digest(path), window, last=last)
        work.add(segment)
        made.append(segment)
    return made


def is_copied(segment: Segment) -> bool:
    return segment.file.endswith(ENDING)


def part_of(path: Path) -> Part:
    """What a segment's file stands for."""
    return Copied(**json.loads(path.read_text(encoding="utf-8"))) if path.suffix == ENDING else path
