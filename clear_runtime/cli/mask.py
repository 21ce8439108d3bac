"""Where the subtitles of a video are: as masks, as heat over the frames, and as a curve over time.

    python -m clear_runtime mask VIDEO --out FOLDER [--prior FILE] [options]

Writes the folder FOLDER/NAME, NAME being the video's own without its ending: overlay.mp4, the heat over the frames at
their own times; mask/000000.png and so on, a grey picture a frame, 0 or 255, which editors take as a sequence (a
lossless video of them many cannot open, and another one has no clean edges); plot.png, how much of each frame is
marked; and report.txt, what was found. It appears when it is whole. The video is read twice: what is subtitle is
decided when all of it has been seen. Between the two, one byte a pixel of each frame is held, of frames of 1280 pixels
at most.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ..atomic import WholeFolder
from ..catalogue import MASK
from ..errors import ClearError, ending_in_words
from ..film.output import FILMS
from ..find.marks import marked
from ..find.options import MarkOptions
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..find.report import Report
from ..media.pictures import overlay, share_plot, to_picture
from ..media.steady import FileFrames
from ..media.video import Facts, read_facts
from ..media.writer import VideoWriter
from .arguments import add_options, device_name, options_given

log = logging.getLogger(__name__)

_SAY_EVERY = 5.0  # seconds between two lines about how far it is


def write_masks(
    video: str | Path,
    folder: str | Path,
    prior: Callable[[Tensor], Tensor],
    options: MarkOptions | None = None,
    on_frame: Callable[[int, int | None], None] | None = None,
) -> Path:
    """Write what the module's docstring says; returns the folder it is in. prior: frames [T, H, W, 3] -> soft masks [T,
    H, W] on the CPU.

    on_frame(frames done, frames in all or None where the file does not say) may raise to stop. Raises ClearError for a
    folder named like a film, a video that cannot be read, a disk that is full, and a folder that is there already; what
    was written until then is removed.
    """
    video, folder, options = Path(video), Path(folder), options or MASK.options({})
    target = folder / video.stem
    if folder.suffix.lower() in FILMS:
        raise ClearError(
            f"{folder} is named like a film, and the masks are a folder of pictures and more. Name a folder. A video "
            "of what was replaced is written by `remove --mask FILE`."
        )
    if target.exists():
        raise ClearError(f"{target} exists already. Nothing is overwritten: move it away, or choose another folder.")
    facts = read_facts(video)
    try:
        with WholeFolder(target) as part:
            (part / "mask").mkdir()
            _write(video, facts, part, prior, options, on_frame or (lambda done, total: None))
    except OSError as error:
        raise ClearError(
            f"{target} could not be written ({error.strerror or error}). Free some space, or choose a folder that you "
            f"may write to; nothing half-written was left behind."
        ) from error
    return target


def _write(video: Path, facts: Facts, folder: Path, prior, options: MarkOptions, on_frame) -> None:
    report = Report(removes=False)
    frames, shares = FileFrames(video, facts), []
    if not options.fps:
        options = replace(options, fps=float(facts.fps))
    results = marked(frames, prior, options, with_soft=True, report=report)
    with VideoWriter(folder / "overlay.mp4", facts.width, facts.height, facts.fps) as writer:
        for number, (frame, soft, marks) in enumerate(results):
            counted = marks.float()
            assert soft is not None  # it was asked for
            writer.write(overlay(frame[None], soft[None])[0], frames.times.popleft())
            to_picture(counted).save(folder / "mask" / f"{number:06d}.png")
            shares.append(counted.mean().item())
            on_frame(number + 1, facts.frames)
    share_plot(shares).save(folder / "plot.png")
    (folder / "report.txt").write_text(report.text(float(facts.fps)) + "\n", encoding="utf-8")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m clear_runtime mask", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="the folder in which FOLDER/NAME is made")
    parser.add_argument("--prior", type=Path, default=BUNDLED, help="a Stage I file; default: the bundled light prior")
    add_options(parser, MASK)
    parser.add_argument(
        "--device",
        type=device_name,
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="cpu, cuda, mps; default: a GPU if there is one",
    )
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with ending_in_words("stopped; nothing was written"):
        options = options_given(args, MASK)
        prior = load_prior(args.prior, args.device)
        log.info("%s", prior.report)
        log.info("the masks are in %s", write_masks(args.video, args.out, prior, options, _telling()))


def _telling() -> Callable[[int, int | None], None]:
    """A callback for write_masks that says now and then how far it is, and how long it will take."""
    began = said = time.monotonic()

    def on_frame(done: int, total: int | None) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said < _SAY_EVERY:
            return
        said, rate = now, done / (now - began)
        left = f" of {total}, {max(0, total - done) / rate / 60:.1f} min left" if total else ""
        log.info("%d frames%s, %.1f a second", done, left, rate)

    return on_frame


if __name__ == "__main__":
    main()
