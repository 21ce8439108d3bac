"""Remove the burned-in subtitles of video files, without ComfyUI.

    python -m clear_runtime remove IN... -o OUT [options]

IN: files, folders of films, and patterns such as "season 1/*.mkv". OUT: for one file, the new one; else a folder, in
which each film keeps its name. Every frame is kept, at its time; what is no subtitle passes through.

First the film is looked at; then what goes is painted, stretch by stretch, into OUT.unfinished; then the film is whole.
After Ctrl-C, a crash or a full disk, the same command goes on after what is finished. Beside OUT stays NAME_plan.json,
what was found and what of it went: it can be edited and given back (--use-plan). --plan makes it and stops.

A film that cannot be cleaned does not stop the others; the exit code is then 1.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from ..atomic import write_text
from ..catalogue import REMOVE_FILES
from ..engines.bundled import BUNDLED_ENGINES, bundled_engine, bundled_identity, default_steps, missing_packages
from ..errors import ClearError, ending_in_words
from ..film.done import cleaned_before
from ..film.elsewhere import Parts, Workers
from ..film.identity import file_digest
from ..film.on_ray import INSTALL, on_ray, require_ray
from ..film.output import MASK_ENDINGS, beside, films_of, outputs_of, require_new, require_output, saved_plan, work_of
from ..film.progress import FilmProgress, OnProgress
from ..film.run import Job, clean, identity, make_plan
from ..film.store import CRF, Store
from ..film.work import opened
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..find.report import Report
from ..media.codecs import AS_SOURCE, CHOICES
from ..media.pictures import mask_picture
from ..media.video import read_facts
from ..option import AUTO
from ..presets import engine_name
from .arguments import add_options, device_name, log_to_terminal, options_given

log = logging.getLogger(__name__)

MASKS = {
    "subtitle": "where it is white there is a subtitle, whatever the prior finds; --subtitle-use says what it does",
    "limit": "pixels may change only where it is white",
    "protect": "white pixels never change: signs, logos",
}
"""Pictures that hold for all frames, as the node's masks do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", type=Path, nargs="+", metavar="IN", help="videos, folders of them, or patterns")
    parser.add_argument("-o", "--out", type=Path, required=True, help="new file (.mp4, .mov, .mkv, .webm), or folder")
    parser.add_argument("--plan", action="store_true", help="write NAME_plan.json, say what it takes, stop")
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on after what a stopped run of the same command has finished; without it that is thrown away "
        "(default: --resume)",
    )
    parser.add_argument("--use-plan", type=Path, metavar="FILE", help="go by this plan; for one film")
    parser.add_argument(
        "--engine",
        choices=(AUTO, *BUNDLED_ENGINES),
        default=AUTO,
        help="what paints: nano, the bundled network (needs diffsynth and peft), or fill, which needs no network. "
        "auto: nano where its packages are installed, else fill (default: auto)",
    )
    parser.add_argument("--prior", type=Path, default=BUNDLED, help="a Stage I file; default: the bundled light prior")
    for name, what in MASKS.items():
        parser.add_argument(f"--{name}", type=Path, metavar="PNG", help=f"a picture of the film's size: {what}")
    parser.add_argument(
        "--mask", type=Path, metavar="FILE", help="also write a grey video of how much of each pixel was replaced"
    )
    parser.add_argument("--report", action="store_true", help="also write OUT's name with _report.json, with figures")
    parser.add_argument(
        "--crf",
        type=float,
        default=CRF,
        help="quality on x264's scale, 0 (lossless) to 51, whatever the codec (default: %(default)s)",
    )
    parser.add_argument(
        "--codec",
        choices=CHOICES,
        default=AS_SOURCE,
        help="what the result is stored with; as the source: where it can be written, else H.264. nvenc: by an NVIDIA "
        "card (default: %(default)s)",
    )
    parser.add_argument(
        "--device",
        type=device_name,
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="cpu, cuda, mps; default: a GPU if there is one",
    )
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="have the workers of a Ray make the parts: auto, HOST:PORT, or local for processes of this machine alone "
        f"(needs ray: {INSTALL})",
    )
    about = "With the nano engine, --steps is 1 unless it is given."
    add_options(parser.add_argument_group("options", about), REMOVE_FILES)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m clear_runtime remove", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    args = parser.parse_args(argv)
    log_to_terminal()
    with ending_in_words("stopped; what is finished is kept, and the same command goes on from there"):
        _remove(args)


def _remove(args: argparse.Namespace) -> None:
    films = films_of(args.files)
    one = len(films) == 1 and not os.path.isdir(args.out) and not (args.files[0].is_dir() and not args.out.suffix)
    targets = [args.out] if one else _in_folder(films, args.out)
    if args.use_plan and not one:
        raise ClearError("A plan is of one film. Name one file, and one for the result.")
    if args.mask and not one:
        raise ClearError("--mask is for one film. Name one file, and one for the result.")
    if one and not (os.path.exists(args.out) and work_of(args.out).exists()):  # else a run before has not tidied up
        _require(args, args.out)
    if args.ray is not None and not args.plan:
        require_ray()
    args.engine = _engine(args.engine)
    shared = _shared(args)
    jobs = [_job(args, shared, film, target) for film, target in zip(films, targets)]
    with _workers(args, jobs[0]) as workers:
        jobs = [replace(job, workers=workers) for job in jobs]
        if one:
            return _do(args, jobs[0], targets[0])
        _all(args, films, jobs, targets)


