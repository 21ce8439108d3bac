"""The command line of the Stage I trainer."""

import argparse
import logging
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from ..catalogue import Surface
from ..data.frame_batches import DiskFrames, GeneratedFrames
from ..errors import ClearError, ending_in_words
from ..find.priors.checkpoints import PRIOR, load_prior
from ..folder_lock import locked_folder
from ..train.event import TrainingEvent
from ..train.look_through import look_through
from ..train.prior import train as trainer
from ..train.prior.options import PriorOptions
from ..train.prior.resolved import resolved
from ..train.prior.session import PriorSession
from ..train.processes import Processes
from .arguments import add_options, device_name, log_to_terminal, options_of
from .stop import stopping

log = logging.getLogger(__name__)


def main(argv: list[str] | None = None) -> None:
    args = _arguments(argv)
    log_to_terminal()
    with ending_in_words("stopped before the first step; the same command begins again"):
        options = _options(args)
        with Processes(args.device) as processes:
            log_to_terminal(processes.main)
            _run(args, options, processes)


def _run(args, options: PriorOptions, processes: Processes) -> None:
    session = PriorSession(options, args.out, processes, _say)
    batches = _batches(args, options, processes)
    stop = stopping()
    if session.train(batches, lambda: bool(stop)):
        log.info("the prior is %s", args.out / PRIOR)
    else:
        log.info("stopped after step %d; the same command continues", session.step)


def _say(event: TrainingEvent) -> None:
    """A line for the first step, and whenever there is an example."""
    p = event.step
    if p.example or p.step == 1:
        log.info(
            "step %d/%d  loss %.4f  %s  %.2f s",
            p.step,
            p.steps,
            p.loss,
            "  ".join(f"{name} {value:.4f}" for name, value in p.terms.items()),
            p.seconds,
        )


def _batches(args, options: PriorOptions, processes: Processes):
    if args.generate:
        if options.steps is None:
            raise ClearError("Random pairs have no end: say how many --steps to train.")
        return GeneratedFrames(
            args.generate, options.batch, options.crop, options.seed, processes.rank, processes.count, args.exact
        )
    # a folder that is no good is named before the look, which may take hours
    with locked_folder(args.out) if processes.main else nullcontext():
        report = look_through(
            args.pairs, args.clean, args.by_order, args.out, processes, load_prior() if processes.main else None
        )
    log.info("%s", report)
    long_side = resolved(options).long_side
    return DiskFrames(report, options.batch, options.crop, long_side, options.seed, processes.rank, processes.count)


def _options(args) -> PriorOptions:
    options = options_of(args, PriorOptions)
    left_out = dict.fromkeys(args.without or (), 0.0)
    return replace(options, weights=replace(options.weights, **left_out))


def _arguments(argv):
    parser = argparse.ArgumentParser(
        prog="python -m clear_runtime train-prior",
        description=trainer.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument(
        "--pairs",
        type=Path,
        help="folder of pairs, or of the subtitled videos when --clean is given; or one subtitled video",
    )
    data.add_argument("--generate", type=Path, help="train on random pairs made from this folder of pictures and fonts")
    parser.add_argument(
        "--exact", action="store_true", help="with --generate: learn the masks that were drawn instead of pseudo-labels"
    )
    parser.add_argument("--clean", type=Path, help="folder of the clean videos, or one clean video")
    parser.add_argument(
        "--by-order", action="store_true", help="pair the files of two folders by their order instead of their names"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="checkpoints and the prior; an interrupted run continues from here"
    )
    parser.add_argument(
        "--config", type=Path, help="a JSON file of options (the fields of PriorOptions); those below override it"
    )
    parser.add_argument(
        "--without", choices=("ortho", "adv", "recon"), action="append", help="leave a loss term out (for an ablation)"
    )
    parser.add_argument("--device", type=device_name, help="cpu, cuda, mps; default: a GPU if there is one")
    add_options(parser.add_argument_group("training"), Surface(PriorOptions))
    return parser.parse_args(argv)
