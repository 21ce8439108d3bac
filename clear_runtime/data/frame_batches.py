"""Batches of frame pairs for Stage I. Batch n is a pure function of n, so a run that was stopped continues with the
very next one."""

from __future__ import annotations

import hashlib
import random
from bisect import bisect_right
from collections.abc import Callable, Mapping
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from ..errors import ClearError
from . import pseudo_labels
from .pairs_on_disk import PairReport, PairsReport, frame_pairs
from .synthetic.pairs import PairMaker

FRAMES_PER_PAIR = (
    20  # of a video in one epoch, evenly spread: neighbours teach the same (CLEAR's trainer takes as many)
)
NEAR = 0.75  # share of the crops that hold a pixel of the subtitle, where there is one
PAIRS_AT_A_TIME = 8  # whose frames are read and mixed
_ENDS = (
    2**20
)  # bytes at either end of a file that tell it from another: other footage has another length or another index


class Batch(NamedTuple):
    """subtitled, clean [N, 3, H, W] in 0..1, labels [N, 1, H, W] of 0 and 1."""

    subtitled: Tensor
    clean: Tensor
    labels: Tensor


class DiskFrames(torch.utils.data.Dataset):
    """Batches from checked pairs of files, cut to `crop` (height, width) from frames of at most `long_side` pixels.

    Every process of several takes its own share of the pairs, or, where there are fewer pairs than processes, its own
    share of a pair's frames. Pairs are read in groups, whose frames are mixed and kept in memory as bytes until the
    next group. on_frame is called at every frame that is read and may raise to stop: a group of films takes minutes.
    Raises ClearError for a file that can no longer be read, or has become shorter.
    """

    def __init__(
        self,
        report: PairsReport,
        size: int,
        crop: tuple[int, int],
        long_side: int,
        seed: int = 0,
        rank: int = 0,
        processes: int = 1,
        on_frame: Callable[[], None] | None = None,
    ):
        self.size, self.crop, self.long_side, self.seed, self.on_frame = size, crop, long_side, seed, on_frame
        self.pairs = [(p, _spread(p.kept)) for p in report.usable]
        self.identities = {p.pair.name: _identity(p, frames) for p, frames in self.pairs}
        self.rank, self.shares = rank, min(processes, len(self.pairs))
        self.share, self.sharer = rank % self.shares, rank // self.shares
        self.sharers = len(range(self.share, processes, self.shares))
        self.per_epoch = sum(len(frames) for _, frames in self.pairs) // (size * processes) or 1
        self._held: tuple = ()

    def __len__(self) -> int:
        """Batches of this process in one epoch."""
        return self.per_epoch

    def __getitem__(self, n: int) -> Batch:
        epoch, at = divmod(n, self.per_epoch)
        rng = random.Random(f"{self.seed} {n} {self.rank}")
        return _collate([self._cut(*self._frame(epoch, at * self.size + i), rng) for i in range(self.size)])

    def _frame(self, epoch: int, index: int) -> tuple[Tensor, Tensor]:
        """Frame number `index` of this process's epoch; its share of an epoch starts again where it is shorter than
        others'.

        Processes with the same share take turns at its frames, so that they do not learn the same.
        """
        index = index * self.sharers + self.sharer
        order = list(range(len(self.pairs)))
        random.Random(f"{self.seed} {epoch}").shuffle(order)
        mine = order[self.share :: self.shares]
        groups = [mine[i : i + PAIRS_AT_A_TIME] for i in range(0, len(mine), PAIRS_AT_A_TIME)]
        counts = [sum(len(self.pairs[i][1]) for i in group) for group in groups]
        index %= sum(counts)
        starts = list(accumulate(counts, initial=0))
        at = bisect_right(starts, index) - 1
        group, index = groups[at], index - starts[at]
        if not self._held or self._held[0] != (epoch, group):
            frames = [f for i in group for f in self._read(*self.pairs[i])]
            random.Random(f"{self.seed} {epoch} {group}").shuffle(frames)
            self._held = ((epoch, group), frames)
        return self._held[1][index]

    def state_dict(self) -> dict:
        """Which pairs they are, for a checkpoint."""
        return {"identities": self.identities}

    def load_state_dict(self, state: Mapping) -> None:
        """Raises ClearError when a checkpoint learned from other pairs: batch n would not be what it was."""
        before, now = state["identities"], self.identities
        differ = {
            "gone": before.keys() - now.keys(),
            "new": now.keys() - before.keys(),
            "with other videos": {name for name in before.keys() & now.keys() if before[name] != now[name]},
        }
        told = [f"{what}: {_listed(names)}" for what, names in differ.items() if names]
        if told:
            raise ClearError(
                f"The pairs are others than those this run learned from ({'; '.join(told)}). Bring them back, or "
                "choose another folder for this run; in ComfyUI, another name."
            )

    def _read(self, report: PairReport, wanted: list[int]) -> list[tuple[Tensor, Tensor]]:
        taken, chosen = [], set(wanted)
        for number, both in enumerate(frame_pairs(report.pair)):
            if self.on_frame:
                self.on_frame()
            if any(frame is None for frame in both):
                break
            if number in chosen:
                taken.append(tuple((self._scaled(f) * 255).round().to(torch.uint8) for f in both))
            if len(taken) == len(chosen):
                return taken
        raise ClearError(
            f"{report.pair.name} has fewer frames than when it was looked through. Bring the videos back, then start "
            f"again."
        )

    def _scaled(self, frame: Tensor) -> Tensor:
        scale = self.long_side / max(frame.shape[:2])
        if scale >= 1:
            return frame
        size = [max(1, round(side * scale)) for side in frame.shape[:2]]
        small = F.interpolate(rearrange(frame, "h w c -> 1 c h w"), size, mode="bilinear", antialias=True)
        return rearrange(small, "1 c h w -> h w c").clamp(0, 1)

    def _cut(self, subtitled: Tensor, clean: Tensor, rng: random.Random) -> tuple[Tensor, Tensor, Tensor]:
        """Three crops in four hold a pixel of the subtitle; the others lie anywhere. Labels are those of the whole
        frame."""
        subtitled, clean = subtitled.float() / 255, clean.float() / 255
        mask = pseudo_labels.labels(subtitled[None], clean[None])[0]
        where = mask.nonzero()
        centre = where[rng.randrange(len(where))].tolist() if len(where) and rng.random() < NEAR else None
        spans = []
        for axis, (side, length) in enumerate(zip(self.crop, mask.shape)):
            room = max(0, length - side)
            start = rng.randint(0, room) if centre is None else min(room, max(0, centre[axis] - rng.randrange(side)))
            spans.append(slice(start, start + side))
        top, left = spans
        cut = (subtitled[top, left].permute(2, 0, 1), clean[top, left].permute(2, 0, 1), mask[None, top, left])
        height, width = cut[0].shape[1:]
        beyond = (
            0,
            self.crop[1] - width,
            0,
            self.crop[0] - height,
        )  # a frame smaller than the crop goes on with its border
        return tuple(F.pad(x[None], beyond, mode="replicate")[0] for x in cut)


