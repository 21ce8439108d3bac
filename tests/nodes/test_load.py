"""The loading nodes: what they accept, what they refuse, and in which words."""

import logging

import pytest
import tiny_wan
import torch
from safetensors.torch import save_file

from clear_runtime.engines import lora, schedule
from clear_runtime.engines.prompt import FILE_NAME


@pytest.fixture
def base_file(models, weights):
    save_file(weights[0], models / "diffusion_models" / "fun_control.safetensors")
    return "fun_control.safetensors"


def patches(model) -> int:
    return sum(len(entries) for entries in model.patches.values())


def denoise(pack, model, steps=1):
    from clear_pack.nodes.comfy.backend import ComfyDenoiser

    noise, control, context = tiny_wan.window(frames=1)
    with torch.inference_mode():
        return ComfyDenoiser(model, [[context, {}]])(noise, control, schedule.sigmas(steps))


@pytest.mark.parametrize(
    "folder, file, wrap",
    [
        ("loras", "a.safetensors", None),
        ("clear", "b.pt", "model_state_dict"),
        ("loras", "c.pt", "dit_state_dict"),
        ("clear", "d.pt", "bare"),
    ],
)
def test_load_clear_applies_a_lora_of_every_style(run, models, base_file, weights, pack, folder, file, wrap):
    state, change = weights
    if wrap is None:
        lora.write_lora(models / folder / file, change)
    else:
        named = {"pipe.dit." + name: value for name, value in lora.to_peft(change).items()}
        torch.save(named if wrap == "bare" else {wrap: named, "temporal_loss_weight": 0.1}, models / folder / file)
    (model,) = run("CLEAR_LoadModel", model_name=base_file, lora=file, strength=1.0, weight_dtype="fp32")
    merged = dict(state)
    for module in lora.modules(change):
        merged[module + ".weight"] = (
            state[module + ".weight"] + change[module + ".lora_B.weight"] @ change[module + ".lora_A.weight"]
        )
    save_file(merged, models / "diffusion_models" / "merged.safetensors")
    (expected,) = run(
        "CLEAR_LoadModel", model_name="merged.safetensors", lora="none", strength=1.0, weight_dtype="fp32"
    )
    torch.testing.assert_close(denoise(pack, model), denoise(pack, expected), rtol=0, atol=1e-4)
    assert patches(model) == len(lora.modules(change)) and patches(expected) == 0


