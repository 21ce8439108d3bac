"""Score the bundled model on clips whose clean original is known, with and without its network.

    python -m clear_runtime.evaluate CASE [CASE ...]        (needs the extra `reference`: diffsynth and peft)

A CASE is a folder with input.mp4 (subtitled), clean.mp4 or clean.npy (uint8 [T, H, W, 3]), and mask.npy or mask.mp4 (the
subtitle; without it, what differs between the two). Prints one table: PSNR in dB inside the subtitle grown by 3 pixels for
the subtitled input, the fill alone (the same prior mask, no network), and the network on both kinds of control; behind each
mean, flicker in 0..255. Frames are compared before any encoding of the result.
"""
from __future__ import annotations

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .denoiser import TEXT_WIDTH, DiffSynthDenoiser
from .errors import ClearError
from .metrics import flicker, masked_psnr
from .nano import load as nano
from .nano.limits import STEPS, InPieces, for_nano
from .options import RemoveOptions
from .prior.predict import load_bundled_prior
from .remover import remove
from .video import read_frames

log = logging.getLogger(__name__)

GROW = 3          # pixels: letters are never crisp in an encoded video
CHANGED = 12 / 255  # where no mask is given, a pixel belongs to the subtitle from this difference on


def read_case(folder: Path) -> tuple[Tensor, Tensor, Tensor]:
    """-> subtitled and clean frames [T, H, W, 3] in 0..1, and the subtitle's mask [T, H, W] grown by GROW pixels."""
    subtitled, clean = _frames(folder, "input"), _frames(folder, "clean")
    if subtitled.shape != clean.shape:
        raise ClearError(f"{folder.name}: the input is {tuple(subtitled.shape)}, the clean original {tuple(clean.shape)}. They must be the same clip.")
    if (folder / "mask.npy").exists() or (folder / "mask.mp4").exists():
        mask = _frames(folder, "mask")
        mask = mask[..., 0] > 0.5 if mask.dim() == 4 else mask > 0
    else:
        mask = (subtitled - clean).abs().amax(-1) > CHANGED
    grown = F.max_pool2d(mask.float()[:, None], 2 * GROW + 1, 1, GROW)[:, 0]
    return subtitled, clean, grown


def _frames(folder: Path, name: str) -> Tensor:
    array, video = folder / f"{name}.npy", folder / f"{name}.mp4"
    if array.exists():
        values = torch.from_numpy(np.load(array, allow_pickle=False))
        return values.float() / 255 if values.dtype == torch.uint8 else values
    if not video.exists():
        raise ClearError(f"{folder} has neither {array.name} nor {video.name}. A case needs input.mp4 and clean.mp4 (or clean.npy).")
    return torch.stack(list(read_frames(video)))


def methods(steps: int) -> dict[str, RemoveOptions | None]:
    """What is compared, by its column's name. None is the input as it is."""
    nano_defaults = for_nano(RemoveOptions(control="prefilled", region="subtitle band", steps=steps))
    return {"subtitled input": None, "fill alone": replace(nano_defaults, output="preview"), "nano, prefilled": nano_defaults,
            "nano, as is": replace(nano_defaults, control="as is")}


def evaluate(case: Path, columns: dict[str, RemoveOptions | None], codec, denoiser, prior) -> dict[str, tuple[float, float]]:
    """(PSNR in dB, flicker in 0..255) of each method on a case."""
    subtitled, clean, mask = read_case(case)
    row = {}
    for name, options in columns.items():
        frames = subtitled if options is None else torch.stack([f for f, _ in remove(subtitled, codec, denoiser, prior, options, total=len(subtitled))])
        row[name] = (masked_psnr(frames, clean, mask), 255 * flicker(frames, clean, mask))
        log.info("%s  %s  %.2f dB  flicker %.2f", case.name, name, *row[name])
    return row


def table(rows: dict[str, dict[str, tuple[float, float]]]) -> str:
    """Rows by case as Markdown, with their mean; the last row is the mean flicker."""
    columns = list(next(iter(rows.values())))
    lines = ["| case | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    lines += [f"| {case} | " + " | ".join(f"{row[c][0]:.2f}" for c in columns) + " |" for case, row in rows.items()]
    for title, part in (("**mean PSNR, dB**", 0), ("mean flicker", 1)):
        lines.append(f"| {title} | " + " | ".join(f"{sum(row[c][part] for row in rows.values()) / len(rows):.2f}" for c in columns) + " |")
    return "\n".join(lines)


def main(args) -> None:
    prior, codec = load_bundled_prior(args.device), nano.load_bundled_codec(args.device)
    denoiser = InPieces(DiffSynthDenoiser.from_state({k: v.float() for k, v in nano.transformer_state_dict().items()}, torch.zeros(1, 1, TEXT_WIDTH),
                                            {k: v.float() for k, v in nano.lora_state().items()}, device=args.device))
    rows = {case.name: evaluate(case, methods(args.steps), codec, denoiser, prior) for case in args.cases}
    log.info("\n%s", table(rows))
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    main(parser.parse_args())
