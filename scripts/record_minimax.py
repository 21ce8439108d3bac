"""Record what the published MiniMax-Remover makes of known inputs: what tests/ compare this project's with.

    git clone https://github.com/zibojia/MiniMax-Remover CHECKOUT
    python -m venv ENV && ENV/bin/pip install torch diffusers==0.33.1 transformers scipy safetensors einops
    ENV/bin/python scripts/record_minimax.py CHECKOUT

Writes tests/engines/unipc.json, the steps of diffusers' UniPCMultistepScheduler along a flow that can be written down,
and tests/engines/minimax.safetensors, what the published transformer makes of the weights and inputs of
tests/support/tiny_minimax.py: one prediction, and six Euler steps. Nothing of that code is kept, only what it computed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from diffusers import UniPCMultistepScheduler
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "tests" / "engines"
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import tiny_minimax  # noqa: E402  neither the repository nor its tests are installed

from clear_runtime.engines.minimax_names import original_names  # noqa: E402
from clear_runtime.engines.sampling import sample  # noqa: E402
from clear_runtime.engines.schedule import sigmas  # noqa: E402


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


@torch.no_grad()
def transformer(checkout: Path) -> dict[str, torch.Tensor]:
    """What the published network predicts halfway, and what it makes of noise in six Euler steps."""
    sys.path.insert(0, str(checkout))
    from transformer_minimax_remover import Transformer3DModel  # of the checkout

    model = Transformer3DModel(
        num_attention_heads=tiny_minimax.WIDTH // 128,
        attention_head_dim=128,
        in_channels=tiny_minimax.CHANNELS,
        out_channels=16,
        ffn_dim=tiny_minimax.FFN,
        num_layers=tiny_minimax.BLOCKS,
    )
    model.load_state_dict(original_names(tiny_minimax.state()))
    noise, condition = tiny_minimax.inputs()

    def velocity(x: torch.Tensor, sigma: float) -> torch.Tensor:
        return model(torch.cat([x, condition], 1), torch.tensor([1000 * sigma])).sample

    steps = sample(velocity, noise, sigmas(tiny_minimax.STEPS, tiny_minimax.SHIFT))
    return {"prediction": velocity(noise, 0.5), "latents": steps}


def main(checkout: Path) -> None:
    (HERE / "unipc.json").write_text(json.dumps(unipc()) + "\n")
    save_file({name: value.contiguous() for name, value in transformer(checkout).items()}, HERE / "minimax.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
