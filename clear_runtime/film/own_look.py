"""How a film's own subtitles look, as the style that burns such lines: size, colour, outline and place.

What the finder says of the film's lines is compared with what it says of lines that are burned onto the film's own
frames: whatever it sees too large or too wide, it sees so in both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import ndimage

from ..data.synthetic.burn_style import BurnStyle
from ..data.synthetic.burner import burn_clip
from ..find.marks import Prior, find_text
from ..find.report import Line, lines_of
from .marks_file import MarksFile
from .plan import Plan, reported
from .planned_marks import PlannedMarks
from .source import Source

SAMPLES = 24
"""Lines that are looked at."""
NEAR = 60
"""Distance in RGB levels within which a pixel has a colour: compression and soft edges leave so much."""
BIN = 32
"""Levels of a channel that are counted as one when a colour is looked for."""
TRIED = 24
"""The most frequent colours among which one is chosen."""
SHARE = 0.05
"""Of what is marked, that the second colour takes at least."""
BESIDE = 6
"""Pixels from the marks from where on the scene is alone."""
OFTEN = 0.6
"""Share of the lines in which it does: a dark scene is behind some of them."""
EM = 0.9
"""Size of a font over the height of its letters with their outline, to begin with."""
LINES, ROUNDS = 3, 2
"""How many lines are burned for comparison, and how often: a wider outline grows the letters too."""
BURNED = 12
"""Frames of the lines that are burned for comparison."""


Colour = tuple[int, int, int]
Seen = Sequence[tuple[np.ndarray, np.ndarray]]
"""Frames [H, W, 3] uint8, each with its marks [H, W] bool, outlines among them."""


@dataclass(frozen=True)
class OwnLook:
    """letter, top, bottom: medians of the lines, in pixels of the frame. fill, edge: colours of letters and outline,
    0..255, edge None without one; width: of the outline in pixels."""

    letter: float
    top: float
    bottom: float
    fill: Colour
    edge: Colour | None
    width: float


def own_style(
    source: Source, plan: Plan, marks: MarksFile, prior: Prior, base: BurnStyle, clean: Callable[[], torch.Tensor]
) -> BurnStyle:
    """The style that burns lines as the film's own: script and font are `base`'s, the rest is measured. clean: asked
    for BURNED frames without text [T, H, W, 3] float. The plan has lines that go; where nothing of them is marked, it
    is `base` itself."""
    seen = _of_film(source, plan, marks)
    if seen is None:
        return replace(base, file="", look="as set")
    style = _styled(seen, base, source.size)
    frames = clean()
    for _ in range(ROUNDS):
        again = _of_burned(frames, style, prior)
        style = style if again is None else _corrected(style, seen, again, source.size[0])
    return style


def _of_film(source: Source, plan: Plan, marks: MarksFile) -> OwnLook | None:
    lines = [line for line in plan.removed if line.stop - line.first > 2]
    lines = (lines or plan.removed)[:: max(1, len(lines) // SAMPLES)]
    marked, clock = PlannedMarks(plan, marks, source.size), marks.clock()
    shown = sorted({(line.first + line.stop) // 2 for line in lines})

    def pictures():
        for t in shown:
            with closing(source.frames(t, clock.at(t))) as frames:
                yield _levels(next(frames).pixels), marked(t).numpy()

    return _measured([reported(line) for line in plan.removed], pictures())


def _of_burned(clean: torch.Tensor, style: BurnStyle, prior: Prior) -> OwnLook | None:
    """What the finder says of lines burned onto frames [T, H, W, 3]; None where it sees none."""
    lines: list[Line] = []
    pictures = []
    for seed in range(LINES):
        frames, _ = burn_clip(clean, style, 24, seed=seed)
        finding = find_text(list(frames), prior, lenient=True)
        going = [one for one in finding.found if finding.goes(one)]
        lines += [line for line, _ in lines_of(going, finding.finder.scales)]
        pictures.append((_levels(frames[len(frames) // 2]), finding.marks(len(frames) // 2).numpy()))
    return _measured(lines, pictures)


def _levels(frame: torch.Tensor) -> np.ndarray:
    return (frame.float().clamp(0, 1) * 255).round().byte().numpy()


def _measured(lines: Sequence[Line], pictures: Iterable[tuple[np.ndarray, np.ndarray]]) -> OwnLook | None:
    """pictures: as in Seen. None where nothing is marked in any."""
    seen = [(frame, marks) for frame, marks in pictures if marks.any()]
    if not seen:
        return None
    single = [line for line in lines if line.rows == 1] or lines  # the edges of two rows say less of a letter
    median = lambda of: float(np.median([of(line) for line in single]))
    fill, edge = _colours(seen)
    return OwnLook(
        median(lambda line: line.letter),
        median(lambda line: line.box[1]),
        median(lambda line: line.box[1] + line.box[3]),
        fill,
        edge,
        0.0 if edge is None else float(np.median([_width(frame, marks, fill, edge) for frame, marks in seen])),
    )


def _colours(seen: Seen) -> tuple[Colour, Colour | None]:
    """Of the letters, and of their outline where there is one: the two that what is marked has more of than what is
    around it, in most lines; the letters' is deeper inside."""
    inside = np.concatenate([frame[marks] for frame, marks in seen])
    around = np.concatenate([frame[_around(marks)] for frame, marks in seen])
    first, _ = _own(inside, around)
    second, more = _own(inside[~_near(inside, first)], around, len(inside))
    if more < SHARE or np.mean([_near(frame[marks], second).mean() > SHARE for frame, marks in seen]) < OFTEN:
        return first, None
    deep = [ndimage.distance_transform_edt(marks) for _, marks in seen]
    depth = lambda colour: np.concatenate(
        [far[marks & _near(frame, colour)] for (frame, marks), far in zip(seen, deep)]
    ).mean()
    return (first, second) if depth(first) >= depth(second) else (second, first)


