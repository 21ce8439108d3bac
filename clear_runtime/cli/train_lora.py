"""The command line of the Stage II trainer."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoint import fingerprint, read_shapes, read_tensors
from ..engines.codec import Codec
from ..engines.prompt import load_embedding
from ..errors import ClearError, ending_in_words
from ..find.priors.checkpoints import BUNDLED, load_prior
from ..train.folder_lock import locked_folder
from ..train.history import History
from ..train.look_through import look_through
from ..train.lora import losses
from ..train.lora import train as trainer
from ..train.lora.cache import LatentClips, clip_files, encode_clips, largest_example, latent_size
from ..train.lora.memory import USUAL, estimate, wan_shapes
from ..train.lora.model import LORA
from ..train.lora.options import TrainOptions
from ..train.lora.preflight import preflight, require_fit, require_packages
from ..train.lora.run import as_begun, require_same_run
from ..train.lora.train import train
from ..train.processes import Processes
from ..wan import SPATIAL, TEXT_TOKENS
from .arguments import count, device_name, log_to_terminal, options_of, settings
from .stop import stopping

log = logging.getLogger(__name__)


@dataclass
class Parts:
    """What training needs beside the pairs. made_by: what the cache's latents depend on; gain: see train()."""

    base: Mapping[str, Tensor]
    codec: Codec
    context: Tensor
    made_by: str
    gain: Tensor | None = None


def main(argv: list[str] | None = None) -> None:
    args = _arguments(argv)
    log_to_terminal()
    with ending_in_words("stopped; what is encoded stays, and the same command goes on"):
        options = options_of(args, TrainOptions)
        require_packages("adamw" if args.dry_run else options.optimiser)
        if args.dry_run:
            _say_what_is_needed(args, options)
        else:
            _require_paths(args)
            with Processes(args.device) as processes:
                log_to_terminal(processes.main)
                _run(args, options, processes)


def _require_paths(args) -> None:
    if not args.out or not (args.pairs or args.generate or args.burn):
        raise ClearError("Say where the pairs are (--pairs, --burn or --generate) and where the LoRA goes (--out).")
    sources = [name for name in ("pairs", "burn", "generate") if getattr(args, name)]
    if len(sources) > 1:
        raise ClearError(
            f"Pairs come from one place, and these are {len(sources)}: --{' and --'.join(sources)}. Name one of them."
        )
    strays = [
        option
        for option, given, source in (
            ("clean", args.clean, "pairs"),
            ("by-order", args.by_order, "pairs"),
            ("style", args.style, "burn"),
        )
        if given and source not in sources
    ]
    if strays:
        raise ClearError(
            f"--{' and --'.join(strays)} would not be used: --clean and --by-order belong to --pairs, --style to "
            f"--burn."
        )
    if not args.nano and not (args.base and args.vae and args.prompt):
        raise ClearError("Give the model's three files (--base, --vae, --prompt), or --nano for the bundled one.")


def _run(args, options: TrainOptions, processes: Processes) -> None:
    # Whatever can be wrong without the pairs is said before the look through them, which may take hours.
    begun, (shapes, spatial, tokens) = as_begun(options, args.out), _header(args)
    require_fit(begun, shapes, processes.device)
    room = _available(processes.device)
    parts, prior = _parts(args, processes.device), load_prior(args.prior or BUNDLED, processes.device)
    require_same_run(options, parts.base, parts.context, args.out, None)
    with locked_folder(args.out) if processes.main else nullcontext():
        clips = _clips(args, options, processes)
    size = largest_example(options.crop, clips.sizes, spatial)
    needed = preflight(begun, shapes, size, tokens, processes.device, room, spatial)
    made_by = f"{parts.made_by} {fingerprint(prior.model.state_dict())}"
    log.info("%s", clips)
    require_same_run(
        options,
        parts.base,
        parts.context,
        args.out,
        clip_files(args.out / "latents", clips, made_by) if processes.main else None,
    )
    with locked_folder(args.out) if processes.main else nullcontext():
        paths = encode_clips(
            args.out / "latents",
            clips,
            parts.codec,
            prior,
            made_by,
            lambda done, count: log.info("encoded %d of %d clips", done, count),
            processes,
        )
    latents = LatentClips(
        paths,
        parts.codec.spatial,
        options.crop,
        options.control,
        options.seed,
        options.sampler_steps,
        options.at_steps,
        batch=options.batch,
        held_back=clips.held_back,
    )
    log.info("examples of %s", latents.sizes_in_words())
    base, context, gain = parts.base, parts.context, parts.gain
    del parts, prior  # codec and prior are off the card from here on

    stop, stopped = stopping(again=processes.count == 1), False
    history = History(args.out)
    log.info("%s", needed)
    with closing(
        train(
            options, base, latents, context, args.out, processes, _available(processes.device), gain, lambda: bool(stop)
        )
    ) as steps:
        for p in steps:
            if processes.main:
                history.add(p)
                if p.step % options.checkpoint_every == 0 or p.step == p.steps:
                    _draw(history, p, needed.share)
                if p.step % args.log_every == 0 or p.step in (1, p.steps):
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
            stopped = processes.any(bool(stop))  # one that stopped alone would leave the others waiting for it
            if stopped:
                break
    done = history.rows[-1]["step"] if history.rows else 0
    if (stopped or stop) and done < options.steps:
        log.info("stopped after step %d; the same command continues", done)
    else:
        log.info("the LoRA is %s", args.out / LORA)