def further_changes(state):
    """(file's tensors, the weights that they come to) of every kind of change, over a small Wan's weights."""
    generator = torch.Generator().manual_seed(8)
    random = lambda *shape: 0.2 * torch.randn(shape, generator=generator)
    rows, columns = state["blocks.0.ffn.0.weight"].shape
    file, merged = {}, dict(state)

    a, b = random(2, columns), random(rows, 2)
    file |= {"lora_unet_blocks_0_ffn_0.lora_down.weight": a, "lora_unet_blocks_0_ffn_0.lora_up.weight": b}
    file["lora_unet_blocks_0_ffn_0.alpha"] = torch.tensor(1.0)
    merged["blocks.0.ffn.0.weight"] = state["blocks.0.ffn.0.weight"] + b @ a / 2

    file["transformer.blocks.0.ffn.net.0.proj.diff_b"] = random(rows)
    merged["blocks.0.ffn.0.bias"] = state["blocks.0.ffn.0.bias"] + file["transformer.blocks.0.ffn.net.0.proj.diff_b"]

    width = len(state["blocks.0.norm3.weight"])
    for name, key in (
        ("blocks.0.norm3", "blocks.0.norm3.diff"),
        ("blocks.1.self_attn.norm_q", "lycoris_blocks_1_attn1_norm_q.w_norm"),
    ):
        file[key] = random(width)
        merged[f"{name}.weight"] = state[f"{name}.weight"] + file[key]

    factors = {"w1_a": (width, 2), "w1_b": (2, width), "w2_a": (width, 2), "w2_b": (2, width)}
    hada = {name: random(*shape) for name, shape in factors.items()}
    file |= {f"diffusion_model.blocks.1.self_attn.q.hada_{name}": value for name, value in hada.items()}
    file["diffusion_model.blocks.1.self_attn.q.alpha"] = torch.tensor(1.0)
    product = (hada["w1_a"] @ hada["w1_b"]) * (hada["w2_a"] @ hada["w2_b"]) / 2
    merged["blocks.1.self_attn.q.weight"] = state["blocks.1.self_attn.q.weight"] + product

    w1, w2a, w2b = random(2, 2), random(width // 2, 3), random(3, width // 2)
    file |= {f"lycoris_blocks_1_attn2_to_v.lokr_{name}": x for name, x in (("w1", w1), ("w2_a", w2a), ("w2_b", w2b))}
    merged["blocks.1.cross_attn.v.weight"] = state["blocks.1.cross_attn.v.weight"] + torch.kron(w1, w2a @ w2b)

    both = "blocks.0.cross_attn.o"  # a pair, and a difference beside it: neither is lost
    down, up, beside = random(2, width), random(width, 2), random(width, width)
    file |= {f"{both}.lora_A.weight": down, f"{both}.lora_B.weight": up, f"{both}.diff": beside}
    merged[f"{both}.weight"] = state[f"{both}.weight"] + up @ down + beside
    return file, merged


def saved(path, tensors):
    save_file({name: value.contiguous() for name, value in tensors.items()}, path)


def test_every_kind_of_change_is_applied_as_its_formula_says(run, models, base_file, weights, pack):
    file, merged = further_changes(weights[0])
    saved(models / "loras" / "many.safetensors", file)
    saved(models / "diffusion_models" / "many.safetensors", merged)
    load = lambda model, lora: run("CLEAR_LoadModel", model_name=model, lora=lora, strength=1.0, weight_dtype="fp32")[0]
    model = load(base_file, "many.safetensors")
    expected, plain = load("many.safetensors", "none"), load(base_file, "none")
    got, wanted, before = (denoise(pack, one) for one in (model, expected, plain))
    torch.testing.assert_close(got, wanted, rtol=0, atol=2e-4)
    assert (wanted - before).abs().mean() > 0.01
    assert sum(len(patches) for patches in model.patches.values()) == 8


def test_a_change_that_has_no_place_is_counted_whatever_its_kind(run, models, base_file, weights, error):
    file, _ = further_changes(weights[0])
    file["blocks.9.ffn.0.diff_b"] = torch.zeros(7)
    file["blocks.0.norm3.diff_b"] = torch.zeros(7)
    saved(models / "loras" / "many.safetensors", file)
    with pytest.raises(error, match="2 of its 10 .*1 name a layer that is not there .*1 have another size"):
        run("CLEAR_LoadModel", model_name=base_file, lora="many.safetensors", strength=1.0, weight_dtype="fp32")


def test_an_fp8_lora_is_applied(run, models, base_file, weights, pack):
    narrow = {name: value.to(torch.float8_e4m3fn) for name, value in weights[1].items()}
    save_file(narrow, models / "loras" / "narrow.safetensors")
    lora.write_lora(models / "loras" / "wide.safetensors", {name: value.float() for name, value in narrow.items()})
    load = lambda file: run("CLEAR_LoadModel", model_name=base_file, lora=file, strength=1.0, weight_dtype="fp32")[0]
    got, wanted = (denoise(pack, load(f"{name}.safetensors")) for name in ("narrow", "wide"))
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", ["bf16", "fp16", "fp8_e4m3fn", "default"])
def test_weight_dtypes_run_and_stay_close(run, models, base_file, weights, pack, dtype):
    lora.write_lora(models / "loras" / "a.safetensors", weights[1])
    (exact,) = run("CLEAR_LoadModel", model_name=base_file, lora="a.safetensors", strength=1.0, weight_dtype="fp32")
    (model,) = run("CLEAR_LoadModel", model_name=base_file, lora="a.safetensors", strength=1.0, weight_dtype=dtype)
    wanted, got = denoise(pack, exact), denoise(pack, model)
    assert torch.nn.functional.cosine_similarity(wanted.flatten(), got.flatten(), dim=0) > 0.98


def test_apply_lora_leaves_the_model_given_as_it_was(run, models, weights, load_model, pack):
    lora.write_lora(models / "clear" / "a.safetensors", weights[1])
    model = load_model(weights[0])
    before = denoise(pack, model)
    (half,) = run("CLEAR_ApplyLoRA", model=model, lora="a.safetensors", strength=0.5)
    (twice,) = run("CLEAR_ApplyLoRA", model=half, lora="a.safetensors", strength=0.5)
    (once,) = run("CLEAR_ApplyLoRA", model=model, lora="a.safetensors", strength=1.0)
    torch.testing.assert_close(denoise(pack, twice), denoise(pack, once), rtol=0, atol=1e-4)
    assert (denoise(pack, half) - denoise(pack, once)).abs().max() > 0.01
    torch.testing.assert_close(denoise(pack, model), before, rtol=0, atol=0)
    assert (patches(model), patches(half), patches(twice)) == (0, 20, 40)


def test_a_partly_compiled_model_takes_the_lora(run, models, weights, load_model):
    lora.write_lora(models / "clear" / "a.safetensors", weights[1])
    model = load_model(weights[0])

    class Compiled(torch.nn.Module):  # what torch.compile's wrapper does to the names
        def __init__(self, block):
            super().__init__()
            self._orig_mod = block

    model.model.diffusion_model.blocks[0] = Compiled(model.model.diffusion_model.blocks[0])
    (patched,) = run("CLEAR_ApplyLoRA", model=model, lora="a.safetensors", strength=1.0)
    assert sum("blocks.0._orig_mod." in name for name in patched.patches) == 10 and patches(patched) == 20


def test_a_lora_of_another_model_is_counted_and_refused(run, models, weights, load_model, error):
    lora.write_lora(
        models / "loras" / "other.safetensors", tiny_wan.lora_state(tiny_wan.wan_state(width=128, ffn=256, blocks=3))
    )
    with pytest.raises(error, match=r"30 of its 30 layers.*10 name a layer that is not there.*20 have another size"):
        run("CLEAR_ApplyLoRA", model=load_model(weights[0]), lora="other.safetensors", strength=1.0)


def test_first_version_is_warned_about(run, models, weights, caplog):
    save_file(
        {name: value for name, value in weights[0].items() if not name.startswith("ref_conv")},
        models / "diffusion_models" / "v10.safetensors",
    )
    with caplog.at_level(logging.WARNING):
        run("CLEAR_LoadModel", model_name="v10.safetensors", lora="none", strength=1.0, weight_dtype="fp32")
    assert "V1.0" in caplog.text and "Wan2.1-Fun-V1.1-1.3B-Control" in caplog.text


def wan(width, channels, img_emb=True):
    out = {
        "patch_embedding.weight": torch.zeros(width, channels, 1, 2, 2),
        "blocks.0.self_attn.q.weight": torch.zeros(width, 1),
    }
    return out | ({"img_emb.proj.1.weight": torch.zeros(1)} if img_emb else {})


@pytest.mark.parametrize(
    "state, words",
    [
        (wan(1536, 16, False), "T2V"),
        (wan(1536, 36), "I2V"),
        (wan(5120, 48), "14B"),
        (wan(1536, 16) | {"vace_patch_embedding.weight": torch.zeros(1)}, "VACE"),
        ({"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(1)}, "Stable Diffusion"),
        ({"x": torch.zeros(1)}, "not a Wan model"),
    ],
)
def test_another_base_is_refused_by_what_it_is(run, models, error, state, words):
    save_file(state, models / "diffusion_models" / "wrong.safetensors")
    with pytest.raises(error, match=words) as caught:
        run("CLEAR_LoadModel", model_name="wrong.safetensors", lora="none", strength=1.0, weight_dtype="default")
    assert "Wan2.1-Fun-V1.1-1.3B-Control" in str(caught.value)


def test_truncated_and_missing_files_are_refused(run, models, base_file, error):
    whole = (models / "diffusion_models" / base_file).read_bytes()
    (models / "diffusion_models" / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(error, match="cut.safetensors is not a complete"):
        run("CLEAR_LoadModel", model_name="cut.safetensors", lora="none", strength=1.0, weight_dtype="default")
    with pytest.raises(error, match="no file gone.safetensors in models/diffusion_models"):
        run("CLEAR_LoadModel", model_name="gone.safetensors", lora="none", strength=1.0, weight_dtype="default")
    with pytest.raises(error, match="no file gone.pt in models/loras or models/clear"):
        run("CLEAR_LoadModel", model_name=base_file, lora="gone.pt", strength=1.0, weight_dtype="default")


def test_a_t2v_model_from_another_loader_is_refused(run, models, weights, error):
    import comfy.sd
    from diffsynth.models.wan_video_dit import WanModel

    t2v = WanModel(
        dim=256,
        in_dim=16,
        ffn_dim=512,
        out_dim=16,
        text_dim=4096,
        freq_dim=256,
        eps=1e-6,
        patch_size=(1, 2, 2),
        num_heads=2,
        num_layers=1,
        has_image_input=False,
    )
    model = comfy.sd.load_diffusion_model_state_dict(t2v.state_dict(), model_options={"dtype": torch.float32})
    lora.write_lora(models / "loras" / "a.safetensors", weights[1])
    with pytest.raises(error, match="T2V"):
        run("CLEAR_ApplyLoRA", model=model, lora="a.safetensors", strength=1.0)


def test_files_can_be_chosen_but_the_prompt_s_embedding_cannot(pack, models):
    for name in ("mine.safetensors", FILE_NAME):
        (models / "clear" / name).touch()
    lists = {
        f"{node_id}.{one.id}": one.options
        for node_id, node in pack.listed.items()
        for one in node.define_schema().inputs
        if getattr(one, "options", None)
    }
    offering = {name for name, options in lists.items() if "mine.safetensors" in options}
    assert offering == {
        "CLEAR_LoadModel.lora",
        "CLEAR_ApplyLoRA.lora",
        "CLEAR_Composite.prior",
        "CLEAR_TrainLoRA.start",
        "CLEAR_PriorMask.prior",
        "CLEAR_SubtitleRemove.prior",
        "CLEAR_TrainPrior.start",
        "CLEAR_TrainLoRA.prior",
    }
    assert not [name for name, options in lists.items() if FILE_NAME in options]


def test_a_changed_file_runs_the_node_again(pack, models, weights):
    node = pack.listed["CLEAR_ApplyLoRA"]
    lora.write_lora(models / "loras" / "a.safetensors", weights[1])
    first = node.fingerprint_inputs(lora="a.safetensors", strength=1.0)
    assert first == node.fingerprint_inputs(lora="a.safetensors", strength=1.0)
    lora.write_lora(models / "loras" / "a.safetensors", {name: value * 2 for name, value in weights[1].items()})
    assert node.fingerprint_inputs(lora="a.safetensors", strength=1.0) != first
