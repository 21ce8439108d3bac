"""The command line of the Stage II trainer."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..catalogue import Surface
from ..checkpoint import fingerprint, read_shapes, read_tensors
from ..data.clips import BurnedClips, Clips, PairClips
from ..data.generated_clips import GeneratedClips
from ..data.synthetic.burn_style import BurnStyle
from ..engines.codec import Codec
from ..engines.nano import load as nano
from ..engines.nano.codec import NanoCodec
from ..engines.prompt import load_embedding
from ..errors import ClearError, ending_in_words
from ..film.own_pairs import own_pairs
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..train.event import TrainingEvent
from ..train.look_through import look_through
from ..train.lora import train as trainer
from ..train.lora.cache import latent_size
from ..train.lora.memory import USUAL, estimate, free_memory, wan_shapes
from ..train.lora.model import LORA
from ..train.lora.options import LoraOptions
from ..train.lora.preflight import require_packages
from ..train.lora.session import BaseHeader, Encoders, LoraSession
from ..train.processes import Processes
from .arguments import add_options, count, device_name, log_to_terminal, options_of, settings
from .stop import stopping

log = logging.getLogger(__name__)


SOURCES = ("pairs", "burn", "from-film", "generate")


@dataclass
class ModelParts:
    """What training needs beside the pairs. made_by: the codec's fingerprint; gain: see train()."""

    base: Mapping[str, Tensor]
    codec: Codec
    context: Tensor
    made_by: str
    gain: Tensor | None = None


def main(argv: list[str] | None = None) -> None:
    args = _arguments(argv)
    log_to_terminal()
    with ending_in_words("stopped; what is encoded stays, and the same command goes on"):
        options = options_of(args, LoraOptions)
        require_packages("adamw" if args.dry_run else options.optimiser)
        if args.dry_run:
            _say_what_is_needed(args, options)
        else:
            _require_paths(args)
            with Processes(args.device) as processes:
                log_to_terminal(processes.main)
                _run(args, options, processes)


def _require_paths(args) -> None:
    sources = [name for name in SOURCES if getattr(args, name.replace("-", "_"))]
    if not args.out or not sources:
        raise ClearError(
            "Say where the pairs are (--pairs, --burn, --from-film or --generate) and where the LoRA goes (--out)."
        )
    if len(sources) > 1:
        raise ClearError(
            f"Pairs come from one place, and these are {len(sources)}: --{' and --'.join(sources)}. Name one of them."
        )
    strays = [
        option
        for option, given, of in (
            ("clean", args.clean, {"pairs"}),
            ("by-order", args.by_order, {"pairs"}),
            ("style", args.style, {"burn", "from-film"}),
        )
        if given and not of & {*sources}
    ]
    if strays:
        raise ClearError(
            f"--{' and --'.join(strays)} would not be used: --clean and --by-order belong to --pairs, --style to "
            f"--burn and --from-film."
        )
    if not args.nano and not (args.base and args.vae and args.prompt):
        raise ClearError("Give the model's three files (--base, --vae, --prompt), or --nano for the bundled one.")


def _run(args, options: LoraOptions, processes: Processes) -> None:
    device = processes.device
    tell = _Lines(args.log_every)
    session = LoraSession(options, args.out, _header(args), processes, free_memory(device), tell)
    parts, prior = load_parts(args, device), load_prior(args.prior or BUNDLED, device)
    made_by = f"{parts.made_by} {fingerprint(prior.model.state_dict())}"
    base, context, gain = parts.base, parts.context, parts.gain
    encoders = Encoders(parts.codec, prior, made_by)
    session.encode(lambda: open_clips(args, options, processes), encoders, base, context)
    del parts, prior, encoders  # codec and prior are off the card from here on

    stop = stopping(again=processes.count == 1)
    if session.train(base, context, gain, free_memory(device), lambda: bool(stop)):
        log.info("the LoRA is %s", args.out / LORA)
    else:
        log.info("stopped after step %d; the same command continues", session.step)


class _Lines:
    """What the session tells, as lines: every clip that is encoded, every so many steps, and the first step and the
    last."""

    def __init__(self, every: int):
        self.every = every

    def __call__(self, event: TrainingEvent) -> None:
        p = event.step
        if p is None:
            log.info("encoded %d of %d clips", event.done, event.total)
        elif p.step % self.every == 0 or p.step in (1, p.steps):
            log.info(
                "step %d/%d  loss %.4f  %s  alpha %.1f  %.2f s a step, %d min left, %.1f GiB%s",
                p.step,
                p.steps,
                p.loss,
                "  ".join(f"{name} {value:.4f}" for name, value in p.terms.items()),
                p.alpha,
                p.seconds,
                p.left / 60,
                p.memory / 2**30,
                f"  {p.skipped} skipped" if p.skipped else "",
            )


def load_parts(args, device: torch.device) -> ModelParts:
    """The bundled model's, or those of the three files."""
    if args.nano:
        bundled = nano.load_bundled_codec(device)
        return ModelParts(
            nano.transformer_state_dict(),
            bundled,
            nano.prompt_embedding(),
            fingerprint(bundled.net.state_dict()),
            bundled.net.gain().cpu(),
        )
    # imported here: it brings diffsynth, which takes seconds, and the bundled codec does not need it
    from ..engines.diffsynth_codec import DiffSynthCodec

    vae = read_tensors(args.vae)
    codec = DiffSynthCodec.from_state(vae, torch.float32 if device.type == "cpu" else torch.bfloat16, device)
    return ModelParts(read_tensors(args.base), codec, load_embedding(args.prompt), fingerprint(vae))


