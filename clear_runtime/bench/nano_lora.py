"""Compare LoRAs of the bundled transformer on the generator's held-back pictures and fonts.

    python -m clear_runtime bench nano-lora --data FOLDER [LORA ...]      (no LORA: the bundled one)

PSNR in dB inside the mask grown by 3 pixels, mean over the clips: the fill alone by the true mask, the network over
that fill, and the network on the subtitled video; each in one step and in five. share: the part of the network's
one-step change over the fill that comes closest to the clean clips. Where a LoRA's occlusion_head.safetensors lies
beside it: what its M_pred says of the mask's cells, and of all others, 0 to 1, half-way to the noise with the subtitled
control.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from ..checkpoint import read_tensors
from ..engines.lora import read_lora
from ..engines.nano import load
from ..train.lora.model import HEAD, Adapted
from ..train.nano.transformer import SCORED, encode, evaluate, held_back
from ..wan import TIMESTEPS

log = logging.getLogger(__name__)


def measure(
    lora: dict[str, torch.Tensor],
    held: list,
    device: torch.device,
    head: Path | None = None,
    steps: Sequence[int] = SCORED,
) -> dict[str, float]:
    """Scores by name of a normalised LoRA over the bundled base, in so many sampler steps each, and of the occlusion
    head in a file, if one is named."""
    base = {name: value.float() for name, value in load.transformer_state_dict().items()}
    model = Adapted(
        base, start={name: value.float() for name, value in lora.items()}, checkpointing=False, device=device
    ).eval()
    context, codec = load.prompt_embedding().to(device), load.load_bundled_codec(device).net
    scores = evaluate(
        lambda x, control, timestep: model(x, control, timestep / TIMESTEPS, context)[0], codec, held, device, steps
    )
    if head is not None:
        model.head.load_state_dict(read_tensors(head))
        scores |= marked(lambda x, control, sigma: model(x, control, sigma, context)[1], codec, held, device)
    return scores


@torch.no_grad()
def marked(m_pred, codec, held: list, device: torch.device) -> dict[str, float]:
    """Mean M_pred over the cells of the mask, and over all others."""
    inside, outside, sigma, generator = [], [], torch.tensor([0.5], device=device), torch.Generator().manual_seed(0)
    for pair in (pair for triple in held for pair in encode(codec, triple, device)):
        clean, control = pair.clean.float()[None], pair.subtitled.float()[None]
        noisy = 0.5 * (clean + torch.randn(clean.shape, generator=generator))
        said, mask = m_pred(noisy.to(device), control.to(device), sigma)[0].cpu(), pair.mask > 0
        inside.append(said[mask])
        outside.append(said[~mask])
    return {"M_pred inside": torch.cat(inside).mean().item(), "M_pred outside": torch.cat(outside).mean().item()}


def run(data: Path, loras: list[Path]) -> None:
    """Measure LoRA files, or the bundled one where none is named, and log the table."""
    device, held, rows = torch.device("cuda" if torch.cuda.is_available() else "cpu"), held_back(data), []
    files: list[Path | None] = [*loras] or [None]
    for path in files:
        head = path.parent / HEAD if path else None
        scores = measure(
            read_lora(path) if path else load.lora_state(), held, device, head if head and head.exists() else None
        )
        name = f"{path.parent.name}/{path.name}" if path else "bundled"
        log.info("%s  %s", name, "  ".join(f"{k} {v:.2f}" for k, v in scores.items()))
        rows.append((name, scores))
    columns = list(dict.fromkeys(column for _, scores in rows for column in scores))
    table = ["| LoRA | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    table += [
        f"| {name} | " + " | ".join(f"{scores[c]:.2f}" if c in scores else "" for c in columns) + " |"
        for name, scores in rows
    ]
    log.info("\n%s", "\n".join(table))