def _around(marks: np.ndarray) -> np.ndarray:
    """What is beside the marks, and not next to them."""
    near, far = (ndimage.binary_dilation(marks, iterations=reach) for reach in (BESIDE, 4 * BESIDE))
    return far & ~near


def _own(inside: np.ndarray, around: np.ndarray, whole: int | None = None) -> tuple[Colour, float]:
    """The colour that pixels [n, 3] have more of than others [m, 3] do, and by what share. whole: of how many they are
    a part."""
    if not len(inside):
        return (0, 0, 0), 0.0
    bins, counts = np.unique(inside // BIN, axis=0, return_counts=True)
    often = bins[np.argsort(-counts)[:TRIED]] * BIN + BIN // 2
    share = lambda pixels, colour, of: _near(pixels, colour).sum() / max(1, of)
    more = [share(inside, c, whole or len(inside)) - share(around, c, len(around)) for c in often]
    best = int(np.argmax(more))
    red, green, blue = np.median(inside[_near(inside, often[best])], axis=0).round().astype(int).tolist()
    return (red, green, blue), float(more[best])


def _near(pixels: np.ndarray, colour) -> np.ndarray:
    return np.linalg.norm(pixels.astype(np.float32) - np.asarray(colour, np.float32), axis=-1) < NEAR


def _width(frame: np.ndarray, marks: np.ndarray, fill, edge) -> float:
    """Pixels of an outline: twice its area over the length of the letters' rim would be; here, twice how far its pixels
    are from the letters on average."""
    letters = marks & _near(frame, fill)
    if not letters.any():
        return 0.0
    rim = marks & _near(frame, edge)
    return float(2 * ndimage.distance_transform_edt(~letters)[rim].mean() - 1) if rim.any() else 0.0


def _styled(seen: OwnLook, base: BurnStyle, size: tuple[int, int]) -> BurnStyle:
    height = size[0]
    em = seen.letter * EM
    above, below = seen.top, height - seen.bottom
    middle = (seen.top + seen.bottom) / 2 / height
    position = "bottom" if middle > 0.6 else "top" if middle < 0.4 else "middle"
    margin = below if position == "bottom" else above if position == "top" else 0.0
    return replace(
        base,
        file="",
        look="as set",
        size=float(np.clip(100 * em / height, 1, 40)),
        colour=_text(seen.fill),
        outline=0.0 if seen.edge is None else float(np.clip(100 * seen.width / em, 0, 40)),
        outline_colour=_text(seen.edge or (0, 0, 0)),
        shadow=0.0,
        box_opacity=0.0,
        opacity=1.0,
        position=position,
        margin=float(np.clip(100 * margin / height, 0, 45)),
    )


def _corrected(style: BurnStyle, seen: OwnLook, burned: OwnLook, height: int) -> BurnStyle:
    """The style by which what was burned would have been seen as the film's lines are."""
    ratio: Callable[[float, float], float] = lambda one, other: float(np.clip(one / max(1e-6, other), 0.5, 2))
    moved = {"bottom": burned.bottom - seen.bottom, "top": seen.top - burned.top, "middle": 0.0}[style.position]
    grown = ratio(seen.letter, burned.letter)
    wide = ratio(seen.width, burned.width) / grown if seen.width and burned.width else 1.0
    return replace(
        style,
        size=float(np.clip(round(style.size * grown, 2), 1, 40)),
        outline=float(np.clip(round(style.outline * wide, 1), 0, 40)),
        margin=float(np.clip(round(style.margin + 100 * moved / height, 1), 0, 45)),
    )


def _text(colour: Colour) -> str:
    return "#" + "".join(f"{level:02x}" for level in colour)
