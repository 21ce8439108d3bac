"""The base check names what a wrong model is, and accepts both versions of the right one."""

import pytest

from clear_runtime.engines.base_model import describe_base
from clear_runtime.errors import ClearError


def shapes(width=1536, channels=48, blocks=3, img_emb=True, ref_conv=True):
    out = {
        "patch_embedding.weight": (width, channels, 1, 2, 2),
        "text_embedding.0.weight": (width, 4096),
        "text_embedding.2.weight": (width, width),
        "time_embedding.0.weight": (width, 256),
        "time_embedding.2.weight": (width, width),
        "time_projection.1.weight": (6 * width, width),
        "head.head.weight": (64, width),
        "head.modulation": (1, 2, width),
    }
    if img_emb:
        out |= {"img_emb.proj.1.weight": (1280, 1280), "img_emb.proj.3.weight": (width, 1280)}
    if ref_conv:
        out["ref_conv.weight"] = (width, 16, 2, 2)
    for i in range(blocks):
        out |= {f"blocks.{i}.self_attn.{n}.weight": (width, width) for n in "qkvo"} | {
            f"blocks.{i}.modulation": (1, 6, width)
        }
    return out


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
