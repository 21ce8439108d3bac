"""A generated film of small frames with two lines and a cut, and a prior that knows its letters."""

from functools import cache
from pathlib import Path

import drawn_rows
import torch

from clear_runtime.engines.engine import Needs, Painted
from clear_runtime.film.options import RemoveFilmOptions
from clear_runtime.film.output import work_of
from clear_runtime.film.run import Job
from clear_runtime.media.video import read_timed_frames
from clear_runtime.media.writer import VideoWriter

HEIGHT, WIDTH = 64, 112
LINES = ((40, 90), (150, 230), (310, 330))
CUT, FRAMES = 200, 340
BRIEF = 130
"""Frames of its beginning, with the first line alone."""
OPTIONS = dict(window=17, overlap=4, grow=0, second_look=False, boxes="keep", mask_from="prior", feather=0)


def letters(line: int) -> torch.Tensor:
    """The pixels of a line [H, W] bool; other letters in each."""
    return torch.from_numpy(drawn_rows.at(drawn_rows.letters(line + 1, 7), 46, 8, (HEIGHT, WIDTH)))


@cache
def _scene(shot: int) -> torch.Tensor:
    return torch.from_numpy(drawn_rows.scene(1, size=(HEIGHT, WIDTH + 100), seed=shot)[0]).float()


def frame(t: int) -> torch.Tensor:
    """Frame t [H, W, 3]: a picture that moves a pixel in four frames, another one from the cut on, and a line where
    there is one."""
    left = t // 4
    picture = 0.1 + 0.5 * _scene(int(t >= CUT))[:, left : left + WIDTH, None].repeat(1, 1, 3)
    for n, (first, stop) in enumerate(LINES):
        if first <= t < stop:
            picture[letters(n)] = 1.0
    return picture


def write_film(path: Path, frames: int = FRAMES, audio=True, seekable: int | None = None) -> Path:
    sound = (torch.sin(torch.arange(frames * 1920) / 30).repeat(2, 1) * 0.3, 48000) if audio else None
    with VideoWriter(path, WIDTH, HEIGHT, 25, crf=2, audio=sound, seekable=seekable) as writer:
        for t in range(frames):
            writer.write(frame(t))
    return path


def white(frames: torch.Tensor) -> torch.Tensor:
    """A prior that takes for text what is brighter than any scene."""
    return ((frames.mean(-1) - 0.7) / 0.25).clamp(0, 1)


class Noisy:
    """An engine whose picture depends on the frame's number and the seed: another window start would show."""

    needs, steps = Needs(group=4, region="subtitle band"), 1

    def __init__(self):
        self.windows = []

    def paint(self, piece, seed, on_stage):
        self.windows.append((piece.window.start, piece.window.stop))
        on_stage("sample", 1)
        out = piece.frames.clone()
        for t in range(len(out)):
            number = seed * 1000 + min(piece.window.start + t, piece.window.stop - 1)
            noise = torch.rand(out[t].shape, generator=torch.Generator().manual_seed(number))
            out[t] = 0.3 + 0.2 * noise
        return Painted(out)


class Grey:
    """An engine that paints one grey: where a test is about files, and not about what is painted."""

    needs, steps = Needs(region="subtitle band"), 1

    def paint(self, piece, seed, on_stage):
        on_stage("sample", 1)
        return Painted(torch.full_like(piece.frames, 0.5))


def job(source: Path, target: Path, engine=None, **changes) -> Job:
    asked = {**OPTIONS, **{name: changes.pop(name) for name in list(changes) if name not in Job.__dataclass_fields__}}
    from clear_runtime.option import made_of  # the options' own way of being made of names

    given = dict(
        source=source,
        work=work_of(target),
        target=lambda: target,
        engine=engine or Noisy(),
        prior=white,
        options=made_of(RemoveFilmOptions, asked),
    )
    return Job(**{**given, **changes})


def read(path) -> tuple[list, torch.Tensor]:
    """Times and frames [T, H, W, 3] of a file."""
    times, frames = zip(*read_timed_frames(path))
    return list(times), torch.stack(frames)


class Stopped(Exception):
    """What a user's Cancel raises."""
