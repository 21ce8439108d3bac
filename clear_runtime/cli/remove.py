"""Remove the subtitles of a video, without ComfyUI and with what comes with the pack.

    python -m clear_runtime remove FILE -o OUT [--engine nano|fill] [options]

OUT is a new .mp4, .mov or .mkv with the same frames, size, times and sound; it appears when it is whole, and nothing is
ever overwritten. Exit code: 0 when it is there, 1 for what can be mended or was stopped (a line says what), 2 for
arguments that there are not.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
from dataclasses import asdict, replace
from pathlib import Path

import torch
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from ..catalogue import REMOVE
from ..engines.bundled import BUNDLED_ENGINES, bundled_engine, default_steps, missing_packages
from ..errors import ClearError, ending_in_words
from ..film import Cleaned, remove_from_file, require_new, require_output
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..find.report import Report
from ..media.writer import VISUALLY_LOSSLESS_CRF
from ..options import RemovalProgress, RemoveOptions
from ..presets import AUTO_ENGINE, engine_name
from .arguments import add_options, device_name, log_to_terminal, options_given

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the video")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the new file: .mp4, .mov or .mkv")
    parser.add_argument(
        "--engine",
        choices=(AUTO_ENGINE, *BUNDLED_ENGINES),
        default=AUTO_ENGINE,
        help="what paints: nano, the bundled network (needs diffsynth and peft), or fill, which needs no network. "
        "auto: nano where its packages are installed, else fill (default: auto)",
    )
    parser.add_argument("--prior", type=Path, default=BUNDLED, help="a Stage I file; default: the bundled light prior")
    parser.add_argument("--report", action="store_true", help="also write OUT's name with _report.json, with figures")
    parser.add_argument(
        "--crf",
        type=float,
        default=VISUALLY_LOSSLESS_CRF,
        help="x264's quality, 0 (lossless) to 51 (default: %(default)s)",
    )
    parser.add_argument(
        "--device",
        type=device_name,
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="cpu, cuda, mps; default: a GPU if there is one",
    )
    add_options(parser.add_argument_group("options", "With the nano engine, --steps is 1 unless it is given."), REMOVE)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m clear_runtime remove", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    args = parser.parse_args(argv)
    log_to_terminal()
    with ending_in_words("stopped; nothing was written"):
        _remove(args)


def _remove(args: argparse.Namespace) -> None:
    report = args.out.with_name(f"{args.out.stem}_report.json")
    require_output(args.out)
    if args.report:
        require_new(report)
    name = engine_name(args.engine, missing_packages())
    options = _options(args, name)
    engine = bundled_engine(name, options.engine, args.device)
    without = " and ".join(missing_packages()) if args.engine == AUTO_ENGINE and missing_packages() else ""
    log.info("engine: %s%s", name, f" (nano needs {without})" if without else "")
    found = Report()
    cleaned = _with_bar(args, engine, options, found)
    log.info(
        "%s: %d frames, something was replaced in %d of them; %.1f s",
        args.out,
        cleaned.frames,
        cleaned.changed,
        cleaned.seconds,
    )
    log.info("%s", found.text(cleaned.fps))
    if args.report:
        about = {"engine": name, "device": args.device, "options": asdict(options), "found": json.loads(found.json())}
        _write(report, {**asdict(cleaned), **about})


def _options(args: argparse.Namespace, engine: str) -> RemoveOptions:
    """The options that the flags name; steps are the engine's own number unless they are given."""
    options, own = options_given(args, REMOVE), default_steps(engine)
    if args.steps is not None or own is None:
        return options
    return replace(options, engine=replace(options.engine, steps=own))


def _with_bar(args: argparse.Namespace, engine, options: RemoveOptions, report: Report) -> Cleaned:
    """The work, under a bar of frames written; no bar where nobody sees it."""
    with tqdm(unit="frame", disable=None) as bar, logging_redirect_tqdm():

        def on_frame(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        def on_progress(now: RemovalProgress) -> None:
            bar.set_description(now.stage)

        prior = load_prior(args.prior, args.device)
        return remove_from_file(args.file, args.out, engine, prior, options, args.crf, on_frame, on_progress, report)


def _write(path: Path, report: dict) -> None:
    """A JSON file that appears when it is whole."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise ClearError(f"{path} could not be written ({error.strerror or error}); the video is whole.") from error
    finally:
        partial.unlink(missing_ok=True)
    log.info("the report is in %s", path)


if __name__ == "__main__":
    main()
