"""Training clips as latents on disk, so that VAE, prior and text encoder are off the card while the LoRA trains."""

from __future__ import annotations

import hashlib
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from math import prod
from pathlib import Path
from typing import NamedTuple, Protocol

import torch
from safetensors import safe_open
from torch import Tensor

from ...checkpoint import write_tensors
from ...data.clips import Clip, Clips
from ...engines.codec import Codec
from ...engines.control import CONTROLS, prefilled
from ...engines.schedule import SHIFT, sigmas
from ...errors import ClearError
from ...find.marks import marks_of
from ...find.options import MarkOptions
from ...frames.latent_grid import frames_to_cells
from ...wan import GROUP, SPATIAL, latent_frames
from ..processes import Processes
from .painted import PAINTED, painted_over

log = logging.getLogger(__name__)

_STORED = {"as is": "subtitled", "prefilled": "filled"}  # control -> its latents in a file
_VERSION = "1"  # of what a file holds
_TRIES = 20  # crops of the clip that is shown, until one has a subtitle in it
_NEAR = 0.8  # share of the crops that are laid around a subtitled cell; the others keep what has none as it is
_ENOUGH = 4  # clips to train on when others are held back
_SIZES_SAID = 8  # of examples, in a report
_PATIENCE = (
    60.0  # seconds until a shared drive shows what another machine wrote: they remember a folder's list for a while
)


class Sample(NamedTuple):
    """One training example. clean, control, noise [16, t, h, w] in model space; m_prior [t, h, w] in 0..1; sigma a
    number."""

    clean: Tensor
    control: Tensor
    noise: Tensor
    m_prior: Tensor
    sigma: Tensor


def encode_clips(
    folder: str | Path,
    clips: Clips,
    codec: Codec,
    prior,
    made_by: str,
    on_clip: Callable[[int, int], None] | None = None,
    processes: Processes | None = None,
    painted: bool = False,
) -> list[Path]:
    """One file for each clip: latents of the clean, the subtitled and the prefilled frames (float16), and M_prior on
    their grid; where asked for, those of the subtitled frames painted over in each way of PAINTED, and the mask of it.

    Only what is missing is encoded, each of several processes a part of it. A file's name comes from the clip's
    identity and from `made_by` (the fingerprints of codec and prior), so what changed is encoded anew; files of the
    folder that no clip needs any more go. on_clip(done, count) is called after each and may raise to stop: what is
    encoded stays.

    With several processes the main one names the files and says which are missing: other machines may have the videos
    elsewhere and with other times, which changes their identities, and see the folder as it was a while ago.
    """
    folder, processes = Path(folder), processes or Processes(alone=True)
    folder.mkdir(parents=True, exist_ok=True)
    names, missing = processes.shared(_planned(folder, clips, _made(made_by, painted)) if processes.main else None)
    if processes.any(len(names) != len(clips.identities)):
        raise ClearError(
            f"The machines do not see the same videos: the first has {len(names)} clips and this one "
            f"{len(clips.identities)}. Give all of them the same files."
        )
    paths = [folder / name for name in names]
    if missing and processes.main:
        log.info("encoding %d of %d clips", len(missing), len(paths))
    done = len(paths) - len(missing)
    for i, clip in clips.read(processes.part(missing)):
        write_tensors(paths[i], _encoded(clip, codec, prior, int(names[i][:8], 16) if painted else None))
        done += processes.count  # the others are about as far
        if on_clip:
            on_clip(min(done, len(paths)), len(paths))
    processes.wait()
    patience = time.monotonic() + (_PATIENCE if processes.count > 1 else 0)
    while not _all_there(folder, names):
        if time.monotonic() < patience:
            time.sleep(1)
            continue
        raise ClearError(
            f"{folder} holds what this process encoded, and not what the others did. Choose a folder that every "
            f"machine sees, on a drive that they share."
        )
    return paths


def clip_files(folder: str | Path, clips: Clips, made_by: str, painted: bool = False) -> list[Path]:
    """Where encode_clips puts each clip."""
    made_by = _made(made_by, painted)
    return [
        Path(folder) / f"{hashlib.sha256(f'{_VERSION} {made_by} {identity}'.encode()).hexdigest()[:32]}.safetensors"
        for identity in clips.identities
    ]


def _made(made_by: str, painted: bool) -> str:
    return f"{made_by} painted" if painted else made_by


def _planned(folder: Path, clips: Clips, made_by: str) -> tuple[list[str], list[int]]:
    """Names of the clips' files, and the numbers of those that are missing; what no clip needs is gone then."""
    names = [path.name for path in clip_files(folder, clips, made_by)]
    for old in {path.name for path in folder.glob("*.safetensors")} - set(names):
        (folder / old).unlink(missing_ok=True)
    return names, [i for i, name in enumerate(names) if not (folder / name).exists()]


