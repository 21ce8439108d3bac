"""What the pipeline asks of an engine: a network, or anything else, that paints what was under a subtitle.

An engine is given a piece of the video at the height of pixels: frames, holes, and the piece's place in the video. What
it needs and can is said by its Needs; the pipeline knows no engine's name. CLEAR (clear.py), MiniMax-Remover
(minimax.py), the plain fill (plain_fill.py) and the bundled model (nano/engine.py) are engines.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from ..frames.region import Region
from ..frames.windows import Window

OnStage = Callable[[str, int], None]
"""(stage, steps done): "encode", "sample" or "decode" and how many of the engine's steps lie behind; what it raises
ends the run."""


@dataclass(frozen=True)
class Needs:
    """What an engine needs of the pipeline.

    multiple: the sides of its frames are multiples of so many pixels. group: it takes group * k + 1 frames; the last
    one is repeated to fill up. scaled: whether large frames may be scaled down for it; max_pixels, context: of the
    scaled frame and around the subtitle, the most that it can make use of. control, region: what it is given unless the
    user says otherwise (engines/control.py, frames/windows.py). finds_text: whether it finds the text by itself in
    frames as they are, so that what it took away is text. tells_changes: whether it can say what it changed
    (Painted.changed). holes: whether it paints holes and nothing else: it is shown where they are, whatever control the
    user says, and changes nothing beyond them. recolours: its pictures differ a little in colour from what it was
    given, everywhere, so that new pixels have to be matched to those around them. goes_on: whether it can go on from
    what the window before has painted. fades: where it paints each frame by itself, the share of
    the overlap that is asked for over which one window goes over into the next; what else the two have in common it is
    shown and need not paint twice (Piece.unpainted). None: over all that they have in common.
    """

    multiple: int = 1
    group: int = 1
    scaled: bool = True
    max_pixels: float = math.inf
    context: float = math.inf
    control: str = "as is"
    region: str = "whole frame"
    finds_text: bool = False
    tells_changes: bool = False
    holes: bool = False
    recolours: bool = False
    goes_on: bool = False
    fades: float | None = None


@dataclass(frozen=True)
class Piece:
    """A window in time and a rectangle of the working canvas.

    frames: [T, h, w, 3] float32 in 0..1 on the CPU, T and sides as the engine needs them: as they are, or with the
    holes filled in, where `filled` says so. source: the same, never filled. holes: [T, h, w] bool, where something is
    to be replaced. window: the frames of the video that it stands for. region: the rectangle of a canvas of (height,
    width) pixels. whole: whether its whole picture is wanted, and not only what is under the holes. differs: whether it
    shall say what it changed. again: whether the frames are its own result, in whose holes something can still be read.
    painted: [group * k + 1, h, w, 3], the first frames as the window before has left them, where the engine shall go on
    from these; the first half of them is not painted anew (frames/windows.py, kept). unpainted: so many frames at
    the beginning are not wanted, for the window before has them: they only show what others lend from.
    """

    frames: Tensor
    source: Tensor
    holes: Tensor
    window: Window
    region: Region
    canvas: tuple[int, int]
    filled: bool = False
    whole: bool = False
    differs: bool = False
    again: bool = False
    painted: Tensor | None = None
    unpainted: int = 0


@dataclass(frozen=True)
class Painted:
    """What an engine makes of a piece. frames: [T, h, w, 3], its picture; or, where `onto`, what is to be added onto
    the frames that it was given, so that what these have of detail stays. changed: [T, h, w] float, 1 where it changed
    something, if it was asked and can tell."""

    frames: Tensor
    onto: bool = False
    changed: Tensor | None = None


class Engine(Protocol):
    """Paints pieces."""

    needs: Needs
    steps: int
    """Steps that a piece takes: the unit of progress."""

    def paint(self, piece: Piece, seed: int, on_stage: OnStage) -> Painted:
        """The piece without its subtitle. The same seed and place give the same picture, wherever the video was cut."""
        ...
