"""What Train CLEAR LoRA refuses before the first step, and says how to mend."""

import pytest
import tiny_wan
import torch
from tiny_lora_node import Pairs, Vae


def test_models_that_cannot_be_trained_are_refused(run, models, output, settings, weights, load_model, error):
    import comfy.sd

    patched, vae, positive = run("CLEAR_LoadNano", strength=1.0)
    with pytest.raises(error, match=r"carries patches on 20 of its weights.*strength to 0.*choose its file in start"):
        run("CLEAR_TrainLoRA", **settings(model=patched))
    context = tiny_wan.window()[2]
    eighth = comfy.sd.load_diffusion_model_state_dict(dict(weights[0]), model_options={"dtype": torch.float8_e4m3fn})
    with pytest.raises(error, match=r"quantised \(\d+ of torch.float8_e4m3fn.*weight_dtype bf16"):
        run("CLEAR_TrainLoRA", **settings(model=eighth, vae=Vae(), positive=[[context, {}]]))
    gguf = load_model(weights[0])

    class GGMLTensor(torch.Tensor):  # a loader's own tensors
        pass

    layer = gguf.model.diffusion_model.blocks[0].ffn[0]
    layer.weight = torch.nn.Parameter(layer.weight.data.as_subclass(GGMLTensor), requires_grad=False)
    with pytest.raises(error, match="1 of GGMLTensor"):
        run("CLEAR_TrainLoRA", **settings(model=gguf, vae=Vae(), positive=[[context, {}]]))


@pytest.mark.parametrize(
    "changes, says",
    [
        (dict(name="../x"), "cannot be a file's name"),
        (dict(vae=None), "VAE not connected"),
        (dict(targets="q,nonsense"), "ends in nonsense"),
        (dict(start="gone.safetensors"), "no file gone.safetensors"),
        (dict(positive=[[torch.zeros(1, 3, 768), {}]]), "768 wide"),
        (dict(positive=[[torch.zeros(1, 1, 4096), {}]] * 2), "several prompts"),
        (dict(targets=""), "ends in nothing"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_encoded(
    run, models, output, settings, error, changes, says, monkeypatch
):
    monkeypatch.setattr(Pairs, "read", lambda *_: pytest.fail("nothing is encoded"))
    with pytest.raises(error, match=says):
        run("CLEAR_TrainLoRA", **settings(**changes))


def test_other_settings_under_a_name_are_refused_before_anything_is_encoded(
    run, models, output, settings, error, monkeypatch
):
    run("CLEAR_TrainLoRA", **settings(steps=1))
    monkeypatch.setattr(Pairs, "read", lambda *_: pytest.fail("nothing is encoded"))
    latents = sorted((output / "mine" / "latents").iterdir())
    with pytest.raises(error, match="rate was 0.001 and is 0.002"):
        run("CLEAR_TrainLoRA", **settings(steps=1, rate=2e-3, pairs=Pairs(count=3)))
    assert sorted((output / "mine" / "latents").iterdir()) == latents


def test_missing_packages_are_named_with_the_command(run, models, output, settings, error, monkeypatch):
    from clear_pack.clear_runtime.train.lora import preflight

    real = preflight.find_spec
    monkeypatch.setattr(
        preflight, "find_spec", lambda name, *rest: None if name in ("peft", "bitsandbytes") else real(name, *rest)
    )
    with pytest.raises(error, match=r'python -m pip install "peft>=0.21" bitsandbytes'):
        run("CLEAR_TrainLoRA", **settings(optimiser="adamw8bit"))


def test_too_little_memory_is_said_before_the_first_step(run, models, output, settings, error, monkeypatch):
    import comfy.model_management as management

    monkeypatch.setattr(
        management, "get_free_memory", lambda *_, torch_free_too=False: (2**20, 2**20) if torch_free_too else 2**20
    )
    monkeypatch.setattr(Pairs, "read", lambda *_: pytest.fail("nothing is encoded"))
    with pytest.raises(error, match="This run needs about"):
        run("CLEAR_TrainLoRA", **settings())
    assert not (output / "mine" / "training.pt").exists()
