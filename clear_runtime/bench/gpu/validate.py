"""How good bundled weights are, by one and the same measure before and after: on pictures and fonts that are held
back."""

from __future__ import annotations

from pathlib import Path

import torch

from ...data.synthetic.pairs import PairMaker
from ...engines.denoiser import DiffSynthDenoiser
from ...engines.lora import read_lora
from ...engines.nano import load
from ...engines.nano.codec import NanoCodec, NanoCodecNet
from ...engines.schedule import latent_noise, sigmas
from ...fill.network import load_painter
from ...find.priors.checkpoints import load_prior
from ...metrics import Overlap
from ...train.nano import fill
from ...train.nano.transformer import held_back

WORKERS = 4
"""That make the clips."""
Scores = dict[str, float]
MAIN = {"prior": "iou", "fill": "psnr", "model": "as is, 1 step"}
"""Which score decides, for each training; more is better."""


def score(name: str, folder: Path, data: Path, device: torch.device, count: int) -> Scores:
    """Of the weights of a training in a folder, those that are bundled or others; count: frames or clips of data."""
    return {"prior": _prior, "fill": _fill, "model": _model}[name](folder, data, device, count)


def better(name: str, before: Scores, after: Scores) -> bool:
    return after[MAIN[name]] > before[MAIN[name]]


def _prior(folder: Path, data: Path, device: torch.device, count: int) -> Scores:
    """IoU and F1 over all pixels of whole frames at the threshold 0.5; false: share marked of those without text."""
    prior, maker = load_prior(folder / "nano_prior.safetensors", device), PairMaker(data, validation=True)
    overlap, wrong, empty = Overlap(), 0, 0
    for seed in range(count):
        _, subtitled, mask = maker.make(seed, 1, 352, 640, empty=0.3, em=(12, 36))
        found, truth = prior(torch.from_numpy(subtitled).float() / 255) > 0.5, torch.from_numpy(mask) > 0
        overlap.add(found, truth)
        if not truth.any():
            wrong, empty = wrong + int(found.sum()), empty + found.numel()
    figures = overlap.report()
    return {"iou": figures["iou"], "f1": figures["f1"], "false": wrong / max(1, empty)}


def _fill(folder: Path, data: Path, device: torch.device, count: int) -> Scores:
    """PSNR in dB and texture in the holes, of the network and of the smooth fill that it starts from; of the latter
    alone where the folder has no network."""
    held = fill.HeldBack(data, device, count)
    file = folder / fill.FILES[0]
    net = load_painter(file, device).net if file.exists() else fill.FillNet().to(device)
    found = held.score(net)
    return {"psnr": found.pop("network"), **found}


def _model(folder: Path, data: Path, device: torch.device, count: int) -> Scores:
    found = _transformer(folder, data, device, count)
    return {"codec": _codec(folder, data, device, count)["psnr"], **found}


def _codec(folder: Path, data: Path, device: torch.device, count: int) -> Scores:
    """PSNR in dB of a clip that goes there and back, mean over clips."""
    codec, maker, values = _nano_codec(folder, device), PairMaker(data, validation=True), []
    for seed in range(count):
        _, subtitled, _ = maker.make(seed, 9, 96, 160, empty=0.5, frame_height=352)
        frames = torch.from_numpy(subtitled).float() / 255
        values.append(_db((codec.decode(codec.encode(frames)) - frames).square().mean()))
    return {"psnr": sum(values) / len(values)}


def _transformer(folder: Path, data: Path, device: torch.device, count: int) -> Scores:
    """PSNR in dB inside the grown mask, mean over clips: of the fill alone, and of what is made of the subtitled clip
    and of the filled one, through the runtime's own denoiser."""
    base = {name: value.float() for name, value in load.read(folder / "nano_transformer.safetensors").items()}
    lora = {name: value.float() for name, value in read_lora(folder / "nano_lora.safetensors").items()}
    denoiser = DiffSynthDenoiser.from_state(base, load.prompt_embedding(), lora, device=device)
    codec = _nano_codec(folder, device)
    totals: Scores = {}
    held = held_back(data, count, WORKERS)
    for clean, subtitled, filled, mask in held:
        clean, subtitled, filled = (part[0].float() / 255 for part in (clean, subtitled, filled))
        inside = mask[0] > 0
        within = lambda video, clean=clean, inside=inside: _db((video.clamp(0, 1) - clean)[inside].square().mean())
        results = {"fill": within(filled)}
        for name, source in (("as is", subtitled), ("prefilled", filled)):
            control = codec.encode(source)
            noise = latent_noise(0, 0, control.shape[2], control.shape[3], control.shape[4], control.shape[1])
            for steps, words in ((1, "1 step"), (5, "5 steps")):
                made = codec.decode(denoiser(noise, control, sigmas(steps)))
                if name == "prefilled":
                    made = filled + made - codec.decode(control)
                results[f"{name}, {words}"] = within(made)
        for name, value in results.items():
            totals[name] = totals.get(name, 0.0) + value / len(held)
    return totals


def _nano_codec(folder: Path, device: torch.device) -> NanoCodec:
    net = NanoCodecNet()
    net.load_state_dict({name: value.float() for name, value in load.read(folder / "nano_codec.safetensors").items()})
    return NanoCodec(net, device)


def _db(error: torch.Tensor) -> float:
    return -10 * error.clamp_min(1e-7).log10().item()
