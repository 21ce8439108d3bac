"""Pairs of video files, subtitled and clean: which file goes with which, and whether they can be trained on."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from pathlib import Path

import torch

from ..atomic import write_text
from ..errors import ClearError
from ..media.video import read_facts, read_frames
from . import pseudo_labels
from .swapped import Few, FindMask, are_swapped

APART = 0.2
"""Distance in RGB, 0 to sqrt(3), that half of a frame's pixels do not pass when both videos show the same: compression
leaves 0.02."""
_RULES = "2"  # of looking through: another when what was found by older ones does not count any more
VIDEOS = {".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v"}
SUBTITLED, CLEAN = (
    ("_with_subtitle", "_with_subtitles", "_subtitled", "_subtitle", "_sub"),
    ("_clean", "_without_subtitle", "_original"),
)
"""What may be added to a name; a longer ending comes before those it ends with."""


@dataclass(frozen=True)
class Pair:
    name: str
    subtitled: str
    clean: str


@dataclass(frozen=True)
class Pairs(Sequence):
    """The pairs that were found. left_out: a sentence for each video that is in none of them."""

    pairs: tuple[Pair, ...]
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index):
        return self.pairs[index]


@dataclass(frozen=True)
class PairReport:
    """One pair looked through. frames: of either file. kept: the frames with enough subtitle to learn from. problem:
    why the pair cannot be used, or None. seen: both files as they were then; another when they, or the rules, are
    others."""

    pair: Pair
    frames: int
    kept: tuple[int, ...]
    problem: str | None = None
    seen: str = ""


@dataclass(frozen=True)
class PairsReport:
    """What looking through all pairs found. left_out: a sentence for each video that is in no pair."""

    pairs: tuple[PairReport, ...]
    left_out: tuple[str, ...] = ()

    @property
    def usable(self) -> tuple[PairReport, ...]:
        return tuple(p for p in self.pairs if not p.problem)

    @property
    def kept(self) -> int:
        return sum(len(p.kept) for p in self.usable)

    def __str__(self) -> str:
        frames, usable = sum(p.frames for p in self.usable), self.usable
        lines = (
            [
                f"{len(usable)} of {len(self.pairs)} pairs can be used: {self.kept} of their {frames} frames; "
                f"{frames - self.kept} have less subtitle than {pseudo_labels.LEAST_SHARE:.2%} of the picture and are "
                f"left out."
            ]
            if usable
            else []
        )
        return "\n".join(
            lines
            + [f"  {p.pair.name}: {p.problem}" for p in self.pairs if p.problem]
            + [f"  {sentence}" for sentence in self.left_out]
        )

    def save(self, path: Path) -> None:
        write_text(path, json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> PairsReport:
        stored = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(
            tuple(
                PairReport(Pair(**p["pair"]), p["frames"], tuple(p["kept"]), p["problem"], p.get("seen", ""))
                for p in stored["pairs"]
            ),
            tuple(stored["left_out"]),
        )

    @classmethod
    def load_if_there(cls, path: Path) -> PairsReport | None:
        """None where there is no such file, or one that is no report."""
        try:
            return cls.load(path)
        except (OSError, ValueError, KeyError, TypeError):
            return None


def find_pairs(subtitled: str | Path, clean: str | Path | None = None, by_order: bool = False) -> Pairs:
    """Match files to pairs.

    One folder: NAME.mp4 (or NAME_clean.mp4) goes with NAME_with_subtitle.mp4 (or _subtitled, _subtitle, _sub). Two
    folders: files of the same name, those endings left aside where it needs that; `by_order`: the first of one with the
    first of the other, and so on, in order of their names. Two files are one pair. Raises ClearError when nothing
    matches, or the order cannot be right.
    """
    if Path(subtitled).is_file() or (clean is not None and Path(clean).is_file()):
        return Pairs((_of_files(Path(subtitled), clean),))
    folders = [Path(subtitled)] if clean is None else [Path(subtitled), Path(clean)]
    listed = [_videos(folder) for folder in folders]
    if by_order:
        if clean is None or len(listed[0]) != len(listed[1]):
            raise ClearError(
                "Pairing by order needs two folders with as many videos in each; "
                + (
                    "one was given."
                    if clean is None
                    else f"{folders[0].name} has {len(listed[0])} and {folders[1].name} {len(listed[1])}."
                )
            )
        found = Pairs(tuple(Pair(s.stem, str(s), str(c)) for s, c in zip(*listed)))
    elif clean is None:
        found = _matched(*_by_ending(listed[0]))
    else:
        found = _matched(*listed)
    if not found:
        where = " and ".join(str(folder) for folder in folders)
        raise ClearError(
            f"No pairs in {where} ({sum(map(len, listed))} videos). One folder: NAME.mp4 beside "
            "NAME_with_subtitle.mp4. Two folders: the same names in both, or pair them by order."
        )
    return found


def check_pairs(
    pairs: Iterable[Pair],
    on_pair: Callable[[PairReport], None] | None = None,
    on_frame: Callable[[], None] | None = None,
    find_mask: FindMask | None = None,
    known: PairsReport | None = None,
) -> PairsReport:
    """Look through every pair before training begins. on_frame is called at every frame and may raise to stop.
    find_mask: a prior, to see whether a pair's videos are swapped. known: what an earlier look found; pairs whose files
    are the same since are not read again. Raises ClearError with the whole report when not one can be used."""
    looked, before = [], {p.seen: p for p in known.pairs if p.seen} if known else {}
    for pair in pairs:
        seen = _seen(pair, find_mask)
        looked.append(
            replace(before[seen], pair=pair)
            if seen in before
            else replace(check_pair(pair, on_frame, find_mask), seen=seen)
        )
        if on_pair:
            on_pair(looked[-1])
    report = PairsReport(tuple(looked), pairs.left_out if isinstance(pairs, Pairs) else ())
    if not report.usable:
        raise ClearError(f"None of these pairs can be trained on.\n{report}")
    return report


def check_pair(pair: Pair, on_frame: Callable[[], None] | None = None, find_mask: FindMask | None = None) -> PairReport:
    """Read both files to their end, a frame of each at a time. on_frame, find_mask: as in check_pairs."""
    try:
        problem = _differ(pair)
        if problem:
            return PairReport(pair, 0, (), problem)
        return _look_through(pair, on_frame, find_mask)
    except ClearError as unreadable:
        return PairReport(pair, 0, (), str(unreadable))


def frame_pairs(pair: Pair) -> Iterator[tuple]:
    """(subtitled, clean) frames [H, W, 3] in 0..1, one pair at a time; None for the one that has ended before the
    other."""
    return zip_longest(read_frames(pair.subtitled), read_frames(pair.clean))


def stamp(path: str | os.PathLike) -> str:
    """A file's absolute path, size and time: another when the file is another. Raises ClearError where there is
    none."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise ClearError(f"{path} cannot be read ({error.strerror}). Check the path.") from error
    return f"{os.path.abspath(path)} {found.st_size} {found.st_mtime_ns}"


