"""MiniMax-Remover through ComfyUI's Wan gives what the published code gives; its files are read under both names, and
any other is named."""

import pytest
import tiny_minimax
import tiny_wan
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


def test_weights_of_eight_bits_paint_nearly_the_same(run, file, minimax):
    noise, condition = tiny_minimax.inputs(frames=2)
    made = {}
    for dtype in ("fp32", "fp8_e4m3fn"):
        (model,) = run("CLEAR_LoadMiniMax", model_name=file.name, weight_dtype=dtype)
        with torch.inference_mode():
            made[dtype] = minimax.MiniMaxDenoiser(model, minimax.MiniMaxOptions())(
                noise, condition, schedule.sigmas(2) * 0.99
            )
        made[dtype, "size"] = model.model_size()
    assert made["fp8_e4m3fn", "size"] < 0.3 * made["fp32", "size"]
    apart = (made["fp8_e4m3fn"] - made["fp32"]).abs().mean() / made["fp32"].abs().mean()
    assert 0 < apart < 0.1


def test_its_own_options_and_the_sampler_reach_the_engine(run, file, minimax, monkeypatch):
    (model,) = run("CLEAR_LoadMiniMax", model_name=file.name, sampler="euler", shift=5.0, dilate=9, weight_dtype="fp32")
    engine = minimax.minimax_engine(model.clone(), _vae(), None, None, 1.0, minimax.EngineOptions(steps=4))
    assert engine.dilate == 9 and engine.denoiser.sampler == "euler" and engine.steps == 4
    torch.testing.assert_close(engine.sigmas, schedule.sigmas(4, 5.0))
    (plain,) = run("CLEAR_LoadMiniMax", model_name=file.name)
    engine = minimax.minimax_engine(plain, _vae(), None, None, 1.0, minimax.EngineOptions(steps=6))
    assert engine.dilate == 6 and engine.denoiser.sampler == "unipc" and engine.sigmas[0] < 1


def test_cancel_ends_the_run_at_the_next_step(minimax, load, file):
    import comfy.model_management

    seen = []

    def cancel(i, n):
        seen.append((i, n))
        comfy.model_management.interrupt_current_processing()

    denoiser = minimax.MiniMaxDenoiser(load(file), minimax.MiniMaxOptions())
    with torch.inference_mode(), pytest.raises(comfy.model_management.InterruptProcessingException):
        denoiser(*tiny_minimax.inputs(frames=1), schedule.sigmas(5) * 0.99, cancel)
    assert seen == [(1, 5)]


def test_another_file_is_refused_before_it_is_read(run, models, weights, error):
    save_file(weights[0], models / "diffusion_models" / "fun.safetensors")
    with pytest.raises(error, match="Fun-Control, which Load CLEAR takes"):
        run("CLEAR_LoadMiniMax", model_name="fun.safetensors")


def test_each_loader_names_the_other_one_s_file(run, file, error):
    words = "MiniMax-Remover, which Load MiniMax-Remover takes" if file.stem == "community" else "Diffusers"
    with pytest.raises(error, match=words):
        run("CLEAR_LoadModel", model_name=file.name, lora="none", strength=1.0, weight_dtype="default")


def test_a_lora_is_refused_in_words(run, load, file, minimax, models, weights, error, comfy_nodes):
    from clear_runtime.engines.lora import write_lora

    write_lora(models / "loras" / "clear.safetensors", weights[1])
    with pytest.raises(error, match="MiniMax-Remover, which takes no LoRA"):
        run("CLEAR_ApplyLoRA", model=load(file), lora="clear.safetensors", strength=1.0)
    # ComfyUI's own loader puts it on without a word
    (patched,) = comfy_nodes.LoraLoaderModelOnly().load_lora_model_only(load(file), "clear.safetensors", 1.0)
    with pytest.raises(error, match="LoRA on this MiniMax-Remover"):
        minimax.minimax_engine(patched, _vae(), None, None, 1.0, minimax.EngineOptions())


def test_a_film_begun_with_other_options_is_begun_anew(pack, load, file):
    from clear_pack.nodes.comfy.identity import model_identity

    identities = [
        model_identity(load(file, **own)) for own in ({}, {"shift": 5.0}, {"sampler": "euler"}, {"dilate": 0})
    ]
    assert len(set(identities)) == 4 and model_identity(load(file)) == identities[0]


def _vae():
    import comfy.sd

    return comfy.sd.VAE(sd=tiny_wan.vae_state(), dtype=torch.float32)
