"""Record what the published MiniMax-Remover makes of known inputs: what tests/ compare this project's with.

    git clone https://github.com/zibojia/MiniMax-Remover CHECKOUT
    python -m venv ENV && ENV/bin/pip install torch diffusers==0.33.1 transformers scipy safetensors einops
    ENV/bin/python scripts/record_minimax.py CHECKOUT

Writes tests/engines/unipc.json: the steps of diffusers' UniPCMultistepScheduler along a flow that can be written down.
Nothing of that code is kept, only what it computed.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import UniPCMultistepScheduler

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "tests" / "engines"


def unipc() -> dict:
    """Noise, and the latents after each step, for some shifts and numbers of steps."""
    noise = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    runs = [
        {"shift": shift, "steps": steps, **_run(noise, shift, steps)}
        for shift in (1.0, 3.0, 5.0)
        for steps in (1, 2, 6, 12)
    ]
    return {"noise": noise.tolist(), "runs": runs}


def _run(noise: torch.Tensor, shift: float, steps: int) -> dict:
    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift, solver_order=2, solver_type="bh2"
    )
    scheduler.set_timesteps(steps)
    x, latents = noise, []
    for sigma, timestep in zip(scheduler.sigmas.tolist(), scheduler.timesteps):
        x = scheduler.step(torch.sin(3 * x + sigma) - 0.3 * x, timestep, x).prev_sample
        latents.append(x.tolist())
    return {"sigmas": scheduler.sigmas.tolist(), "latents": latents}


def main() -> None:
    (HERE / "unipc.json").write_text(json.dumps(unipc()) + "\n")


if __name__ == "__main__":
    main()