def _seen(pair: Pair, find_mask: FindMask | None) -> str:
    """Empty for files that are not there, which are never known."""
    try:
        return f"{_RULES}{' with a prior' if find_mask else ''}: {stamp(pair.subtitled)}, {stamp(pair.clean)}"
    except ClearError:
        return ""


def _look_through(pair: Pair, on_frame: Callable[[], None] | None, find_mask: FindMask | None) -> PairReport:
    kept, frames, same, apart, few, size = [], 0, True, 0, Few(), None
    lengths = [0, 0]
    for subtitled, clean in frame_pairs(pair):
        if on_frame:
            on_frame()
        lengths = [n + (f is not None) for n, f in zip(lengths, (subtitled, clean))]
        if subtitled is None or clean is None:
            continue
        size = size or subtitled.shape[:2]
        for path, frame in ((pair.subtitled, subtitled), (pair.clean, clean)):
            if frame.shape[:2] != size:
                return PairReport(
                    pair,
                    frames,
                    (),
                    f"from frame {frames} on {Path(path).name} is {frame.shape[1]}x{frame.shape[0]} pixels instead of "
                    f"{size[1]}x{size[0]}. Convert it to one size.",
                )
        if not subtitled.equal(clean):  # equal frames take no part in anything, and are found at once
            same = False
            d = pseudo_labels.difference(subtitled, clean)
            apart += 2 * (d > APART).count_nonzero().item() > d.numel()
            if pseudo_labels.frame_worth_training(d):
                kept.append(frames)
                if find_mask:
                    few.add([(frame * 255).round().to(torch.uint8) for frame in (subtitled, clean)])
        frames += 1
    problem = None
    if lengths[0] != lengths[1]:
        problem = (
            f"the subtitled video has {lengths[0]} frames and the clean one {lengths[1]}. Cut both to the same frames."
        )
    elif same:
        problem = "both videos are the same, so there is no subtitle. Give the clean video and its subtitled version."
    elif apart > frames / 2:
        problem = (
            "the two videos differ over most of the picture, not only where a subtitle is: they are of different "
            "scenes, or do not begin at the same frame. See whether the right files were paired."
        )
    elif not kept:
        problem = (
            "no frame has enough subtitle: the two videos differ nowhere by more than what another encoding changes."
        )
    elif find_mask and are_swapped(few.held, find_mask):
        problem = (
            f"the two seem swapped: what looks like a subtitle is in {Path(pair.clean).name}, which was given as the "
            f"clean video, and not in {Path(pair.subtitled).name}. Exchange the two files, or their names."
        )
    return PairReport(pair, frames, tuple(kept), problem)


