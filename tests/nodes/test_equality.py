"""ComfyUI's MODEL and VAE through the pack give what DiffSynth with PEFT gives: float32, random weights."""

import pytest
import tiny_wan
import torch
from stopped_denoiser import require_steps_reported_and_stopped

from clear_runtime.engines import lora, schedule
from clear_runtime.engines.denoiser import DiffSynthDenoiser
from clear_runtime.engines.diffsynth_codec import DiffSynthCodec
from clear_runtime.engines.sampling import Known

BOUND = 1e-4


def difference(left, right):
    assert left.shape == right.shape and left.dtype == right.dtype == torch.float32
    return (left - right).abs().max().item()


@pytest.fixture(scope="session")
def backend(pack):
    from clear_pack.nodes.comfy import backend as comfy_backend

    return comfy_backend


@pytest.fixture(scope="session")
def patched(pack, weights, load_model):
    from clear_pack.nodes.comfy.apply_lora import with_lora

    state, change = weights
    return with_lora(load_model(state), change, 1.0)


@pytest.mark.parametrize("steps", [1, 5])
def test_denoiser_with_lora(backend, patched, weights, steps):
    state, change = weights
    noise, control, context = tiny_wan.window()
    sigmas = schedule.sigmas(steps)
    with torch.inference_mode():
        ours = backend.ComfyDenoiser(patched, [[context, {}]])(noise, control, sigmas)
    theirs = DiffSynthDenoiser.from_state(state, context, change)(noise, control, sigmas)
    assert difference(ours, theirs) < BOUND
    assert difference(DiffSynthDenoiser.from_state(state, context)(noise, control, sigmas), theirs) > 100 * BOUND, (
        "the LoRA must matter here"
    )


def test_going_on_from_what_is_known(backend, patched, weights):
    state, change = weights
    noise, control, context = tiny_wan.window()
    known = Known(tiny_wan.window(seed=5)[1][:, :, :2], 1)
    with torch.inference_mode():
        ours = backend.ComfyDenoiser(patched, [[context, {}]])(noise, control, schedule.sigmas(3), known=known)
    denoiser = DiffSynthDenoiser.from_state(state, context, change)
    theirs = denoiser(noise, control, schedule.sigmas(3), known=known)
    assert difference(ours, theirs) < BOUND and difference(ours[:, :, :1], known.latents[:, :, :1]) < 1e-5
    assert difference(theirs, denoiser(noise, control, schedule.sigmas(3))) > 100 * BOUND, "it must matter here"


def test_cfg_with_a_negative(backend, patched, weights):
    state, change = weights
    noise, control, context = tiny_wan.window(frames=1)
    negative = tiny_wan.window(seed=8)[2]
    with torch.inference_mode():
        ours = backend.ComfyDenoiser(patched, [[context, {}]], 2.5, [[negative, {}]])(
            noise, control, schedule.sigmas(2)
        )
    theirs = DiffSynthDenoiser.from_state(state, context, change, cfg=2.5, negative=negative)(
        noise, control, schedule.sigmas(2)
    )
    assert difference(ours, theirs) < BOUND


@pytest.mark.parametrize("foreign", ["reference_latents", "concat_mask", "clip_vision_output"])
def test_what_other_wan_nodes_left_in_the_conditioning_changes_nothing(backend, patched, foreign):
    noise, control, context = tiny_wan.window(frames=1)
    from types import SimpleNamespace

    left = {
        "reference_latents": [torch.randn(1, 16, 1, 8, 12)],
        "concat_mask": torch.ones(1, 1, 1, 8, 12),
        "clip_vision_output": SimpleNamespace(penultimate_hidden_states=torch.randn(1, 257, 1280)),
    }[foreign]
    with torch.inference_mode():
        plain = backend.ComfyDenoiser(patched, [[context, {}]])(noise, control, schedule.sigmas(1))
        other = backend.ComfyDenoiser(patched, [[context, {foreign: left}]])(noise, control, schedule.sigmas(1))
    assert difference(plain, other) == 0


def test_the_model_given_keeps_its_own_schedule_and_patches(backend, patched):
    before, patches = patched.get_model_object("model_sampling"), patched.patches_uuid
    noise, control, context = tiny_wan.window(frames=1)
    given = control.clone()
    with torch.inference_mode():
        backend.ComfyDenoiser(patched, [[context, {}]])(noise, control, schedule.sigmas(1))
    assert patched.get_model_object("model_sampling") is before and patched.patches_uuid == patches
    torch.testing.assert_close(control, given, rtol=0, atol=0)