def _draw(history: History, p, share: float) -> None:
    """FOLDER/curves.png: the picture that the node shows."""
    from ..train.lora.pictures import Figures, curves

    partial = history.path.with_name("curves.partial")
    curves(history.columns(), Figures(p.step, p.steps, p.left, p.memory, p.skipped, share)).save(partial, "PNG")
    os.replace(partial, history.path.with_name("curves.png"))


def _parts(args, device: torch.device) -> Parts:
    if args.nano:
        from ..engines.nano import load as nano

        codec = nano.load_bundled_codec(device)
        return Parts(
            nano.transformer_state_dict(),
            codec,
            nano.prompt_embedding(),
            fingerprint(codec.net.state_dict()),
            codec.net.gain().cpu(),
        )
    from ..engines.diffsynth_codec import DiffSynthCodec

    vae = read_tensors(args.vae)
    codec = DiffSynthCodec.from_state(vae, torch.float32 if device.type == "cpu" else torch.bfloat16, device)
    return Parts(read_tensors(args.base), codec, load_embedding(args.prompt), fingerprint(vae))


def _clips(args, options: TrainOptions, processes: Processes):
    if args.generate:
        from ..data.generated_clips import GeneratedClips

        return GeneratedClips(args.generate, args.clips, seed=options.seed)
    if args.burn:
        from ..data.clips import BurnedClips
        from ..data.synthetic.burn_style import BurnStyle

        style = BurnStyle(**settings(args.style, BurnStyle)) if args.style else BurnStyle()
        return BurnedClips(args.burn, style, options.crop[0], args.per_video, args.long_side, options.seed)
    from ..data.clips import PairClips

    find_mask = load_prior(device=processes.device) if processes.main else None
    return PairClips(
        look_through(args.pairs, args.clean, args.by_order, args.out, processes, find_mask),
        options.crop[0],
        args.per_video,
        args.long_side,
    )


def _header(args) -> tuple[dict[str, tuple[int, ...]], int, int]:
    """Shapes of the base's weights, pixels of a latent cell and tokens of the prompt, from the files' headers; nothing
    is loaded."""
    if args.nano:
        from ..engines.nano import load as nano
        from ..engines.nano.codec import NanoCodec

        return (
            {name: tuple(value.shape) for name, value in nano.transformer_state_dict().items()},
            NanoCodec.spatial,
            nano.prompt_embedding().shape[1],
        )
    return read_shapes(args.base) if args.base else wan_shapes(), SPATIAL, TEXT_TOKENS


def _say_what_is_needed(args, options: TrainOptions) -> None:
    shapes, spatial, tokens = _header(args)
    for name, crop in {**USUAL, "this run's examples": options.crop}.items():
        log.info(
            "%s: %d frames of %dx%d pixels\n%s\n",
            name,
            crop[0],
            crop[2],
            crop[1],
            estimate(shapes, options, latent_size(crop, spatial), tokens),
        )


def _available(device: torch.device) -> int | None:
    if device.type == "cuda":
        torch.cuda.empty_cache()  # what the codec's work left to torch counts as used
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "cpu":
        import psutil  # accelerate brings it

        return psutil.virtual_memory().available
    return None


def _arguments(argv):
    parser = argparse.ArgumentParser(
        prog="python -m clear_runtime train-lora",
        description=trainer.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
    data.add_argument("--style", type=Path, help="with --burn: a JSON file of BurnStyle's fields")
    data.add_argument(
        "--generate", type=Path, help="random pairs made from this folder of pictures and fonts (data.sources fills it)"
    )
    data.add_argument("--clips", type=int, default=400, help="with --generate: how many")
    data.add_argument("--per-video", type=int, default=4, help="clips of each video")
    data.add_argument("--long-side", type=int, default=832, help="frames are scaled to at most this many pixels")
    parser.add_argument(
        "--out",
        type=Path,
        help="latents, checkpoints and the LoRA; an interrupted run continues from here. With several machines: on a "
        "drive that all of them see",
    )
    parser.add_argument(
        "--config", type=Path, help="a JSON file of options (the fields of TrainOptions); those below override it"
    )
    parser.add_argument("--dry-run", action="store_true", help="print parameters and memory, and stop")
    parser.add_argument("--log-every", type=count, default=10, help="steps between two lines")
    parser.add_argument("--device", type=device_name, help="cpu or cuda; default: a GPU if there is one")
    options = parser.add_argument_group("options")
    options.add_argument(
        "--recipe",
        choices=losses.RECIPES,
        metavar="RECIPE",
        help=f"what the loss is made of: {'; '.join(losses.RECIPES)}. Default: clear, the paper's",
    )
    options.add_argument("--crop", type=int, nargs=3, metavar=("FRAMES", "HEIGHT", "WIDTH"))
    options.add_argument("--targets", nargs="+")
    options.add_argument("--no-checkpointing", dest="checkpointing", action="store_const", const=False)
    kinds = {
        "steps": int,
        "rate": float,
        "schedule": str,
        "weight_decay": float,
        "rank": int,
        "batch": int,
        "accumulate": int,
        "control": str,
        "middle": int,
        "precision": str,
        "optimiser": str,
        "average": float,
        "start": str,
        "seed": int,
        "sampler_steps": int,
        "at_steps": float,
        "checkpoint_every": int,
        "example_every": int,
    }
    for name, kind in kinds.items():
        options.add_argument("--" + name.replace("_", "-"), dest=name, type=kind)
    return parser.parse_args(argv)