def _differ(pair: Pair) -> str | None:
    a, b = read_facts(pair.subtitled), read_facts(pair.clean)
    if (a.width, a.height) != (b.width, b.height):
        return (
            f"the subtitled video is {a.width}x{a.height} and the clean one {b.width}x{b.height}. Scale them to one "
            "size."
        )
    if abs(a.fps - b.fps) > a.fps / 1000:  # 29.97 and 30 are not the same; two ways to write 29.97 are
        return (
            f"the subtitled video has {float(a.fps):g} frames per second and the clean one {float(b.fps):g}. "
            f"Convert one of them."
        )
    return None


def videos(folder: Path) -> list[Path]:
    """The videos of a folder in order of their names, numbers by their value: 2.mp4 comes before 10.mp4."""
    found = (
        p for p in folder.iterdir() if p.suffix.lower() in VIDEOS and p.is_file() and not p.name.startswith(".")
    )  # "._NAME.mp4" is macOS's own
    return sorted(
        found,
        key=lambda p: (
            [int(part) if part.isdecimal() else part.casefold() for part in re.split(r"(\d+)", p.name)],
            p.name,
        ),
    )


def _of_files(subtitled: Path, clean: str | Path | None) -> Pair:
    if clean is None:
        raise ClearError(f"{subtitled} is one video. Name the clean one too, or a folder with pairs.")
    other = next((path for path in (subtitled, Path(clean)) if not path.is_file()), None)
    if other is not None:
        raise ClearError(
            f"{other} {'is a folder' if other.is_dir() else 'is not there'}, and the other one is a video. Name two "
            f"videos or two folders."
        )
    return Pair(_stripped(subtitled.stem, SUBTITLED), str(subtitled), str(clean))


def _videos(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ClearError(
            f"There is no folder or video {folder}. Name the folder with the pairs of videos, or the two videos of a "
            f"pair."
        )
    return videos(folder)


def _stripped(stem: str, endings: tuple[str, ...]) -> str:
    for ending in endings:
        if stem.endswith(ending):
            return stem.removesuffix(ending)
    return stem


def _by_ending(found: list[Path]) -> tuple[list[Path], list[Path]]:
    """The subtitled and the clean videos of one folder. What ends like a subtitled one by its title alone, with no
    clean one beside it but a subtitled one (nautilus_sub.mp4, nautilus_sub_with_subtitle.mp4), is clean."""
    stems = {p.stem for p in found}

    def has_text(stem: str) -> bool:
        clean_beside = any(_stripped(stem, SUBTITLED) + ending in stems for ending in ("", *CLEAN))
        subtitled_beside = any(stem + ending in stems for ending in SUBTITLED)
        return stem.endswith(SUBTITLED) and (clean_beside or not subtitled_beside)

    return [p for p in found if has_text(p.stem)], [p for p in found if not has_text(p.stem)]


def _matched(subtitled: list[Path], clean: list[Path]) -> Pairs:
    """Pairs by name, the endings aside unless both have the same. Of files with one name the first is taken; which of
    them is meant cannot be known."""
    left_out, by_name, alike = [], [], {p.stem for p in subtitled} & {p.stem for p in clean}
    for videos_of_a_kind, endings in ((subtitled, SUBTITLED), (clean, CLEAN)):
        first: dict[str, Path] = {}
        for path in videos_of_a_kind:
            name = path.stem if path.stem in alike else _stripped(path.stem, endings)
            if first.setdefault(name, path) is not path:
                left_out.append(
                    f"{path.name}: left out, {first[name].name} has the same name but for its ending. Rename one of "
                    f"them."
                )
        by_name.append(first)
    with_text, without = by_name
    alone = sorted(
        path.name
        for paths, others in ((with_text, without), (without, with_text))
        for name, path in paths.items()
        if name not in others
    )
    left_out += [f"{name}: left out, it has no partner." for name in alone]
    return Pairs(
        tuple(Pair(name, str(with_text[name]), str(without[name])) for name in sorted(with_text) if name in without),
        tuple(left_out),
    )
