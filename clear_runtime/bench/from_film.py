"""What a LoRA that was made from a film alone is worth for that film, with the bundled model.

    python -m clear_runtime bench from-film FILM ... --out FOLDER [--style FILE] [--ocr] [--into docs/training.md]

The last third of each film's frames is held back (13 frames at least); on what comes before, a LoRA is trained from the
bundled one, as `train-lora --nano --from-film` does it. Then, with it and without:

- PSNR in dB inside the grown mask of lines burned onto the text-free areas of what was held back: over the fill, and
  from the subtitled frames as they are, in one step each; and the fill alone;
- the whole film cleaned, FOLDER/FILM/without.mp4 and with.mp4, and beside one another in FOLDER/FILM/sheet.png; with
  --ocr, the text boxes that a detector finds where the subtitle is, before and after (`bench leftover`).

What was trained is not trained again, and what was stopped goes on. About ten minutes a film on one core.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ..atomic import write_text
from ..data.clips import Clip
from ..data.synthetic.burn_style import BurnStyle
from ..engines.bundled import bundled_denoiser, default_steps
from ..engines.control import prefilled
from ..engines.lora import read_lora
from ..engines.nano import load
from ..engines.nano.engine import nano_engine
from ..errors import ClearError
from ..film.identity import file_digest
from ..film.own_look import BURNED
from ..film.own_pairs import OwnPairs, own_pairs
from ..find.priors.checkpoints import load_prior
from ..frames.masks import grow
from ..media.video import count_frames, read_facts, read_frames
from ..media.writer import VideoWriter
from ..options import RemoveOptions
from ..pipeline import remove
from ..train.lora.model import LORA
from ..train.lora.options import LoraOptions
from ..train.nano.transformer import FRAMES, HEIGHT, WIDTH
from ..weights import FOLDER
from .bundled_lora import encoded, is_trained, train_bundled
from .cases import GROW
from .leftover import leftover
from .nano_lora import measure
from .ocr import Reader, load_reader
from .report import around
from .report import into as put_into
from .tables import table

log = logging.getLogger(__name__)
MARKS = "<!-- from-film:begin -->", "<!-- from-film:end -->"
"""Between which the table stands in a file."""
HELD, APART = 3, 3
"""One of so many frames is held back; frames between these and what is trained on, where there are enough."""
TRAINED, SCORED = 12, 8
"""Clips that are trained and scored on, at most."""
CHANGED = 2 / 255
"""From which difference on a pixel is of a burned line."""
CLOSE = 8
"""x264's rate factor of the parts: what is learnt from shall be the film's own compression and not ours."""
SHOWN = 4
"""Frames of the sheet."""
WITHOUT, WITH = WAYS = "without", "with"
COLUMNS = {"fill": "the fill alone", "prefilled 1": "over the fill", "as is 1": "the subtitled frames as they are"}
"""Scores of bench nano-lora -> their words; the first is the same with and without."""


@dataclass(frozen=True)
class Row:
    """A film: scores by name of each of WAYS, and the boxes that are found before and after each, if they were looked
    for."""

    film: str
    scores: Mapping[str, Mapping[str, float]]
    boxes: tuple[int, ...] = ()

    def cells(self) -> list[str]:
        fill, *others = COLUMNS
        dB = [self.scores[WITHOUT][fill], *(self.scores[way][name] for name in others for way in WAYS)]
        return [f"{value:.2f}" for value in dB] + [f"{count}" for count in self.boxes]


def options_of(steps: int) -> LoraOptions:
    """What all films are trained with."""
    return LoraOptions(
        steps=steps,
        rate=5e-4,
        schedule="cosine",
        average=0.98,
        batch=4,
        crop=(FRAMES, 64, 128),
        control="both",
        sampler_steps=1,
        precision="float32",
        checkpointing=False,
        checkpoint_every=20,
        example_every=steps,
        start=str(FOLDER / "nano_lora.safetensors"),
    )


def run(
    films: list[Path],
    out: Path,
    steps: int = 200,
    style: BurnStyle = BurnStyle(),
    ocr: bool = False,
    into: Path | None = None,
) -> list[Row]:
    """Train and score; logs the table, and returns its rows.

    style: its script and font are those of the lines. into: a file whose table is replaced at the end. Raises
    ClearError for a film that gives no pairs, is too small or too short to be scored, or is another one than its folder
    was made of; and before the first film for a file without a place for the table, for two films of one name, and
    where the text detector is missing.
    """
    if into is not None:
        around(into, MARKS)
    _require_names(films)
    read = load_reader() if ocr else None
    rows = []
    for film in films:
        rows.append(_row(film, out / film.stem, steps, style, read))
        log.info("\n%s", rows_as_table(rows))
    if into is not None:
        put_into(into, f"{steps} steps a film.\n\n{rows_as_table(rows)}\n", MARKS)
    return rows


def _require_names(films: Sequence[Path]) -> None:
    """Raise ClearError for two films of one name: the second would be scored by what was learnt of the first."""
    names = [film.stem for film in films]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ClearError(
            f"There are several films with the name {', '.join(twice)}, and a run is kept under its film's name. Give "
            "them other names, or another --out for each."
        )


def rows_as_table(rows: Sequence[Row]) -> str:
    """As Markdown: films by what was measured."""
    fill, *others = COLUMNS
    columns = [COLUMNS[fill], *(f"{COLUMNS[name]}, {way}" for name in others for way in WAYS)]
    if rows[0].boxes:
        columns += ["boxes before", *(f"boxes {way}" for way in WAYS)]
    return table("film", columns, {row.film: row.cells() for row in rows})


def parts_of(frames: int) -> tuple[range, range]:
    """The frames that are trained on, and those that are held back. Raises ClearError for too short a film."""
    first = frames - max(FRAMES, frames // HELD)
    if first < BURNED:
        raise ClearError(
            f"{frames} frames are too few: {FRAMES} are held back, and {BURNED} more are needed to train on. Take a "
            "longer piece of the film."
        )
    return range(max(BURNED, first - APART)), range(first, frames)


def _row(film: Path, folder: Path, steps: int, base: BurnStyle, read: Reader | None) -> Row:
    folder.mkdir(parents=True, exist_ok=True)
    _require_same(film, folder)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    prior = load_prior(device=device)
    trained, held = parts_of(count_frames(film))
    part = {name: _cut(film, frames, folder / f"{name}.mp4") for name, frames in (("trained", trained), ("held", held))}
    side = max(read_facts(film).width, read_facts(film).height)
    pairs = own_pairs(part["trained"], prior, folder / "trained", base)
    log.info("%s: %s", film.stem, pairs.text())
    _train(folder, options_of(steps), pairs, side, prior, device)
    loras = {WITHOUT: load.lora_state(), WITH: read_lora(folder / LORA)}
    triples = triples_of(own_pairs(part["held"], prior, folder / "held", base), side)
    scores = {way: measure(state, triples, device, steps=(1,)) for way, state in loras.items()}
    cleaned = [_cleaned(film, folder / f"{way}.mp4", state, prior, device) for way, state in loras.items()]
    _sheet([film, *cleaned], folder / "sheet.png")
    return Row(film.stem, scores, _boxes(film, cleaned, read) if read else ())


def _require_same(film: Path, folder: Path) -> None:
    """Note whose folder it is. Raises ClearError where what it holds was made of another film."""
    digest, kept = file_digest(film), folder / "film.sha256"
    if not kept.exists():
        write_text(kept, digest)
    elif kept.read_text(encoding="utf-8") != digest:
        raise ClearError(
            f"{film.name} is another film than the one that {folder} was made of. Give another --out, or delete that "
            "folder."
        )


def _cut(film: Path, frames: range, out: Path) -> Path:
    """These frames of a film as one of its own; what is there stays, since a run is known by its file."""
    if not out.exists():
        facts = read_facts(film)
        with VideoWriter(out, facts.width, facts.height, facts.fps, crf=CLOSE, like=facts) as writer:
            for frame in islice(read_frames(film), frames.start, frames.stop):
                writer.write(frame)
    return out


def _train(folder: Path, options: LoraOptions, pairs: OwnPairs, side: int, prior, device: torch.device) -> None:
    if is_trained(folder, options):
        return
    clips = pairs.clips(options.crop[0], TRAINED, side, options.seed)
    log.info("%s", clips)
    train_bundled(folder, options, encoded(folder / "latents", clips, prior, device), device, clips.held_back)


def triples_of(pairs: OwnPairs, side: int) -> list[tuple[Tensor, ...]]:
    """Clips of a film as `measure` takes them: clean, subtitled and filled uint8 [1, T, H, W, 3], and the grown mask of
    the line [1, T, H, W], cut around it. Raises ClearError where there is none of that size."""
    clips = pairs.clips(FRAMES, SCORED, side, seed=99)
    found = [_triple(clip) for _, clip in clips.read(range(len(clips.identities))) if _large_enough(clip)]
    if not found:
        raise ClearError(
            f"{pairs.film.parent.name}: none of the frames that were held back has an area of {WIDTH}x{HEIGHT} pixels "
            f"that stays free of text for {FRAMES} frames. Take a longer piece of the film, or a larger picture."
        )
    return found


def _large_enough(clip: Clip) -> bool:
    return all(there >= wanted for there, wanted in zip(clip.clean.shape, (FRAMES, HEIGHT, WIDTH)))


def _triple(clip: Clip) -> tuple[Tensor, ...]:
    mask = grow(((clip.subtitled - clip.clean).abs().amax(-1) > CHANGED).float(), GROW)
    middle = (mask > 0).any(0).nonzero().float().mean(0).round().int().tolist()
    top, left = (
        max(0, min(side - part, at - part // 2)) for side, part, at in zip(mask.shape[1:], (HEIGHT, WIDTH), middle)
    )
    cut = lambda x: x[None, :FRAMES, top : top + HEIGHT, left : left + WIDTH]
    videos = (clip.clean, clip.subtitled, prefilled(clip.subtitled, mask))
    return (*(cut((video.clamp(0, 1) * 255).round().byte()) for video in videos), cut(mask).byte())


def _cleaned(film: Path, out: Path, lora: Mapping[str, Tensor], prior, device: torch.device) -> Path:
    """The film without its subtitle, by the bundled model with a LoRA."""
    facts, options = read_facts(film), RemoveOptions.of(steps=default_steps("nano"))
    engine = nano_engine(load.load_bundled_codec(device), bundled_denoiser(device, lora), options.engine)
    with VideoWriter(out, facts.width, facts.height, facts.fps, like=facts) as writer:
        for frame, _ in remove(read_frames(film), engine, prior, options):
            writer.write(frame)
    return out


def _sheet(films: Sequence[Path], out: Path) -> None:
    """The same SHOWN frames of films of one size: a row for each frame, a column for each film."""
    count, facts = count_frames(films[0]), read_facts(films[0])
    picked = {round(i * (count - 1) / (SHOWN - 1)): i for i in range(SHOWN)}
    sheet = Image.new("RGB", (len(films) * facts.width, SHOWN * facts.height))
    for column, film in enumerate(films):
        for t, frame in enumerate(read_frames(film)):
            if t in picked:
                levels = (frame.float().clamp(0, 1) * 255).round().byte().numpy()
                sheet.paste(Image.fromarray(levels), (column * facts.width, picked[t] * facts.height))
    sheet.save(out)


def _boxes(film: Path, cleaned: Sequence[Path], read: Reader) -> tuple[int, ...]:
    found = [leftover(film, result, read) for result in cleaned]
    return (found[0].before, *(one.after for one in found))
