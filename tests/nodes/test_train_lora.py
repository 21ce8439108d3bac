"""Train CLEAR LoRA inside ComfyUI's own process, on small models with random weights and the bundled one."""

from types import SimpleNamespace

import pytest
import tiny_wan
import torch
from safetensors.torch import load_file
from tiny_lora_node import Pairs, Vae

from clear_runtime.engines import lora, schedule


def frames_of(model, positive, noise, control):
    from clear_pack.nodes.comfy.backend import ComfyDenoiser

    with torch.inference_mode():
        return ComfyDenoiser(model, positive)(noise, control, schedule.sigmas(1))


def base_of(model):
    return {name: weight.detach().clone() for name, weight in model.model.diffusion_model.named_parameters()}


def test_a_lora_is_trained_and_comes_out_on_the_model(run, models, output, nano, settings):
    noise, control, _ = tiny_wan.window(frames=1)
    model, _, positive = nano
    before, weights = frames_of(model, positive, noise, control), base_of(model)
    trained, name, curves, example, report = run("CLEAR_TrainLoRA", **settings())
    assert name == "mine.safetensors" and len(trained.patches) == 20 and not model.patches
    assert (
        curves.shape[0] == example.shape[0] == 1
        and curves.shape[2] == example.shape[2] == 640
        and curves.std() > 0.05
        and example.std() > 0.05
    )
    assert (
        report.startswith("2 clips in memory")
        and "Examples of 5 frames of 96x64 pixels, control both" in report
        and "2 steps" in report
    )
    state = lora.read_lora(models / "loras" / name)
    assert lora.rank(state) == 4 and any(value.any() for key, value in state.items() if "lora_B" in key)
    assert (models / "loras" / "mine.occlusion_head.safetensors").exists() and (
        output / "mine" / "training.pt"
    ).exists()
    after = frames_of(trained, positive, noise, control)
    assert not torch.equal(after, before), "the LoRA is on the MODEL that comes out"
    (applied,) = run("CLEAR_ApplyLoRA", model=model, lora=name, strength=1.0)
    assert torch.equal(frames_of(applied, positive, noise, control), after), "and it is the file's"
    assert torch.equal(frames_of(model, positive, noise, control), before), (
        "the MODEL that went in gives the very frames that it gave"
    )
    assert all(torch.equal(value, weights[name]) for name, value in model.model.diffusion_model.named_parameters())


def test_wan_learns_from_frames_as_they_are(run, models, output, weights, load_model, settings):
    context = tiny_wan.window()[2]
    trained, name, _, _, report = run(
        "CLEAR_TrainLoRA",
        **settings(
            model=load_model(weights[0]),
            vae=Vae(),
            positive=[[context, {}]],
            name="wan",
            targets="q, v",
            height=32,
            width=48,
        ),
    )
    assert "control as is" in report and "Examples of 5 frames of 48x32 pixels" in report
    assert len(trained.patches) == 8 and len(lora.modules(lora.read_lora(models / "loras" / name))) == 8


def test_cancel_while_the_pairs_are_encoded_keeps_those_that_are(run, models, output, settings, cancelled):
    latents = output / "mine" / "latents"
    with cancelled(when=lambda: any(latents.glob("*.safetensors"))):
        run("CLEAR_TrainLoRA", **settings())
    (kept,) = latents.glob("*.safetensors")
    written = kept.stat().st_mtime_ns
    run("CLEAR_TrainLoRA", **settings())
    assert kept.stat().st_mtime_ns == written and len(list(latents.iterdir())) == 2


def test_a_cancelled_run_goes_on_to_the_same_lora(run, models, output, settings, cancelled):
    run("CLEAR_TrainLoRA", **settings(name="whole", steps=3))
    history = output / "parts" / "history.jsonl"
    with cancelled(when=lambda: history.exists() and len(history.read_text().splitlines()) == 2):
        run("CLEAR_TrainLoRA", **settings(name="parts", steps=3))
    assert (
        torch.load(output / "parts" / "training.pt", weights_only=True)["step"] == 2
        and not (models / "loras" / "parts.safetensors").exists()
    )
    *_, report = run("CLEAR_TrainLoRA", **settings(name="parts", steps=3))
    assert "3 steps" in report
    for kind in ("", ".occlusion_head"):
        whole, parts = (load_file(models / "loras" / f"{name}{kind}.safetensors") for name in ("whole", "parts"))
        assert whole and all(torch.equal(whole[key], parts[key]) for key in whole)