def _all(args: argparse.Namespace, films: list[Path], jobs: list[Job], targets: list[Path]) -> None:
    failed = [film.name for film, job, target in zip(films, jobs, targets) if not _done(args, job, target)]
    if failed:
        raise SystemExit(f"{len(failed)} of {len(films)} could not be cleaned: {', '.join(failed)}")


@contextmanager
def _workers(args: argparse.Namespace, job: Job) -> Iterator[Workers | None]:
    """Who makes the parts of films, where that is not this process. A plan is made here."""
    if args.ray is None or args.plan:
        yield None
        return
    prior = None if args.prior == BUNDLED else args.prior.absolute()
    parts = Parts(args.engine, job.options.remove.engine, prior, args.device)
    with on_ray(args.ray, parts, args.device, [] if prior is None else [prior]) as workers:
        yield workers


def _in_folder(films: list[Path], folder: Path) -> list[Path]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClearError(
            f"{folder} cannot be made ({error.strerror or error}). For several films the output is a folder; name one."
        ) from error
    return outputs_of(films, folder)


def _require(args: argparse.Namespace, target: Path) -> None:
    require_output(target)
    if args.mask and not args.plan:
        require_output(args.mask, MASK_ENDINGS)
        if args.mask.absolute() == target.absolute():
            raise ClearError("The mask and the film would be one file. Name another one with --mask.")
    for path, wanted in ((_report_of(target), args.report), (saved_plan(target), args.plan)):
        if wanted:
            require_new(path)


def _report_of(target: Path) -> Path:
    return beside(target, target.stem, "_report.json")


def _done(args: argparse.Namespace, job: Job, target: Path) -> bool:
    """Whether one of several films was cleaned, now or by the same command before. Where it was not, that is said."""
    try:
        if cleaned_before(job, target):
            log.info("%s: cleaned before", target)
            return True
        _require(args, target)
        _do(args, job, target)
    except ClearError as error:
        log.error("%s: %s", job.source, error)
        return False
    return True


def _engine(asked: str) -> str:
    """The engine's name, which is said."""
    missing = missing_packages() if asked == AUTO else []
    name = engine_name(asked, missing)
    log.info("engine: %s%s", name, f" (nano needs {' and '.join(missing)})" if missing else "")
    return name


def _shared(args: argparse.Namespace) -> dict[str, Any]:
    """What all jobs of a command have in common, by the names of Job's fields."""
    options = options_given(args, REMOVE_FILES)
    steps = default_steps(args.engine)
    if args.steps is None and steps is not None:  # the engine's own number
        options = replace(options, remove=replace(options.remove, engine=replace(options.remove.engine, steps=steps)))
    return dict(
        options=options,
        engine=bundled_engine(args.engine, options.remove.engine, args.device),
        prior=load_prior(args.prior, args.device),
        weights={"engine": bundled_identity(args.engine), "prior": _identity(args.prior), "device": args.device},
        plan=args.use_plan,
        masks=lambda target: args.mask,
        **{name: mask_picture(path) for name in MASKS if (path := getattr(args, name)) is not None},
    )


def _job(args: argparse.Namespace, shared: dict[str, Any], film: Path, target: Path) -> Job:
    store = Store(args.crf, args.mask is not None, args.codec, target.suffix)
    return Job(film, work_of(target), lambda: target, store=store, **shared)


def _identity(prior: Path) -> str:
    try:
        return file_digest(prior)
    except OSError:
        return str(prior)  # whoever loads it says what is wrong


def _do(args: argparse.Namespace, job: Job, target: Path) -> None:
    found = Report()
    if args.plan:
        with _bar() as on_progress:
            cost = make_plan(job, saved_plan(target), on_progress, found)
        fps = float(read_facts(job.source).fps)
        log.info("%s\n%s: %s", found.text(fps), saved_plan(target), cost)
        return
    if not args.resume and job.work.exists():
        with opened(job.work, identity(job)) as work:
            work.clear()
    with _bar() as on_progress:
        cleaned = clean(job, on_progress, found)
    log.info(
        "%s: %d frames, something was replaced in %d of them; %.1f s",
        target,
        cleaned.frames,
        cleaned.changed,
        cleaned.seconds,
    )
    if cleaned.copied:
        log.info("%d frames are the source's own packets, bit for bit", cleaned.copied)
    log.info("%s", found.text(cleaned.fps))
    for note in cleaned.notes:
        log.info("%s", note)
    if cleaned.masks is not None:
        log.info("what was replaced is in %s", cleaned.masks)
    if args.report:
        about = {"engine": args.engine, "device": args.device, "options": asdict(job.options)}
        report = {**asdict(cleaned), **about, "found": json.loads(found.json())}
        write_text(_report_of(target), json.dumps(report, indent=2, ensure_ascii=False) + "\n")
        log.info("the report is in %s", _report_of(target))


@contextmanager
def _bar() -> Iterator[OnProgress]:
    """A bar of frames, stage by stage; none where nobody sees it."""
    with tqdm(unit="frame", disable=None) as bar, logging_redirect_tqdm([logging.getLogger("clear_runtime")]):
        stage = ""

        def on_progress(now: FilmProgress) -> None:
            nonlocal stage
            if now.stage != stage:
                stage = now.stage
                bar.reset(now.total)
                bar.set_description(stage)
            bar.update(now.done - bar.n)

        yield on_progress


if __name__ == "__main__":
    main()