def _all_there(folder: Path, names: list[str]) -> bool:
    return set(names) <= {path.name for path in folder.iterdir()}


@torch.no_grad()
def _encoded(clip: Clip, codec: Codec, prior, seed: int | None = None) -> dict[str, Tensor]:
    """seed: of the colour that is painted with; None for nothing painted."""
    multiple = 2 * codec.spatial
    frames, height, width = clip.subtitled.shape[:3]
    if frames % codec.temporal != 1 or height % multiple or width % multiple:
        raise ClearError(
            f"A training clip has {frames} frames of {width}x{height} pixels; this VAE takes {codec.temporal}k + 1 "
            f"frames and sides that are multiples of {multiple}."
        )
    options = MarkOptions()
    mask, marks = marks_of(clip.subtitled, prior, options, lenient=True)
    holes = marks.float()
    latents = {"clean": codec.encode(clip.clean), "subtitled": codec.encode(clip.subtitled)}
    latents["filled"] = codec.encode(prefilled(clip.subtitled, holes)) if holes.any() else latents["subtitled"]
    more = {}
    if seed is not None:
        ways, hard = painted_over(clip.subtitled, mask, seed)
        latents |= {name: codec.encode(frames) for name, frames in ways.items()}
        more["m_hard"] = frames_to_cells(hard, codec.spatial, codec.temporal).half()
    return {
        **{name: value[0].half().clone() for name, value in latents.items()},
        "m_prior": frames_to_cells(mask, codec.spatial, codec.temporal).half(),
        **more,
    }


def latent_size(crop: tuple[int, int, int], spatial: int, temporal: int = GROUP) -> tuple[int, int, int]:
    """Latent frames, height and width of so many frames, pixels and pixels; the sides even, as the transformer's
    patches want them."""
    return latent_frames(crop[0], temporal), crop[1] // spatial // 2 * 2, crop[2] // spatial // 2 * 2


def largest_example(
    crop: tuple[int, int, int], clips: Iterable[tuple[int, int, int]], spatial: int = SPATIAL, temporal: int = GROUP
) -> tuple[int, int, int]:
    """Latent frames, height and width of the largest example that such a crop gives of clips of these sizes; both in
    frames and pixels."""
    return max((latent_size(_within(crop, clip), spatial, temporal) for clip in clips), key=prod)


def _within(crop: tuple[int, int, int], clip: tuple[int, int, int]) -> tuple[int, int, int]:
    """What a crop of that size takes of a clip of this one."""
    return min(crop[0], clip[0]), min(crop[1], clip[1]), min(crop[2], clip[2])


class Examples(Protocol):
    """What is trained on: example k is a pure function of k. size: latent frames, height and width of the largest.
    spatial: pixels of a latent cell's side. changed: a sentence, when a checkpoint learned from others."""

    size: tuple[int, int, int]
    spatial: int
    changed: str

    def __getitem__(self, k: int) -> Sample: ...

    def example(self) -> Sample:
        """The one to look at."""

    def state_dict(self) -> dict: ...

    def load_state_dict(self, state: Mapping) -> None: ...


