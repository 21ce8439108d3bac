"""The base check names what a wrong model is, and accepts both versions of the right one."""

import pytest
from wan_shapes import shapes

from clear_runtime.engines.base_model import describe_base
from clear_runtime.errors import ClearError


def test_the_right_base_and_its_first_version():
    base = describe_base(shapes())
    assert (base.width, base.blocks, base.ref_conv, base.warning) == (1536, 3, True, None)
    assert "V1.1" in describe_base(shapes(ref_conv=False)).warning


@pytest.mark.parametrize(
    "wrong, words",
    [
        (shapes(channels=16, img_emb=False), "T2V.*16 input channels"),
        (shapes(channels=36), "I2V.*36 input channels"),
        (shapes(width=5120), "14B.*5120 wide"),
        (shapes(width=3072, img_emb=False), "5B"),
        (shapes(channels=32), "camera"),
        (shapes(channels=17), "another kind.*17"),
        (shapes(img_emb=False), "img_emb"),
        (shapes(channels=16) | {"vace_patch_embedding.weight": (1536, 96, 1, 2, 2)}, "VACE"),
        ({"double_blocks.0.img_attn.qkv.weight": (1, 1)}, "Flux"),
        ({"blocks.0.self_attn.q.lora_A.weight": (4, 4)}, "LoRA file"),
        ({"something": (1,)}, "not a Wan model"),
        ({}, "not a Wan model"),
    ],
)
def test_a_wrong_base_is_named_and_the_right_one_is_told(wrong, words):
    with pytest.raises(ClearError, match=words) as caught:
        describe_base(wrong)
    assert "Wan2.1-Fun-V1.1-1.3B-Control" in str(caught.value)


@pytest.mark.parametrize(
    "gone", ["blocks.1.self_attn.k.weight", "head.head.weight", "img_emb.proj.3.weight", "blocks.2.modulation"]
)
def test_missing_weights_are_found(gone):
    partial = shapes()
    del partial[gone]
    with pytest.raises(ClearError, match=f"incomplete: 1 weights.*{gone}"):
        describe_base(partial)
