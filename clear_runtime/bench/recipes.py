"""Compare the recipes of Stage II on the bundled model: train a LoRA by each, and score it on what was held back.

    python -m clear_runtime bench recipes --data DATA --out FOLDER --into docs/training.md

Each recipe is trained from scratch on the bundled base with one seed, and the best three (as is, one step) with two
more. The clips are encoded once. FOLDER/RECIPE-SEED is a training run: what is there already is neither trained nor
scored again, and what was stopped goes on. So two commands may share the recipes out between them, and a third makes
the table of both. The table, PSNR in dB inside the grown mask and what M_pred says inside the subtitle and
outside, stands in FOLDER/recipes.md after every row, and at the end in the file that is named. About five minutes a row
on one core, and as long again to score it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean, stdev

import torch

from ..atomic import WholeFile
from ..checkpoint import fingerprint
from ..data.generated_clips import GeneratedClips
from ..engines.lora import read_lora
from ..errors import ClearError
from ..find.priors.checkpoints import load_prior
from ..train.lora.losses import RECIPES
from ..train.lora.model import HEAD, LORA
from ..train.lora.options import LoraOptions
from ..train.nano.transformer import HELD_BACK, SCORED, held_back
from .bundled_lora import encoded, train_bundled
from .nano_lora import measure
from .report import around
from .report import into as put_into

log = logging.getLogger(__name__)

BEST, SEEDS = 3, 3
"""So many recipes are trained with so many seeds, from 0; the others with the first."""
SCORES = "scores.json"
"""In a run's folder: its scores, by what they were measured on."""
BY = "as is 1"
"""The score that says which are best: what the network does by itself, in the one step that the bundled one is for."""
COLUMNS = ("prefilled 1", "prefilled 5", "as is 1", "as is 5", "M_pred inside", "M_pred outside")


MARKS = "<!-- recipes:begin -->", "<!-- recipes:end -->"
"""Between which the table stands in a file."""


@dataclass(frozen=True)
class Trained:
    """A run: its recipe and seed, and its scores by name."""

    recipe: str
    seed: int
    scores: dict[str, float]


def options_of(recipe: str, seed: int, steps: int) -> LoraOptions:
    """What all rows have in common; that of docs/benchmarks.md."""
    return LoraOptions(
        steps=steps,
        recipe=recipe,
        seed=seed,
        rank=32,
        batch=4,
        crop=(13, 64, 128),
        control="both",
        sampler_steps=1,
        schedule="cosine",
        rate=1e-3,
        average=0.98,
        precision="float32",
        checkpointing=False,
        example_every=steps,
    )


def run(
    data: Path,
    out: Path,
    recipes: Sequence[str] = tuple(RECIPES),
    steps: int = 440,
    clips: int = 300,
    held: int = HELD_BACK,
    seeds: int = SEEDS,
    scored: Sequence[int] = SCORED,
    into: Path | None = None,
) -> list[Trained]:
    """Train and score; logs the table, and returns its rows.

    seeds: of the best. scored: sampler steps. into: a file whose table is replaced at the end. Raises ClearError for a
    recipe that there is not, and before the first run for a file without a place for the table.
    """
    if unknown := [name for name in recipes if name not in RECIPES]:
        raise ClearError(f"There is no recipe {unknown[0]!r}. Choose from: {'; '.join(RECIPES)}.")
    if min(steps, clips, held, seeds) < 1:
        raise ClearError("Steps, clips, held-back clips and seeds are counted from 1.")
    if 1 not in scored or min(scored) < 1:
        raise ClearError("The best are chosen by one sampler step: score that, and any others from 2.")
    if into is not None:
        around(into, MARKS)
    out.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bench = _Bench(out, _encoded(data, out, clips, device), data, held, steps, scored, device)
    rows = [bench.row(name, 0) for name in recipes]
    best = sorted(rows, key=lambda row: row.scores[BY], reverse=True)[:BEST]
    for row in best:
        rows += [bench.row(row.recipe, seed) for seed in range(1, seeds)]
    if into is not None:
        put_into(into, f"{steps} steps a run, {clips} clips, {held} others scored.\n\n{table(rows)}", MARKS)
    return rows


class _Bench:
    """What all rows are trained and scored with."""

    def __init__(self, out: Path, paths: list[Path], data: Path, held: int, steps: int, scored: Sequence[int], device):
        self.out, self.paths, self.data, self.count, self.steps, self.device = out, paths, data, held, steps, device
        self.scored = list(scored)
        self.rows: list[Trained] = []

    @cached_property
    def held(self) -> list:
        """What is scored on: clean, subtitled and filled clips and the masks."""
        return held_back(self.data, self.count)

    @cached_property
    def scored_on(self) -> str:
        """The held-back clips in 16 letters: with other pictures, or another fill, they are others."""
        digest = hashlib.sha256()
        for part in (part for triple in self.held for part in triple):
            digest.update(part.numpy().tobytes())
        return digest.hexdigest()[:16]

    def row(self, recipe: str, seed: int) -> Trained:
        folder = self.out / f"{recipe.replace(', ', '_').replace(' ', '_')}-{seed}"
        options = options_of(recipe, seed, self.steps)
        train_bundled(folder, options, self.paths, self.device, painted=RECIPES[recipe].painted)
        row = Trained(recipe, seed, self._scores(folder, folder / HEAD if RECIPES[recipe].has_head else None))
        self.rows.append(row)
        (self.out / "recipes.md").write_text(table(self.rows), encoding="utf-8")
        log.info("\n%s", table(self.rows))
        return row

    def _scores(self, folder: Path, head: Path | None) -> dict[str, float]:
        """Of a run's LoRA; what was measured before on the same clips is read."""
        lora, kept = read_lora(folder / LORA), folder / SCORES
        measured = {"lora": fingerprint(lora), "held": self.scored_on, "steps": self.scored}
        before = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        if {name: before.get(name) for name in measured} == measured:
            return before["scores"]
        scores = measure(lora, self.held, self.device, head, self.scored)
        with WholeFile(kept) as part:
            part.write_text(json.dumps({**measured, "scores": scores}), encoding="utf-8")
        return scores


def _encoded(data: Path, out: Path, clips: int, device: torch.device) -> list[Path]:
    """The clips as latents, once for all rows: the painted controls among them."""
    return encoded(
        out / "latents", GeneratedClips(data, clips, seed=0), load_prior(device=device), device, painted=True
    )


def table(rows: Sequence[Trained]) -> str:
    """As Markdown: a line for each row, and of those that were trained with several seeds the mean and the standard
    deviation. What no row was scored by has no column."""
    columns = [name for name in COLUMNS if any(name in row.scores for row in rows)]
    lines = [f"| recipe | seed | {' | '.join(columns)} |", "|---|---|" + "---|" * len(columns)]
    line = lambda name, seed, said: f"| {name} | {seed} | {' | '.join(said.get(column, '') for column in columns)} |"
    lines += [line(row.recipe, row.seed, {name: f"{one:.2f}" for name, one in row.scores.items()}) for row in rows]
    for name in dict.fromkeys(row.recipe for row in rows):
        same = [row.scores for row in rows if row.recipe == name]
        if len(same) > 1:
            values = {one: [scores[one] for scores in same] for one in same[0]}
            said = {one: f"{fmean(of):.2f} ± {stdev(of):.2f}" for one, of in values.items()}
            lines.append(line(f"**{name}**", f"mean of {len(same)}", said))
    return "\n".join(lines) + "\n"