def test_a_finished_run_is_handed_on_and_may_be_made_longer(run, models, output, settings):
    first = run("CLEAR_TrainLoRA", **settings(steps=2))
    stamp = (output / "mine" / "training.pt").stat().st_mtime_ns
    again = run("CLEAR_TrainLoRA", **settings(steps=2))
    assert (
        (output / "mine" / "training.pt").stat().st_mtime_ns == stamp
        and torch.equal(first[3], again[3])
        and len(again[0].patches) == 20
    )
    *_, report = run("CLEAR_TrainLoRA", **settings(steps=3))
    assert "3 steps" in report and torch.load(output / "mine" / "training.pt", weights_only=True)["step"] == 3


def test_cancel_in_the_middle_of_a_step_keeps_the_one_before(run, models, output, settings, monkeypatch, cancelled):
    from clear_pack.clear_runtime.train.lora.cache import LatentClips

    run("CLEAR_TrainLoRA", **settings(name="whole", steps=3, accumulate=4))
    read, seen = LatentClips.__getitem__, []
    with monkeypatch.context() as patch:
        patch.setattr(LatentClips, "__getitem__", lambda self, k: (seen.append(k), read(self, k))[1])
        with cancelled(when=lambda: 6 in seen):  # the third batch of the second step
            run("CLEAR_TrainLoRA", **settings(name="parts", steps=3, accumulate=4))
    assert max(seen) == 6 and torch.load(output / "parts" / "training.pt", weights_only=True)["step"] == 1
    *_, report = run("CLEAR_TrainLoRA", **settings(name="parts", steps=3, accumulate=4))
    assert "3 steps" in report
    whole, parts = (load_file(models / "loras" / f"{name}.safetensors") for name in ("whole", "parts"))
    assert whole and all(torch.equal(whole[key], parts[key]) for key in whole)