def open_clips(args, options: LoraOptions, processes: Processes) -> Clips:
    """From wherever the arguments say; of pairs after a look through all of them."""
    if args.generate:
        return GeneratedClips(args.generate, args.clips, seed=options.seed)
    if args.from_film:
        return _of_film(args, options, processes)
    if args.burn:
        style = BurnStyle(**settings(args.style, BurnStyle)) if args.style else BurnStyle()
        return BurnedClips(args.burn, style, options.crop[0], args.per_video, args.long_side, options.seed)
    find_mask = load_prior(device=processes.device) if processes.main else None
    return PairClips(
        look_through(args.pairs, args.clean, args.by_order, args.out, processes, find_mask),
        options.crop[0],
        args.per_video,
        args.long_side,
    )


def _of_film(args, options: LoraOptions, processes: Processes) -> Clips:
    """One process looks at the film, and all read what it found."""
    base = BurnStyle(**settings(args.style, BurnStyle)) if args.style else BurnStyle()
    found = lambda: own_pairs(args.from_film, load_prior(args.prior or BUNDLED, processes.device), args.out, base)
    if processes.main:
        log.info("looking for the film's own lines")
        log.info("%s", found().text())
    processes.wait()
    return found().clips(options.crop[0], args.per_video, args.long_side, options.seed)


def _header(args) -> BaseHeader:
    """Of the bundled model, or of the file that is named; Wan2.1's own where there is none. Nothing is loaded."""
    if args.nano:
        return BaseHeader(
            {name: tuple(value.shape) for name, value in nano.transformer_state_dict().items()},
            NanoCodec.spatial,
            NanoCodec.temporal,
            nano.prompt_embedding().shape[1],
        )
    return BaseHeader(read_shapes(args.base) if args.base else wan_shapes())


def _say_what_is_needed(args, options: LoraOptions) -> None:
    base = _header(args)
    for name, crop in {**USUAL, "this run's examples": options.crop}.items():
        needed = estimate(base.shapes, options, latent_size(crop, base.spatial, base.temporal), base.tokens)
        log.info("%s: %d frames of %dx%d pixels\n%s\n", name, crop[0], crop[2], crop[1], needed)


def _arguments(argv) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m clear_runtime train-lora",
        description=trainer.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_sources(parser)
    parser.add_argument(
        "--out",
        type=Path,
        help="latents, checkpoints and the LoRA; an interrupted run continues from here. With several machines: on a "
        "drive that all of them see",
    )
    parser.add_argument(
        "--config", type=Path, help="a JSON file of options (the fields of LoraOptions); those below override it"
    )
    parser.add_argument("--dry-run", action="store_true", help="print parameters and memory, and stop")
    parser.add_argument("--log-every", type=count, default=10, help="steps between two lines")
    parser.add_argument("--device", type=device_name, help="cpu or cuda; default: a GPU if there is one")
    add_options(parser.add_argument_group("training"), Surface(LoraOptions))
    return parser.parse_args(argv)


def _add_sources(parser: argparse.ArgumentParser) -> None:
    model = parser.add_argument_group("model")
    model.add_argument("--nano", action="store_true", help="the bundled model, instead of the three files")
    model.add_argument("--base", type=Path, help="Wan2.1-Fun-V1.1-1.3B-Control's diffusion_pytorch_model.safetensors")
    model.add_argument("--vae", type=Path, help="wan_2.1_vae.safetensors")
    model.add_argument(
        "--prompt", type=Path, help="clear_prompt_umt5-xxl.safetensors, which CLEAR Prompt leaves in models/clear"
    )
    model.add_argument("--prior", type=Path, help="a Stage I prior; default: the bundled one")
    data = parser.add_argument_group("pairs")
    data.add_argument("--pairs", type=Path, help="folder of pairs, or of the subtitled videos when --clean is given")
    data.add_argument("--clean", type=Path, help="folder of the clean videos")
    data.add_argument(
        "--by-order", action="store_true", help="pair the files of two folders by their order instead of their names"
    )
    data.add_argument("--burn", type=Path, help="folder of clean videos, or one of them: subtitles are burned in")
    data.add_argument(
        "--from-film",
        type=Path,
        metavar="FILE",
        help="a subtitled film alone: onto its stretches without text, and where they are too few onto areas that stay "
        "free of it in other frames, lines are burned that look as its own do",
    )
    data.add_argument(
        "--style",
        type=Path,
        help="with --burn: a JSON file of BurnStyle's fields; with --from-film: of its script and font",
    )
    data.add_argument(
        "--generate", type=Path, help="random pairs made from this folder of pictures and fonts (data.sources fills it)"
    )
    data.add_argument("--clips", type=int, default=400, help="with --generate: how many")
    data.add_argument("--per-video", type=int, default=4, help="clips of each video")
    data.add_argument("--long-side", type=int, default=832, help="frames are scaled to at most this many pixels")
