"""Compare LoRAs of the bundled transformer on the generator's held-back pictures and fonts.

    python -m clear_runtime.nano.measure_lora --data FOLDER [LORA ...]      (no LORA: the bundled one)

PSNR in dB inside the mask grown by 3 pixels, mean over the clips: the fill alone by the true mask, the network over that fill, and
the network on the subtitled video; each in one step and in five. share: the part of the network's one-step change over the fill
that comes closest to the clean clips.
"""
import argparse
import logging
from pathlib import Path

import torch

from ..adapt.model import Adapted
from ..lora import read_lora
from ..training.command_line import ending_in_words
from ..wan import TIMESTEPS
from . import load
from .train_transformer import evaluate, held_back

log = logging.getLogger(__name__)


def measure(lora: dict[str, torch.Tensor], held: list, device: torch.device) -> dict[str, float]:
    """Scores by name of a normalised LoRA over the bundled base."""
    base = {name: value.float() for name, value in load.transformer_state_dict().items()}
    model = Adapted(base, start={name: value.float() for name, value in lora.items()}, checkpointing=False, device=device).eval()
    context = load.prompt_embedding().to(device)
    return evaluate(lambda x, control, timestep: model(x, control, timestep / TIMESTEPS, context)[0], load.load_bundled_codec(device).net, held, device)


def main(args) -> None:
    device, held, rows = torch.device("cuda" if torch.cuda.is_available() else "cpu"), held_back(args.data), []
    for path in args.loras or [None]:
        scores = measure(read_lora(path) if path else load.lora_state(), held, device)
        name = f"{path.parent.name}/{path.name}" if path else "bundled"
        log.info("%s  %s", name, "  ".join(f"{k} {v:.2f}" for k, v in scores.items()))
        rows.append((name, scores))
    columns = list(rows[0][1])
    table = ["| LoRA | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    table += [f"| {name} | " + " | ".join(f"{scores[c]:.2f}" for c in columns) + " |" for name, scores in rows]
    log.info("\n%s", "\n".join(table))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder filled by clear_runtime.data.sources")
    parser.add_argument("loras", nargs="*", type=Path, help="LoRA files; default: the bundled one")
    with ending_in_words("Stopped."):
        main(parser.parse_args())
