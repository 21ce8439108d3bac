"""LoRA files as they lie about: loaded right, or refused with the true reason, never taken for something else."""

import os
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from clear_runtime.engines import lora
from clear_runtime.errors import ClearError

Q, K = "blocks.0.self_attn.q", "blocks.0.self_attn.k"
SHAPES = {f"{layer}.weight": (10, 12) for layer in (Q, K)}


def pair(layer, rank=4, inner=12, outer=10):
    draws = torch.Generator().manual_seed(rank)
    return {
        f"{layer}.lora_A.weight": torch.randn(rank, inner, generator=draws),
        f"{layer}.lora_B.weight": torch.randn(outer, rank, generator=draws),
    }


def narrow():
    return {name: value.to(torch.float8_e4m3fn) for name, value in pair(Q).items()}


def loaded(path, content):
    """The file's state, if it is taken for a base of two layers."""
    save_file({name: value.contiguous() for name, value in content.items()}, path)
    state = lora.read_lora(path, pairs_only=False)
    lora.require_fit(state, SHAPES)
    return state


@pytest.mark.parametrize(
    "content, words",
    [
        (
            {**narrow(), f"{Q}.lora_A.weight_scale": torch.tensor(0.5)},
            "lora_A.weight_scale.*fp8 with scales of its own",
        ),
        (
            {**narrow(), f"{Q}.lora_B.scale_weight": torch.tensor(0.5)},
            "lora_B.scale_weight.*fp8 with scales of its own",
        ),
        ({**narrow(), f"{Q}.weight_scale": torch.tensor(0.5)}, "self_attn.q.weight_scale.*fp8 with scales of its own"),
        ({**pair(Q), f"{Q}.dora_scale": torch.ones(10, 1)}, "dora_scale.*nor DoRA, whose norm"),
        (
            {
                "lycoris_blocks_0_self_attn_q.lokr_w1": torch.ones(2, 3),
                "lycoris_blocks_0_self_attn_q.lokr_t2": torch.ones(2, 2, 1, 1),
                "lycoris_blocks_0_self_attn_q.lokr_w2_a": torch.ones(2, 5),
                "lycoris_blocks_0_self_attn_q.lokr_w2_b": torch.ones(2, 4),
            },
            r"self_attn.q has a Tucker core \(lokr_t2\), as LoHa and LoKr of convolutions",
        ),
        ({**pair(Q), f"{Q}.lora_A.other.weight": torch.ones(4, 12)}, "1 tensors of which each .* there are two LoRAs"),
        ({**pair(Q), **pair(f"diffusion_model.{Q}")}, "2 tensors of which each .* there are two LoRAs in it"),
        (pair(Q, 4, 5120, 5120), "another size.*it is 5120 wide, as one for a 14B Wan model is"),
        ({f"model.diffusion_model.{Q}.weight": torch.ones(10, 12)}, "weights themselves .*as a whole model"),
        (
            {
                "lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": torch.ones(4, 12),
                "lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_up.weight": torch.ones(10, 4),
            },
            "1 of these are a text encoder's, which is not changed here",
        ),
        ({**pair(Q), **pair("text_encoder.encoder.block.0.layer.0.SelfAttention.q")}, "1 of its 2 .*a text encoder's"),
        ({}, "holds no LoRA tensors .it is empty"),
    ],
)
def test_what_would_be_taken_for_something_else_is_refused(tmp_path, content, words):
    with pytest.raises(ClearError, match=words):
        loaded(tmp_path / "a.safetensors", content)


def test_ranks_of_their_own_and_layers_left_out_are_loaded(tmp_path):
    content = {**pair(Q, 4), **pair(K, 16), f"{K}.alpha": torch.tensor([[8.0]]).bfloat16()}
    state = loaded(tmp_path / "a.safetensors", content)
    assert lora.rank(state) == 16 and state[f"{Q}.lora_A.weight"].shape == (4, 12)
    torch.testing.assert_close(state[f"{K}.lora_B.weight"], content[f"{K}.lora_B.weight"] / 2)
    assert lora.modules(loaded(tmp_path / "b.safetensors", pair(K))) == [K]


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", r"a.safetensors is empty \(0 bytes\)"),
        (
            b"<!DOCTYPE html>\n<html><title>Sign in</title></html>",
            "is a text and no weights, such as the page of a site",
        ),
        (b'{\n "error": "Unauthorized"\n}', "is a text and no weights"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "a pointer to it .*git lfs pull"),
        (b"GGUF\x03\0\0\0" + bytes(99), "is a GGUF file"),
        (b"PK\x03\x04" + bytes(99), "damaged or was not downloaded completely"),
        (bytes([200]) + bytes(7) + b'{"a":', "is not a complete .safetensors"),
    ],
)
def test_what_is_no_checkpoint_is_called_what_it_is(tmp_path, content, words):
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(ClearError, match=words):
        lora.read_lora(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({f"{Q}.lora_A.weight": torch.ones(4, 12).to_sparse()}, f"tensors of {Q} are sparse"),
        ({f"{Q}.alpha": 10**400}, f"alpha of {Q} is 1000*, where one number is needed"),
    ],
)
def test_what_only_a_pickle_can_hold_is_refused_too(tmp_path, wrong, words):
    torch.save({**pair(Q), **wrong}, tmp_path / "a.pt")
    with pytest.raises(ClearError, match=words):
        lora.read_lora(tmp_path / "a.pt")


def test_a_lora_in_a_zip_archive_is_to_be_unpacked(tmp_path):
    save_file(pair(Q), tmp_path / "lora.safetensors")
    with zipfile.ZipFile(tmp_path / "a.safetensors", "w") as archive:
        archive.write(tmp_path / "lora.safetensors", "lora.safetensors")
    with pytest.raises(ClearError, match=r"is a zip archive .*\(lora.safetensors\). Unpack it"):
        lora.read_lora(tmp_path / "a.safetensors")


class _Bomb:
    def __init__(self, target):
        self.target = str(target)

    def __reduce__(self):
        return os.mkdir, (self.target,)


@pytest.mark.parametrize("write", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content, 2))])
def test_a_pickle_under_the_name_of_a_safetensors_is_not_run(tmp_path, write):
    path = tmp_path / "a.safetensors"
    write({"model_state_dict": pair(Q), "x": _Bomb(tmp_path / "was_run")}, path)
    with pytest.raises(ClearError, match="is a pickle .*could run code"):
        lora.read_lora(path)
    assert not (tmp_path / "was_run").exists()
