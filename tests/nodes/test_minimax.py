"""MiniMax-Remover through ComfyUI's Wan gives what the published code gives; its files are read under both names, and
any other is named."""

import pytest
import tiny_minimax
import torch
from paths import ROOT
from safetensors.torch import load_file, save_file

from clear_runtime.engines import schedule
from clear_runtime.engines.minimax_names import original_names

RECORDED = load_file(ROOT / "tests" / "engines" / "minimax.safetensors")
"""What the published transformer made of the same weights and inputs: scripts/record_minimax.py."""
BOUND = 1e-4


@pytest.fixture(params=["community", "original"])
def file(request, models):
    """The tiny model's file under either set of names."""
    state = tiny_minimax.state()
    path = models / "diffusion_models" / f"{request.param}.safetensors"
    save_file(state if request.param == "community" else original_names(state), path)
    return path


@pytest.fixture
def minimax(pack):
    from clear_pack.nodes.comfy import minimax

    return minimax


@pytest.fixture
def load(minimax):
    def load(path, **own):
        return minimax.load_minimax(str(path), {"dtype": torch.float32}, minimax.MiniMaxOptions(**own))

    return load


def test_a_prediction_and_six_euler_steps_are_the_published_codes(minimax, load, file):
    noise, condition = tiny_minimax.inputs()
    denoiser = minimax.MiniMaxDenoiser(load(file), minimax.MiniMaxOptions(sampler="euler"))
    with torch.inference_mode():
        # one step from level 0.5 down to 0 is half the prediction taken off
        halfway = denoiser(noise, condition, torch.tensor([0.5, 0.0]))
        latents = denoiser(noise, condition, schedule.sigmas(tiny_minimax.STEPS, tiny_minimax.SHIFT))
    torch.testing.assert_close(2 * (noise - halfway), RECORDED["prediction"], rtol=0, atol=BOUND)
    torch.testing.assert_close(latents, RECORDED["latents"], rtol=0, atol=BOUND)


def test_cross_attention_is_gone_from_the_model_and_from_what_it_weighs(load, file):
    model = load(file)
    names = [name for name, _ in model.model.named_parameters()]
    assert not any("cross_attn" in name or "norm3" in name for name in names)
    weights = sum(value.nbytes for value in tiny_minimax.state().values())
    text = 4 * tiny_minimax.WIDTH * (4096 + tiny_minimax.WIDTH + 2)
    assert weights + text <= model.model_size() < weights + text + 100_000
