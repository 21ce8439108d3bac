"""Find lines of every script, width, height and style with the whole finder, and score its marks.

    python -m clear_runtime bench lines --data FOLDER [--prior FILE] [--count 4] [--only NAME ...]
        [--without RULE ...] [--out FOLDER] [--json FILE]

Each clip is a moving scene of held-back pictures, two seconds of 640x352 at 25 frames a second, in which two lines of
held-back fonts in one look take turns, each for three quarters of a second; then x264 at a constant rate factor of 20.
Clips are left out in which a line stands in a corner, which is kept by a rule, or can hardly be read. Printed for each
kind of line: recall, the share of the letters' pixels (with outline, shadow and glow) that is replaced; IoU and
precision of the marks as they are found, not widened; and how many of the lines are left whole, that is, of which less
than half was found. --out draws two frames of each clip: green where marks are right, red what they miss, magenta what
should not be marked. --without says what a rule of the finder is worth (find/rules.py). A clip takes ten seconds of one
core.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from ..data.synthetic import sources
from ..data.synthetic.layouts import KINDS as LAYOUTS
from ..data.synthetic.letters import Overlay
from ..data.synthetic.pairs import PairMaker
from ..data.synthetic.scripts import TRAINED, UNSEEN
from ..errors import ClearError
from ..find.case import WhichRules
from ..find.marks import Finding, Prior, find_text
from ..find.options import MarkOptions
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..find.rules import SWITCHES as SWITCHES  # for the command line's choices
from ..find.rules import Rules
from ..metrics import Overlap
from .compression import stored
from .figures import write_json
from .prior_text import HEIGHTS, SIZE, STYLES, WIDTHS, of_height, of_kind, of_width, styled

log = logging.getLogger(__name__)

FRAMES, SPANS, CRF = 48, ((4, 23), (25, 44)), 20
READABLE = 1.0
"""How much the letters change of what is under them at least, over how much that differs there."""
CORNER = WhichRules.corner
RIGHT, MISSED, WRONG = (40, 220, 90), (255, 40, 40), (255, 0, 255)


class Kind(NamedTuple):
    """group: which table it stands in. scripts: of its letters. text: draws the options of random_text."""

    group: str
    scripts: tuple[str, ...]
    text: Callable[[random.Random], dict]


class LetteredClip(NamedTuple):
    """frames [T, H, W, 3] in 0..1 as they were stored, and the letters [T, H, W] bool."""

    frames: torch.Tensor
    letters: np.ndarray


@dataclass(frozen=True)
class Figures:
    """Shares in 0..1, and how many of the lines were left."""

    recall: float
    iou: float
    precision: float
    left: int
    lines: int


def _of_script(rng: random.Random) -> dict:
    return {"kind": rng.choice(("line", "short", "rows")), "size": rng.uniform(14, 34)}


def _kinds() -> dict[str, Kind]:
    bound = lambda draw, value: lambda rng: draw(value, rng)
    return {
        **{script: Kind("script", (script,), _of_script) for script in (*TRAINED, *UNSEEN)},
        **{f"{w} px wide": Kind("width of a line", TRAINED, bound(of_width, w)) for w in WIDTHS},
        **{f"{h} px high": Kind("height of capitals", TRAINED, bound(of_height, h)) for h in HEIGHTS},
        **{name: Kind("style", TRAINED, bound(styled, look)) for name, look in STYLES.items()},
        **{f"layout: {kind}": Kind("layout", TRAINED, bound(of_kind, kind)) for kind in LAYOUTS},
    }


KINDS = _kinds()
"""All that are measured, by name."""


def clips(maker: PairMaker, name: str, kind: Kind, count: int) -> Iterator[LetteredClip]:
    """`count` clips of a kind, of lines that a person could read and that stand in no corner."""
    maker.scripts, found, seed = kind.scripts, 0, 0
    while found < count and seed < 30 * count:
        drawn = maker.lines(f"{name} {seed}", FRAMES, *SIZE, SPANS, **kind.text(random.Random(f"{name} of {seed}")))
        seed += 1
        if all(_readable(drawn.clean, drawn.subtitled, part, span) for part, span in _lines(drawn.mask)) and not any(
            _cornered(overlay) for overlay in drawn.overlays
        ):
            found += 1
            yield LetteredClip(stored(torch.from_numpy(drawn.subtitled).float() / 255, CRF), drawn.mask)


def _lines(letters: np.ndarray) -> Iterator[tuple[np.ndarray, tuple[int, int]]]:
    """What each line shows [t, H, W], and when."""
    for first, stop in SPANS:
        yield letters[first:stop], (first, stop)


def _readable(clean: np.ndarray, subtitled: np.ndarray, letters: np.ndarray, span: tuple[int, int]) -> bool:
    for t in (0, (span[1] - span[0]) // 2, span[1] - span[0] - 1):
        lines, columns = np.flatnonzero(letters[t].any(1)), np.flatnonzero(letters[t].any(0))
        if not len(lines):
            return False
        box = slice(lines[0], lines[-1] + 1), slice(columns[0], columns[-1] + 1)
        under, seen = (frames[span[0] + t][box].astype(np.float32) for frames in (clean, subtitled))
        change = np.abs(seen - under).max(-1)[letters[t][box]].mean()
        if change < READABLE * max(22.0, under.std(axis=(0, 1)).max()):
            return False
    return True


def _cornered(overlay: Overlay) -> bool:
    """Whether a text stands in a corner, or is cut by the frame."""
    (height, width), (down, along) = SIZE, CORNER
    left, top = (min(row[n] for row in overlay.rows) for n in (0, 1))
    right, bottom = (max(row[n] for row in overlay.rows) for n in (2, 3))
    if left < 0 or top < 0 or right > width or bottom > height:
        return True
    aside = right <= along * width or left >= (1 - along) * width
    return aside and (bottom <= down * height or top >= (1 - down) * height)


def score(clip: LetteredClip, finding: Finding, whole: Overlap, letters: Overlap) -> int:
    """Add a clip to the overlap of what is replaced and of what was found; how many of its lines are left."""
    as_found = Finding(finding.finder, replace(finding.options, grow=0)).judge()
    replaced, found = (
        np.stack([one.marks(t).numpy() for t in range(len(clip.letters))]) for one in (finding, as_found)
    )
    for overlap, marks in ((whole, replaced), (letters, found)):
        overlap.add(torch.from_numpy(marks), torch.from_numpy(clip.letters))
    return sum(
        int((part & replaced[first:stop]).sum() < 0.5 * part.sum()) for part, (first, stop) in _lines(clip.letters)
    )


def drawn_marks(clip: LetteredClip, finding: Finding) -> Image.Image:
    """A frame of each line over the same with the marks in colours."""
    pictures = []
    for first, stop in SPANS:
        t = (first + stop) // 2
        frame, marks = (clip.frames[t] * 255).byte().numpy(), finding.marks(t).numpy()
        coloured = (frame * 0.5).astype(np.uint8)
        coloured[marks], coloured[clip.letters[t]] = WRONG, MISSED
        coloured[marks & clip.letters[t]] = RIGHT
        pictures.append(np.concatenate([frame, coloured]))
    return Image.fromarray(np.concatenate(pictures, 1))


def run(
    data: Path,
    prior_file: Path = BUNDLED,
    count: int = 4,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    out: Path | None = None,
    figures_in: Path | None = None,
) -> dict[str, dict[str, Figures]]:
    """Score all kinds, or those named in `only`: by rules ("all", or the one that is off), then by kind. Raises
    ClearError for a name that there is not."""
    if unknown := [name for name in only if name not in KINDS]:
        raise ClearError(f"There is no kind of line {unknown[0]!r}. Choose from: {', '.join(KINDS)}.")
    rules = {"all": Rules(), **{f"without {rule}": Rules().without(rule) for rule in without}}
    prior, maker = load_prior(prior_file), _maker(data)
    results: dict[str, dict[str, Figures]] = {name: {} for name in rules}
    if out:
        out.mkdir(parents=True, exist_ok=True)
    for name in only or KINDS:
        for rule, figures in _of_kind(prior, clips(maker, name, KINDS[name], count), rules, out and out / name).items():
            results[rule][name] = figures
        log.info("%-26s %s", name, "  ".join(_cells(results["all"][name])))
    for rule, rows in results.items():
        print(f"\n{table(rows) if rule == 'all' else _differences(rule, results['all'], rows)}")
    if figures_in:
        plain = {rule: {name: asdict(one) for name, one in rows.items()} for rule, rows in results.items()}
        write_json(figures_in, plain)
    return results


def _maker(data: Path) -> PairMaker:
    maker = PairMaker(data, validation=True)
    for script in UNSEEN:  # never trained on, so none of its fonts has been seen
        held_back = (sources.fonts(data, script, held_back) for held_back in (False, True))
        maker.fonts[script] = [(str(path), 0) for paths in held_back for path in paths]
    return maker


def _of_kind(
    prior: Prior, drawn: Iterator[LetteredClip], rules: dict[str, Rules], picture: Path | None
) -> dict[str, Figures]:
    totals: dict[str, tuple[Overlap, Overlap]] = {name: (Overlap(), Overlap()) for name in rules}
    left, lines = dict.fromkeys(rules, 0), 0
    for n, clip in enumerate(drawn):
        lines += len(SPANS)
        with TemporaryDirectory() as folder:
            for name, some in rules.items():
                finding = find_text(clip.frames, prior, MarkOptions(), rules=some, looks=Path(folder) / "looks")
                left[name] += score(clip, finding, *totals[name])
                if picture and name == "all":
                    drawn_marks(clip, finding).save(f"{str(picture).replace(' ', '_').replace(':', '')}_{n}.png")
    return {
        name: Figures(whole.report()["recall"], found.report()["iou"], found.report()["precision"], left[name], lines)
        for name, (whole, found) in totals.items()
    }


def table(rows: dict[str, Figures]) -> str:
    """As Markdown: a row for each kind, and the mean of each group."""
    lines = ["| kind | recall | IoU | precision | left |", "|---|---|---|---|---|"]
    for group in dict.fromkeys(KINDS[name].group for name in rows):
        some = {name: one for name, one in rows.items() if KINDS[name].group == group}
        lines += [f"| {name} | {' | '.join(_cells(one))} |" for name, one in some.items()]
        lines.append(f"| **{group}, mean** | {' | '.join(_cells(_mean(list(some.values()))))} |")
    return "\n".join(lines)


def _mean(rows: Sequence[Figures]) -> Figures:
    recall, iou, precision = (float(np.mean([getattr(one, f) for one in rows])) for f in ("recall", "iou", "precision"))
    return Figures(recall, iou, precision, sum(one.left for one in rows), sum(one.lines for one in rows))


def _differences(rule: str, usual: dict[str, Figures], other: dict[str, Figures]) -> str:
    """What a rule is worth: the mean recall, and the kinds that differ without it."""
    with_it, without = (_mean(list(rows.values())).recall for rows in (usual, other))
    changed = [
        f"{name} {usual[name].recall:.3f} -> {one.recall:.3f}" for name, one in other.items() if one != usual[name]
    ]
    return f"{rule}: mean recall {with_it:.3f} -> {without:.3f}; {', '.join(changed) or 'nothing differs'}"


def _cells(one: Figures) -> list[str]:
    return [f"{one.recall:.3f}", f"{one.iou:.3f}", f"{one.precision:.3f}", f"{one.left} of {one.lines}"]