def test_a_patch_on_the_model_reaches_the_sampling(backend, patched):
    noise, control, context = tiny_wan.window(frames=1)
    wrapped, calls = patched.clone(), []
    wrapped.set_model_unet_function_wrapper(
        lambda apply, args: calls.append(args["timestep"].item()) or apply(args["input"], args["timestep"], **args["c"])
    )
    with torch.inference_mode():
        backend.ComfyDenoiser(wrapped, [[context, {}]])(noise, control, schedule.sigmas(5))
    assert calls == pytest.approx(schedule.sigmas(5)[:-1].tolist())


def test_steps_are_reported_and_an_exception_ends_the_run(backend, patched):
    with torch.inference_mode():
        require_steps_reported_and_stopped(backend.ComfyDenoiser(patched, [[tiny_wan.window(frames=1)[2], {}]]))


def test_cancel_ends_the_run_at_the_next_step(backend, patched):
    import comfy.model_management

    noise, control, context = tiny_wan.window(frames=1)
    seen = []

    def cancel(i, n):
        seen.append(i)
        comfy.model_management.interrupt_current_processing()

    with torch.inference_mode(), pytest.raises(comfy.model_management.InterruptProcessingException):
        backend.ComfyDenoiser(patched, [[context, {}]])(noise, control, schedule.sigmas(5), cancel)
    assert seen == [1]


def test_vae(backend):
    import comfy.sd

    state = tiny_wan.vae_state()
    ours = backend.ComfyCodec(comfy.sd.VAE(sd=dict(state), dtype=torch.float32))
    theirs = DiffSynthCodec.from_state(state)
    assert (ours.spatial, ours.temporal) == (theirs.spatial, theirs.temporal) == (8, 4)
    frames = torch.rand(9, 32, 48, 3)
    with torch.inference_mode():
        latents = ours.encode(frames)
        assert difference(latents, theirs.encode(frames)) < BOUND
        assert difference(ours.decode(latents), theirs.decode(latents)) < BOUND


def test_lora_is_the_same_in_our_loader_comfyuis_and_peft(backend, patched, weights, load_model, models, comfy_nodes):
    state, change = weights
    lora.write_lora(models / "loras" / "clear.safetensors", change)
    noise, control, context = tiny_wan.window(frames=2)
    with torch.inference_mode():
        (stock,) = comfy_nodes.LoraLoaderModelOnly().load_lora_model_only(load_model(state), "clear.safetensors", 1.0)
        ours = backend.ComfyDenoiser(patched, [[context, {}]])(noise, control, schedule.sigmas(2))
        comfyuis = backend.ComfyDenoiser(stock, [[context, {}]])(noise, control, schedule.sigmas(2))
    peft = DiffSynthDenoiser.from_state(state, context, change)(noise, control, schedule.sigmas(2))
    assert max(difference(ours, comfyuis), difference(ours, peft)) < BOUND


def test_a_trained_lora_is_the_same_in_our_loader_comfyuis_and_peft(
    backend, weights, load_model, models, comfy_nodes, tmp_path
):
    """The file that the Stage II trainer writes, in half precision, on the base it was trained on."""
    from clear_runtime.train.lora.model import Adapted, save

    state, _ = weights
    adapted = Adapted(state, rank=4)
    with torch.no_grad():
        for parameter in adapted.lora().values():
            parameter.normal_(0, 0.05, generator=torch.Generator().manual_seed(parameter.numel()))
    save(tmp_path, adapted)
    (models / "loras" / "trained.safetensors").write_bytes((tmp_path / "lora.safetensors").read_bytes())
    change = lora.read_lora(tmp_path / "lora.safetensors")
    noise, control, context = tiny_wan.window(frames=2)
    from clear_pack.nodes.comfy.apply_lora import with_lora

    with torch.inference_mode():
        (stock,) = comfy_nodes.LoraLoaderModelOnly().load_lora_model_only(load_model(state), "trained.safetensors", 1.0)
        ours, comfyuis = (
            backend.ComfyDenoiser(model, [[context, {}]])(noise, control, schedule.sigmas(5))
            for model in (with_lora(load_model(state), change, 1.0), stock)
        )
    peft = DiffSynthDenoiser.from_state(state, context, {name: value.float() for name, value in change.items()})(
        noise, control, schedule.sigmas(5)
    )
    assert max(difference(ours, comfyuis), difference(ours, peft)) < BOUND
    assert (
        difference(DiffSynthDenoiser.from_state(state, context)(noise, control, schedule.sigmas(5)), peft) > 100 * BOUND
    ), "the LoRA must matter here"
