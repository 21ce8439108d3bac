"""Find the subtitles of generated clips of every kind, and score what was marked against the exact letters.

    python -m clear_runtime bench rows [--prior FILE] [--only NAME ...] [--without RULE ...] [--out FOLDER]
        [--json FILE]

For each kind of clip (data/synthetic/specimens) it prints, from the marks that the remover would replace, widened as
`grow` says: the share of the letters' pixels (with outline, shadow and glow) that is marked, in the frames in which
they can be read, and the same for the worst frame; the shares of rows of letters, counted once a frame, that are marked
wholly (97 % and more), partly, and not at all (under 3 %); the share of all pixels that is marked more than 6 pixels
from any subtitle and its box; and the share of lettering that must stay that is marked. --out draws frames of each clip
with the marks: green where they are right, red what they miss, blue what stays, magenta what should not be marked. It
takes ten minutes on two CPU cores. --without says what a rule of the finder is worth (find/rules.py): the means with
all of them and without each of those named, and which kinds differ.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..data.synthetic.specimens import RECIPES
from ..data.synthetic.specimens.drawing import Row, Specimen
from ..errors import ClearError
from ..find.marks import Prior, find_text
from ..find.options import MarkOptions
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..find.rules import SWITCHES as SWITCHES  # for the command line's choices
from ..find.rules import Rules
from ..frames.masks import grow
from .figures import write_json

log = logging.getLogger(__name__)

WHOLE, TOUCHED = 0.97, 0.03  # shares of a row's pixels from which on it is marked wholly, or at all
NEAR = 6  # pixels around a subtitle that may be marked
SHOWN = 6  # frames of an overlay strip
STRIP = 2400  # pixels of its width
RIGHT, MISSED, STAYS, WRONG = (40, 220, 90), (255, 40, 40), (60, 120, 255), (255, 0, 255)


@dataclass(frozen=True)
class Figures:
    """Shares in 0..1. recall: of the letters' pixels in rows that can be read; worst: in the worst of the frames; both
    None where no row can. whole, partly, untouched: of these rows. outside: of all pixels. stays: of the lettering that
    must stay; None where there is none."""

    recall: float | None
    worst: float | None
    whole: float | None
    partly: float | None
    untouched: float | None
    outside: float
    stays: float | None


class _Floats:
    """Frames [T, H, W, 3] uint8 that can be gone through twice, one [H, W, 3] float in 0..1 at a time."""

    def __init__(self, frames: np.ndarray):
        self.frames = frames

    def __iter__(self) -> Iterator[Tensor]:
        return (torch.from_numpy(frame).float() / 255 for frame in self.frames)


def marks_on(
    specimen: Specimen,
    prior: Prior,
    options: MarkOptions = MarkOptions(),
    rules: Rules = Rules(),
    looks: Path | None = None,
) -> np.ndarray:
    """What the remover would replace, [T, H, W] bool. looks: a file for what the prior sees at the looks, for another
    time."""
    finding = find_text(_Floats(specimen.frames), prior, options, rules=rules, looks=looks)
    return np.stack([finding.marks(t).numpy() for t in range(len(specimen.frames))])


def figures(specimen: Specimen, marks: np.ndarray) -> Figures:
    """The score of marks [T, H, W] bool."""
    near = grow(torch.from_numpy(specimen.drawn).float(), NEAR).bool().numpy()
    lettering = int(specimen.stays.sum())
    return Figures(
        **_of_rows(specimen, marks),
        outside=float((marks & ~near & ~specimen.stays).mean()),
        stays=float((marks & specimen.stays).sum() / lettering) if lettering else None,
    )


def _of_rows(specimen: Specimen, marks: np.ndarray) -> dict[str, float | None]:
    if not specimen.rows:
        return dict.fromkeys(("recall", "worst", "whole", "partly", "untouched"))
    found = np.array([_found(row, specimen, marks) for row in specimen.rows])
    shares = found[:, 0] / found[:, 1]
    times = np.array([row.frame for row in specimen.rows])
    frames = [found[times == t].sum(0) for t in np.unique(times)]
    whole, untouched = float((shares >= WHOLE).mean()), float((shares < TOUCHED).mean())
    return {
        "recall": float(found[:, 0].sum() / found[:, 1].sum()),
        "worst": float(min(hit / of for hit, of in frames)),
        "whole": whole,
        "partly": max(0.0, 1 - whole - untouched),
        "untouched": untouched,
    }


def _found(row: Row, specimen: Specimen, marks: np.ndarray) -> tuple[int, int]:
    """How many pixels of a row are marked, and how many there are."""
    letters = row.of(specimen.subtitle)
    return int((letters & row.of(marks)).sum()), int(letters.sum())


def strip(specimen: Specimen, marks: np.ndarray) -> Image.Image:
    """Frames side by side over the same with the marks in colours."""
    width = specimen.frames.shape[2]
    times = np.linspace(0, len(specimen.frames) - 1, SHOWN + 2).round().astype(int)[1:-1]
    pictures = []
    for t in times:
        coloured = (specimen.frames[t] * 0.55).astype(np.uint8)
        letters, stays, found = specimen.subtitle[t], specimen.stays[t], marks[t]
        coloured[found] = WRONG
        coloured[found & specimen.drawn[t]] = RIGHT
        coloured[stays & ~found] = STAYS
        coloured[letters & found], coloured[letters & ~found] = RIGHT, MISSED
        pictures.append(np.concatenate([specimen.frames[t], coloured]))
    whole = Image.fromarray(np.concatenate(pictures, 1))
    return whole.resize((STRIP, round(whole.height * STRIP / (width * SHOWN))), Image.Resampling.LANCZOS)


def table(rows: dict[str, Figures]) -> str:
    """As Markdown: a row for each kind of clip, and the mean of each column at the end."""
    lines = [
        "| case | number | recall | worst frame | rows whole | partly | untouched | outside | stays touched |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, one in rows.items():
        lines.append(f"| {name} | {RECIPES[name].number or '–'} | " + " | ".join(_cells(asdict(one))) + " |")
    return "\n".join([*lines, "| **mean** | | " + " | ".join(_cells(_means(rows))) + " |"])


def _means(rows: dict[str, Figures]) -> dict[str, float | None]:
    """Of each column, over the kinds that have it."""
    means = {}
    for column in asdict(next(iter(rows.values()))):
        values = [value for one in rows.values() if (value := getattr(one, column)) is not None]
        means[column] = sum(values) / len(values) if values else None
    return means


def _cells(values: dict[str, float | None]) -> list[str]:
    forms = {"recall": "{:.3f}", "worst": "{:.3f}", "outside": "{:.2%}", "stays": "{:.1%}"}
    return ["–" if v is None else forms.get(name, "{:.0%}").format(v) for name, v in values.items()]


def run(
    prior_file: Path = BUNDLED,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    out: Path | None = None,
    figures_in: Path | None = None,
) -> dict[str, Figures]:
    """Score all kinds of clips, or those named in `only`. without: rules whose worth is measured. out: a folder for the
    strips. figures_in: a JSON file, where `without` has its figures under "without". Raises ClearError for a name that
    there is not."""
    if unknown := [name for name in only if name not in RECIPES]:
        raise ClearError(f"There is no case {unknown[0]!r}. Choose from: {', '.join(RECIPES)}.")
    less = {rule: Rules().without(rule) for rule in without}
    prior, scores = load_prior(prior_file), {}
    worth: dict[str, dict[str, Figures]] = {rule: {} for rule in less}
    if out:
        out.mkdir(parents=True, exist_ok=True)
    for name in only or RECIPES:
        try:
            specimen = RECIPES[name].make()
        except ClearError as error:  # a font or the demo clip is missing
            log.warning("%s is left out: %s", name, error)
            continue
        options = MarkOptions(fps=RECIPES[name].rate)
        with TemporaryDirectory() as folder:
            looks = Path(folder) / "looks" if less else None
            marks = marks_on(specimen, prior, options, looks=looks)
            for rule, rules in less.items():
                worth[rule][name] = figures(specimen, marks_on(specimen, prior, options, rules, looks))
        scores[name] = figures(specimen, marks)
        log.info("%-22s %s", name, "  ".join(_cells(asdict(scores[name]))))
        if out:
            strip(specimen, marks).save(out / f"{name.replace(' ', '_')}.png")
    if not scores:
        raise ClearError("None of the cases could be drawn on this machine; what each lacks stands above.")
    print(worth_table(scores, worth) if less else table(scores))
    if figures_in:
        written = {"with": _plain(scores), "without": {rule: _plain(one) for rule, one in worth.items()}}
        write_json(figures_in, written if less else _plain(scores))
    return scores


def worth_table(scores: dict[str, Figures], worth: dict[str, dict[str, Figures]]) -> str:
    """What rules are worth, as Markdown: the means without each, and the kinds of clips that differ: recall, and the
    share that must stay and is touched."""
    lines = ["| rules | recall | worst frame | rows whole | outside | stays touched | kinds that differ |"]
    lines.append("|---|---|---|---|---|---|---|")
    for name, ones in {"all": scores, **{f"without {rule}": ones for rule, ones in worth.items()}}.items():
        means = _means(ones)
        cells = _cells({column: means[column] for column in ("recall", "worst", "whole", "outside", "stays")})
        differ = "; ".join(_difference(kind, scores[kind], one) for kind, one in ones.items() if one != scores[kind])
        lines.append(f"| {name} | {' | '.join(cells)} | {differ or '–'} |")
    return "\n".join(lines)


def _difference(kind: str, one: Figures, other: Figures) -> str:
    changes = [
        f"{column} {' -> '.join(_cells({field: getattr(figure, field)})[0] for figure in (one, other))}"
        for field, column in (("recall", "recall"), ("stays", "stays"), ("outside", "outside"))
        if getattr(one, field) != getattr(other, field)
    ]
    return f"{kind}: {', '.join(changes) or 'rows whole'}"


def _plain(scores: dict[str, Figures]) -> dict[str, dict]:
    return {name: asdict(one) for name, one in scores.items()}