def test_other_pairs_or_another_prompt_under_a_finished_name_are_refused_before_anything_is_encoded(
    run, models, output, settings, error, monkeypatch
):
    run("CLEAR_TrainLoRA", **settings(steps=1))
    latents = sorted((output / "mine" / "latents").iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(Pairs, "read", lambda *_: pytest.fail("nothing is encoded"))
        with pytest.raises(error, match="run mine is at its end, after step 1, with other pairs.*Ask for more steps"):
            run("CLEAR_TrainLoRA", **settings(steps=1, pairs=Pairs(count=3)))
        with pytest.raises(error, match="the prompt was another one"):
            run("CLEAR_TrainLoRA", **settings(steps=1, positive=[[torch.ones(1, 1, 4096), {}]]))
    assert sorted((output / "mine" / "latents").iterdir()) == latents
    *_, report = run("CLEAR_TrainLoRA", **settings(steps=2, pairs=Pairs(count=3)))
    assert "of 3, 1 are new or changed" in report and "2 steps" in report


def test_a_finished_lora_that_was_deleted_is_made_again(pack, run, models, output, settings, cancelled):
    node = pack.listed["CLEAR_TrainLoRA"]
    links = ("model", "vae", "positive", "pairs")
    stamp = lambda **changes: node.fingerprint_inputs(
        **{name: value for name, value in settings(**changes).items() if name not in links}
    )
    before = stamp()
    with cancelled(when=lambda: (output / "mine" / "history.jsonl").exists()):
        run("CLEAR_TrainLoRA", **settings())
    assert stamp() == before
    run("CLEAR_TrainLoRA", **settings())
    finished, file = stamp(), models / "loras" / "mine.safetensors"
    assert finished == before and stamp(steps=3) != before
    file.unlink()
    assert stamp() != finished
    run("CLEAR_TrainLoRA", **settings())
    assert stamp() == finished and file.exists()


def test_the_node_trains_alone_whatever_the_environment_says(run, models, output, settings, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")  # as rented machines have it; waiting for three others would never end
    monkeypatch.setenv("RANK", "0")
    run("CLEAR_TrainLoRA", **settings(steps=1))
    assert (models / "loras" / "mine.safetensors").exists()


def test_training_goes_on_from_a_lora(run, models, output, settings, small_nano):
    lora.write_lora(models / "loras" / "old.safetensors", small_nano.lora_state())
    run("CLEAR_TrainLoRA", **settings(name="new", start="old.safetensors", steps=1, rate=1e-6))
    old, new = (lora.read_lora(models / "loras" / f"{name}.safetensors") for name in ("old", "new"))
    assert set(old) == set(new) and lora.rank(new) == lora.rank(old)
    assert max((new[name].float() - old[name].float()).abs().max() for name in old) < 1e-3


def test_an_output_that_exists_is_never_overwritten(run, models, output, settings, error, monkeypatch):
    lora.write_lora(models / "loras" / "mine.safetensors", tiny_wan.lora_state(tiny_wan.wan_state()))
    held = (models / "loras" / "mine.safetensors").read_bytes()
    monkeypatch.setattr(Pairs, "read", lambda *_: pytest.fail("nothing is encoded"))
    with pytest.raises(error, match="exists already.*choose another name, mine_2"):
        run("CLEAR_TrainLoRA", **settings())
    assert (models / "loras" / "mine.safetensors").read_bytes() == held


def test_weights_are_shared_and_autograd_takes_them(pack, nano):
    from clear_pack.nodes.comfy.shared_weights import base_weights

    model = nano[0]
    with torch.inference_mode():
        dtype = next(model.model.diffusion_model.parameters()).dtype
        shared = base_weights(model, dtype)
    network = dict(model.model.diffusion_model.named_parameters())
    assert set(shared) == set(network)
    assert all(
        shared[name].data_ptr() == network[name].data_ptr() and torch.equal(shared[name], network[name])
        for name in network
    )
    assert not any(value.is_inference() for value in shared.values())
    weight = shared["blocks.0.self_attn.q.weight"]
    x = torch.randn(2, weight.shape[1], dtype=dtype, requires_grad=True)
    torch.nn.functional.linear(x, weight).sum().backward()
    assert x.grad.abs().sum() > 0


def test_weights_are_read_without_another_clone_s_patches(pack, run, weights, load_model):
    from clear_pack.nodes.comfy.apply_lora import with_lora
    from clear_pack.nodes.comfy.shared_weights import base_weights

    state, change = weights
    noise, control, context = tiny_wan.window(frames=1)
    bare = load_model(state)
    frames_of(with_lora(bare, change, 1.0), [[context, {}]], noise, control)  # leaves its patched weights loaded
    with torch.inference_mode():
        shared = base_weights(bare, torch.float32)
    assert all(torch.equal(shared[name], state[name]) for name in state)


def test_curves_and_example_are_on_the_node_while_it_trains(run, models, output, settings, monkeypatch):
    import comfy.utils

    shown = []
    monkeypatch.setattr(
        comfy.utils,
        "ProgressBar",
        lambda total: SimpleNamespace(
            update_absolute=lambda value, total=None, preview=None: shown.append((value, total, preview))
        ),
    )
    run("CLEAR_TrainLoRA", **settings(steps=2))
    pictures = [(value, preview[1].size) for value, _, preview in shown if preview is not None]
    assert [value for value, _ in pictures] == [3, 4] and all(
        width == 640 and height > 500 for _, (width, height) in pictures
    )
    assert [(value, total) for value, total, _ in shown] == [(n, 4) for n in (1, 2, 3, 4)], "one bar over both"


def on_the_list(patcher):
    import comfy.model_management as management

    return any(one.model is patcher for one in management.current_loaded_models)


def test_the_vae_is_loaded_only_while_an_example_is_decoded_and_the_model_stays(
    run, models, output, nano, settings, monkeypatch
):
    import comfy.model_management as management
    from clear_pack.nodes.train import lora_run

    model, vae, _ = nano
    monkeypatch.setattr(
        management, "get_free_memory", lambda *_, torch_free_too=False: (2**40, 2**40) if torch_free_too else 2**40
    )
    real, seen = vae.decode, []

    def decode(samples, **options):
        frames = real(samples, **options)
        assert on_the_list(vae.patcher)
        management.free_memory(1e30, management.get_torch_device())  # what a large decode would do to make room
        seen.append(1)
        return frames

    decoding = lora_run.decoding

    def watched(codec, model):
        decode = decoding(codec, model)

        def looked(latents):
            clone = model.clone()
            management.load_models_gpu([clone])
            unloads = []
            monkeypatch.setattr(type(clone), "detach", lambda patcher, unpatch_all=True: unloads.append(patcher))
            frames = decode(latents)
            assert (
                on_the_list(clone) and clone not in unloads and not on_the_list(vae.patcher) and vae.patcher in unloads
            )
            seen.append("looked")
            return frames

        return looked

    monkeypatch.setattr(vae, "decode", decode, raising=False)
    monkeypatch.setattr(lora_run, "decoding", watched)
    run("CLEAR_TrainLoRA", **settings(steps=1))
    assert seen == [1, 1, "looked"]


def test_a_failed_look_leaves_the_lists_as_they_should_be(pack, nano):
    import comfy.model_management as management
    from clear_pack.nodes.comfy.managed import passing

    model, vae, _ = nano
    management.load_models_gpu([model])
    with pytest.raises(RuntimeError, match="no room"), passing(vae.patcher, model):
        management.load_models_gpu([vae.patcher])
        assert on_the_list(vae.patcher) and not on_the_list(model)
        raise RuntimeError("no room")
    assert on_the_list(model) and not on_the_list(vae.patcher)


def test_a_lora_at_strength_0_is_no_patch(run, models, nano, small_nano):
    lora.write_lora(models / "loras" / "a.safetensors", small_nano.lora_state())
    (model,) = run("CLEAR_ApplyLoRA", model=nano[0], lora="a.safetensors", strength=0.0)
    assert model is not nano[0] and not model.patches and not nano[0].patches