class GeneratedFrames(torch.utils.data.Dataset):
    """The same from the generator of random pairs (a folder filled by data.sources): endless, and every frame is new.

    Three batches in four are crops of frames 352 pixels high, the fourth holds a quarter as many whole ones: only there
    a place means something. exact: labels are the masks that the generator drew with, instead of pseudo-labels, which
    agree with them by an IoU of about 0.73 only (compression around the letters, letters as bright as what is behind
    them).
    """

    WHOLE = (352, 640)

    def __init__(
        self,
        folder: Path,
        size: int,
        crop: tuple[int, int],
        seed: int = 0,
        rank: int = 0,
        processes: int = 1,
        exact: bool = False,
    ):
        self.folder, self.size, self.crop, self.exact = Path(folder), size, crop, exact
        self.seed, self.rank, self.processes = seed, rank, processes
        self._maker: PairMaker | None = None

    def __getitem__(self, n: int) -> Batch:
        if self._maker is None:  # made where it is used: it holds open fonts, which no other process can take over
            self._maker = PairMaker(self.folder)
        whole = n % 4 == 3
        make = partial(self._maker.make, frames=1)
        if whole:
            make = partial(make, height=self.WHOLE[0], width=self.WHOLE[1], empty=0.25)
        else:
            height, width = self.crop
            make = partial(make, height=height, width=width, empty=0.2, frame_height=self.WHOLE[0])
        first = 10_000 + (n * self.processes + self.rank) * self.size + self.seed * 1_000_003
        made = []
        for i in range(max(1, self.size // 4) if whole else self.size):
            clean, subtitled, drawn = make(first + i)
            clean, subtitled = torch.from_numpy(clean).float() / 255, torch.from_numpy(subtitled).float() / 255
            if self.exact:
                mask = torch.from_numpy(drawn).float()
            else:
                mask = pseudo_labels.labels(subtitled, clean)
                mask *= pseudo_labels.worth_training(mask)[
                    :, None, None
                ]  # a frame without a subtitle teaches that there is none
            made.append((subtitled[0].permute(2, 0, 1), clean[0].permute(2, 0, 1), mask))
        return _collate(made)


def _identity(report: PairReport, frames: list[int]) -> str:
    """Changes with the frames that are taken and with what is in the files, wherever they lie and whenever they were
    copied."""
    digest = hashlib.sha256(f"{report.frames} {frames}".encode())
    for path in map(Path, (report.pair.subtitled, report.pair.clean)):
        try:
            with path.open("rb") as file:
                size = path.stat().st_size
                digest.update(f" {size} ".encode() + file.read(_ENDS))
                file.seek(max(0, size - _ENDS))
                digest.update(file.read(_ENDS))
        except OSError as error:
            raise ClearError(
                f"{path} can no longer be read ({error.strerror}). See whether it is still there, then start again."
            ) from error
    return digest.hexdigest()[:16]


def _listed(names: set[str]) -> str:
    """The first of some names, and how many there are where these are not all."""
    first = ", ".join(sorted(names)[:4])
    return first if len(names) <= 4 else f"{first} and {len(names) - 4} more"


def _spread(kept: tuple[int, ...]) -> list[int]:
    step = max(1.0, len(kept) / FRAMES_PER_PAIR)
    return [kept[int(i * step)] for i in range(min(len(kept), FRAMES_PER_PAIR))]


def _collate(frames: list[tuple[Tensor, Tensor, Tensor]]) -> Batch:
    return Batch(*(torch.stack(parts) for parts in zip(*frames)))
