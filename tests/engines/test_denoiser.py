"""The DiffSynth denoiser is DiffSynth's own model, schedule and PEFT, step for step."""

import pytest
import tiny_wan
import torch
from stopped_denoiser import require_steps_reported_and_stopped

from clear_runtime.engines import denoiser, lora, schedule
from clear_runtime.engines.diffsynth_codec import DiffSynthCodec
from clear_runtime.errors import ClearError

FIVE_STEPS = 1e-5


@pytest.fixture(scope="module")
def weights():
    state = tiny_wan.wan_state()
    return state, tiny_wan.lora_state(state)


@pytest.mark.parametrize("steps", [1, 2, 5, 10])
def test_sigmas_are_diffsynths(steps):
    from diffsynth.diffusion.flow_match import FlowMatchScheduler

    theirs = FlowMatchScheduler("Wan")
    theirs.set_timesteps(steps, shift=5.0)
    assert schedule.sigmas(steps)[-1] == 0
    torch.testing.assert_close(schedule.sigmas(steps)[:-1].float(), theirs.sigmas.float(), rtol=0, atol=1e-6)


def reference(state, lora_state, noise, control, context, steps=5):
    """The same through DiffSynth's scheduler and merged weights: neither PEFT nor this project's loop."""
    from diffsynth.diffusion.flow_match import FlowMatchScheduler
    from diffsynth.pipelines.wan_video import model_fn_wan_video

    merged = dict(state)
    for module in lora.modules(lora_state):
        merged[module + ".weight"] = (
            state[module + ".weight"] + lora_state[module + ".lora_B.weight"] @ lora_state[module + ".lora_A.weight"]
        )
    model = denoiser.wan_model(merged)
    scheduler, x = FlowMatchScheduler("Wan"), noise
    scheduler.set_timesteps(steps, shift=5.0)
    y = torch.cat([control, torch.zeros_like(control)], 1)
    with torch.no_grad():
        for t in scheduler.timesteps:
            x = scheduler.step(
                model_fn_wan_video(
                    model,
                    latents=x,
                    timestep=t[None].float(),
                    context=context,
                    clip_feature=torch.zeros(1, 257, 1280),
                    y=y,
                ),
                t,
                x,
            )
    return x


def test_five_steps_with_lora_are_diffsynths(weights):
    state, change = weights
    noise, control, context = tiny_wan.window()
    ours = denoiser.DiffSynthDenoiser.from_state(state, context, change)
    result = ours(noise, control, schedule.sigmas(5))
    theirs = reference(state, change, noise, control, context)
    assert (result - theirs).abs().max() < FIVE_STEPS
    without = denoiser.DiffSynthDenoiser.from_state(state, context)(noise, control, schedule.sigmas(5))
    assert (without - theirs).abs().max() > 1000 * FIVE_STEPS, (
        "the LoRA must matter, or the comparison above says nothing"
    )


def test_strength_is_linear_in_the_weights(weights):
    state, change = weights
    noise, control, context = tiny_wan.window()
    halved = {name: value * 0.5 if "lora_B" in name else value for name, value in change.items()}
    left = denoiser.DiffSynthDenoiser.from_state(state, context, change, strength=0.5)(
        noise, control, schedule.sigmas(1)
    )
    right = denoiser.DiffSynthDenoiser.from_state(state, context, halved)(noise, control, schedule.sigmas(1))
    torch.testing.assert_close(left, right)


def test_steps_are_reported_and_can_be_stopped(weights):
    require_steps_reported_and_stopped(denoiser.DiffSynthDenoiser.from_state(weights[0], tiny_wan.window(frames=1)[2]))


def test_cfg_blends_with_the_negative_and_needs_one(weights):
    state, _ = weights
    noise, control, context = tiny_wan.window(frames=1)
    negative = tiny_wan.window(seed=9)[2]
    make = denoiser.DiffSynthDenoiser.from_state
    sigmas = schedule.sigmas(1)
    plain, against = make(state, context)(noise, control, sigmas), make(state, negative)(noise, control, sigmas)
    guided = make(state, context, cfg=3.0, negative=negative)(noise, control, sigmas)
    torch.testing.assert_close(guided, against + 3 * (plain - against), rtol=1e-4, atol=1e-4)
    with pytest.raises(ClearError, match="negative"):
        make(state, context, cfg=3.0)


def test_a_lora_of_another_model_and_another_base_are_refused(weights):
    state, change = weights
    with pytest.raises(ClearError, match="20 of its 20 layers"):
        denoiser.DiffSynthDenoiser.from_state(tiny_wan.wan_state(width=128, ffn=256), torch.zeros(1, 1, 4096), change)
    with pytest.raises(ClearError, match="T2V"):
        denoiser.wan_model({**state, "patch_embedding.weight": torch.zeros(256, 16, 1, 2, 2)})


def test_codec_goes_there_and_back_in_wans_layout():
    codec = DiffSynthCodec.from_state({"model." + name: value for name, value in tiny_wan.vae_state().items()})
    latents = codec.encode(torch.rand(9, 32, 48, 3))
    assert latents.shape == (1, 16, 3, 4, 6) and latents.dtype == torch.float32
    frames = codec.decode(latents)
    assert frames.shape == (9, 32, 48, 3) and frames.min() >= 0 and frames.max() <= 1
    with pytest.raises(ClearError, match="not Wan2.1's VAE"):
        DiffSynthCodec.from_state({"decoder.conv_in.weight": torch.zeros(1)})