class LatentClips:
    """Training examples from encoded clips. Example k is a pure function of (seed, k), so a stopped run goes on with
    the very next one.

    crop: frames, height and width in pixels; cut from the latents, around a cell with subtitle in four of five
    examples. What is larger than a clip means the whole clip: a short video, or one of another shape, gives smaller
    examples. batch: so many examples, from a multiple of it on, have one size, as they are computed together; the clips
    of all other sizes have their own batches. held_back: clips at the end that are not trained on, where enough others
    remain; the last is the one to look at. control: "as is", "prefilled" or "both" (each half of the time).
    painted: in 60 % of the examples it is a control that is painted over, and the mask is the hard one of that.
    sampler_steps, at_steps: that share of the noise levels is one of the sampler's own; the others are uniform before
    the shift.

    sizes: latent frames, height and width of the examples that there can be, largest first. size: the first of them.
    """

    def __init__(
        self,
        paths: list[Path],
        codec_spatial: int,
        crop: tuple[int, int, int],
        control: str,
        seed: int = 0,
        sampler_steps: int = 5,
        at_steps: float = 0.5,
        temporal: int = GROUP,
        batch: int = 1,
        held_back: int = 1,
        painted: bool = False,
    ):
        if control not in (*CONTROLS, "both"):
            raise ClearError(f"There is no control {control!r}; choose {', '.join(CONTROLS)} or both.")
        if not paths:
            raise ClearError("There are no clips to train on.")
        self.paths, self.control, self.seed, self.batch = list(paths), control, seed, batch
        self.painted = painted
        self.spatial, self.temporal = codec_spatial, temporal
        self.levels, self.at_steps = sigmas(sampler_steps)[:-1].tolist(), at_steps
        asked = latent_size(crop, codec_spatial, temporal)
        self._size = {path: _within(asked, self._shape(path)) for path in self.paths}
        self.sizes = sorted(set(self._size.values()), key=lambda size: (prod(size), size), reverse=True)
        self.size = self.sizes[0]
        self.changed = ""  # a sentence, when a checkpoint learned from other clips
        self.shown = len(self.paths) - 1
        self.trained = self.paths[:-held_back] if len(self.paths) - held_back >= _ENOUGH else self.paths
        self._alike = {size: [path for path in self.trained if self._size[path] == size] for size in self.sizes}

    @staticmethod
    def _shape(path: Path) -> tuple[int, int, int]:
        with _open(path) as file:
            return tuple(file.get_slice("m_prior").get_shape())

    def __getitem__(self, k: int) -> Sample:
        rng = random.Random(f"{self.seed} {k}")
        return self._cut(rng.choice(self._mates(k)), rng, self._shown(rng), self._sigma(rng))

    def _shown(self, rng: random.Random) -> str:
        """What an example is shown: a control, or a way of painting over it."""
        control = self.control if self.control != "both" else rng.choice(tuple(CONTROLS))
        if not self.painted:
            return control
        at = rng.random()
        for name, share in PAINTED.items():
            if at < share:
                return name
            at -= share
        return control

    def _mates(self, k: int) -> list[Path]:
        """The clips that example k may be cut from: those of the size of one that is drawn for its batch, so that each
        clip comes equally often."""
        return self._alike[self._size[random.Random(f"{self.seed} batch {k // self.batch}").choice(self.trained)]]

    def sizes_in_words(self) -> str:
        """The sizes of examples that occur, in frames and pixels, largest first."""
        shown = [
            f"{(t - 1) * self.temporal + 1} frames of {w * self.spatial}x{h * self.spatial} pixels"
            for t, h, w in self.sizes
        ]
        return ", ".join(shown[:_SIZES_SAID]) + (
            f" and {len(shown) - _SIZES_SAID} smaller sizes" if len(shown) > _SIZES_SAID else ""
        )

    def state_dict(self) -> dict:
        """Which clips they are, for a checkpoint."""
        return {"names": [path.stem for path in self.paths]}

    def load_state_dict(self, state: Mapping) -> None:
        """Say so when a checkpoint learned from others; a run goes on with those that there are now."""
        before, now = set(state["names"]), {path.stem for path in self.paths}
        if before != now:
            self.changed = (
                f"The clips are not those of the last start: of {len(now)}, {len(now - before)} are new or changed, "
                f"and {len(before - now)} of the {len(before)} then are gone. The run goes on with those of now."
            )
            log.warning("%s", self.changed)

    def example(self) -> Sample:
        """The same crop of the clip that is shown, from pure noise: the first of some that has a subtitle in it, or the
        last of them."""
        control = "as is" if self.control == "both" else self.control
        for k in range(_TRIES):
            sample = self._cut(self.paths[self.shown], random.Random(f"{self.seed} example {k}"), control, 1.0)
            if sample.m_prior.max() > MarkOptions.threshold:
                break
        return sample

    def _sigma(self, rng: random.Random) -> float:
        if rng.random() < self.at_steps:
            return rng.choice(self.levels)
        u = 1 - rng.random()
        return SHIFT * u / (1 + (SHIFT - 1) * u)

    def _cut(self, path: Path, rng: random.Random, control: str, sigma: float) -> Sample:
        t, h, w = self._size[path]
        with _open(path) as file:
            mask = file.get_tensor("m_hard" if self.painted else "m_prior").float()
            first = rng.randrange(mask.shape[0] - t + 1)
            cells = (mask[first : first + t] > MarkOptions.threshold).nonzero()
            near = len(cells) and rng.random() < _NEAR
            y, x = (
                cells[rng.randrange(len(cells))].tolist()[1:]
                if near
                else (rng.randrange(mask.shape[1]), rng.randrange(mask.shape[2]))
            )
            top, left = (
                max(0, min(side - part, at - rng.randrange(part))) // 2 * 2
                for at, part, side in ((y, h, mask.shape[1]), (x, w, mask.shape[2]))
            )
            part = (slice(first, first + t), slice(top, top + h), slice(left, left + w))
            all_channels = (slice(None), *part)
            clean, shown = (
                file.get_slice(name)[all_channels].float() for name in ("clean", _STORED.get(control, control))
            )
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(rng.randrange(2**63)))
        return Sample(clean, shown, noise, mask[part].clone(), torch.tensor(sigma))


def _open(path: Path):
    return safe_open(str(path), "pt")
