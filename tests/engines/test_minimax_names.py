"""MiniMax-Remover's file is known under both sets of names; any other is named for what it is."""

import pytest
import tiny_minimax
from wan_shapes import shapes as fun_control

from clear_runtime.engines.base_model import describe_base
from clear_runtime.engines.minimax_names import original_names, require_remover, wan_names
from clear_runtime.errors import ClearError

SHAPES = {name: tuple(value.shape) for name, value in tiny_minimax.state().items()}


def with_prompt(channels=48):
    block = {f"blocks.{i}.cross_attn.q.weight": (256, 256) for i in range(2)}
    patch = {"patch_embedding.weight": (256, channels, 1, 2, 2), "text_embedding.0.weight": (256, 4096)}
    return SHAPES | block | patch


def test_names_survive_a_round_trip():
    original = original_names(SHAPES)
    assert wan_names(original) == SHAPES and wan_names(SHAPES) == SHAPES
    assert original_names(wan_names(original)) == original
    assert {"blocks.1.attn1.to_out.0.bias", "blocks.0.ffn.net.0.proj.weight", "scale_shift_table"} <= original.keys()
    assert {"blocks.0.scale_shift_table", "condition_embedder.time_proj.weight", "proj_out.bias"} <= original.keys()


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model.", "diffusion_model."])
def test_both_files_are_known(prefix):
    for state in (SHAPES, original_names(SHAPES)):
        assert require_remover(wan_names({prefix + name: shape for name, shape in state.items()})) == 2


@pytest.mark.parametrize(
    "wrong, words",
    [
        (fun_control(), "Fun-Control, which Load CLEAR takes"),
        (fun_control(channels=16, img_emb=False, ref_conv=False), "takes a prompt"),
        (with_prompt(36), "takes a prompt"),
        (fun_control(width=5120), "14B"),
        (SHAPES | {"vace_patch_embedding.weight": (1536, 96, 1, 2, 2)}, "VACE"),
        (SHAPES | {"patch_embedding.weight": (256, 36, 1, 2, 2)}, "another kind.*36"),
        ({"double_blocks.0.img_attn.qkv.weight": (1, 1)}, "Flux"),
        ({"blocks.0.self_attn.q.lora_A.weight": (4, 4)}, "LoRA file"),
        ({"decoder.conv1.weight": (1,)}, "a VAE"),
        ({"something": (1,)}, "not a Wan model"),
        ({}, "not a Wan model"),
    ],
)
def test_another_file_is_named_and_the_right_one_is_told(wrong, words):
    with pytest.raises(ClearError, match=words) as caught:
        require_remover(wan_names(wrong))
    assert "Wan2_1-MiniMaxRemover_1_3B_fp16.safetensors" in str(caught.value)


@pytest.mark.parametrize(
    "lost", ["blocks.1.self_attn.k.weight", "blocks.1.ffn.0.bias", "head.modulation", "time_projection.1.weight"]
)
def test_a_file_that_is_cut_off_is_not_taken(lost):
    with pytest.raises(ClearError, match=f"MiniMax-Remover file is incomplete: 1 .*{lost}"):
        require_remover({name: shape for name, shape in SHAPES.items() if name != lost})


def test_load_clear_says_which_loader_takes_it():
    with pytest.raises(ClearError, match="MiniMax-Remover, which Load MiniMax-Remover takes"):
        describe_base(SHAPES)
