"""LoRAs of the bundled model that are trained to be compared: each once, and on from where it was stopped."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from ..checkpoint import fingerprint, read_metadata
from ..data.clips import Clips
from ..engines.nano import load
from ..engines.nano.codec import NanoCodec
from ..find.priors.predict import Prior
from ..train.lora.cache import LatentClips, encode_clips
from ..train.lora.model import LORA
from ..train.lora.options import LoraOptions
from ..train.lora.train import train
from ..train.processes import Processes

log = logging.getLogger(__name__)


def encoded(folder: Path, clips: Clips, prior: Prior, device: torch.device, painted: bool = False) -> list[Path]:
    """Clips as the bundled codec's latents; painted: the filled controls among them."""
    codec = load.load_bundled_codec(device)
    made_by = f"{fingerprint(codec.net.state_dict())} {fingerprint(prior.model.state_dict())}"
    return encode_clips(folder, clips, codec, prior, made_by, painted=painted)


def is_trained(folder: Path, options: LoraOptions) -> bool:
    """Whether a folder holds the LoRA after all of the steps that are asked for."""
    return (folder / LORA).exists() and read_metadata(folder / LORA).get("steps") == str(options.steps)


def train_bundled(
    folder: Path,
    options: LoraOptions,
    paths: Sequence[Path],
    device: torch.device,
    held_back: int = 1,
    painted: bool = False,
) -> None:
    """Train on latents, of which the last so many are held back, unless that is done."""
    if is_trained(folder, options):
        return
    latents = LatentClips(
        list(paths),
        NanoCodec.spatial,
        options.crop,
        options.control,
        options.seed,
        options.sampler_steps,
        options.at_steps,
        NanoCodec.temporal,
        options.batch,
        held_back,
        painted,
    )
    base, context = load.transformer_state_dict(), load.prompt_embedding()
    gain = load.load_bundled_codec(device).net.gain().cpu()
    with Processes(device, alone=True) as processes:
        for step in train(options, base, latents, context, folder, processes, gain=gain):
            if step.step % 20 == 0 or step.step == options.steps:
                log.info("%s: step %d of %d, loss %.4f", folder.name, step.step, options.steps, step.loss)
