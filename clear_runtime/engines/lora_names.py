"""Names in LoRA files: of whatever trainer they are, the layer in the base's own names and the part of its change.

Layers are called as in Wan's own state dict (`blocks.0.self_attn.q`). Files have them in Diffusers' words
(`blocks.0.attn1.to_q`), with underscores for dots (musubi, kohya: `lora_unet_blocks_0_self_attn_q`), or both.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_WRAPPED = ("pipe.", "dit.", "module.", "diffusion_model.", "base_model.model.", "model.", "transformer.", "unet.")
_FLAT = ("lora_unet__", "lora_unet_", "lora_transformer_", "lora_dit_", "lycoris_")
"""What trainers put before a name, and before one with underscores for dots."""
_PAIR = re.compile(
    r"\.(?:lora_(?P<letter>[AB])|lora[._](?P<way>down|up))"
    r"(?:\.(?!weight$|scale_weight$|(?:weight_|input_)?scale$)[\w-]+)?(?:\.weight)?$"
)
"""A half of a pair, of whatever adapter; the scale that fp8 may have beside it is none."""
_FURTHER = re.compile(
    r"\.(diff_b|diff|set_weight|w_norm|b_norm|alpha|hada_(?:w[12]_[ab]|t[12])|lokr_(?:w[12](?:_[ab])?|t2))$"
)
_SAME = {"w_norm": "diff", "b_norm": "diff_b"}
"""LyCORIS's words for a norm's weight and bias."""

INSIDE = {
    **{
        f"{part}.{layer}": f"{theirs}.{name}"
        for part, theirs in (("self_attn", "attn1"), ("cross_attn", "attn2"))
        for layer, name in (
            ("q", "to_q"),
            ("k", "to_k"),
            ("v", "to_v"),
            ("o", "to_out.0"),
            ("norm_q", "norm_q"),
            ("norm_k", "norm_k"),
        )
    },
    "cross_attn.k_img": "attn2.add_k_proj",
    "cross_attn.v_img": "attn2.add_v_proj",
    "cross_attn.norm_k_img": "attn2.norm_added_k",
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
    "norm3": "norm2",
    "modulation": "scale_shift_table",
}
"""Layers of a block: Wan's name -> Diffusers'."""
AROUND = {
    "patch_embedding": "patch_embedding",
    "text_embedding.0": "condition_embedder.text_embedder.linear_1",
    "text_embedding.2": "condition_embedder.text_embedder.linear_2",
    "time_embedding.0": "condition_embedder.time_embedder.linear_1",
    "time_embedding.2": "condition_embedder.time_embedder.linear_2",
    "time_projection.1": "condition_embedder.time_proj",
    "img_emb.proj.0": "condition_embedder.image_embedder.norm1",
    "img_emb.proj.1": "condition_embedder.image_embedder.ff.net.0.proj",
    "img_emb.proj.3": "condition_embedder.image_embedder.ff.net.2",
    "img_emb.proj.4": "condition_embedder.image_embedder.norm2",
    "head.head": "proj_out",
    "head.modulation": "scale_shift_table",
    "ref_conv": "ref_conv",
}
"""Those around the blocks."""


def _flat(name: str) -> str:
    return name.replace(".", "_")


_BY_FLAT_INSIDE, _BY_FLAT_AROUND = (
    {_flat(one): own for own, theirs in names.items() for one in (own, theirs)} for names in (INSIDE, AROUND)
)
_BLOCK = re.compile(r"blocks_(\d+)_(.+)")


class Part(NamedTuple):
    """A tensor's place: the layer in the base's names, and what of its change the tensor is: lora_A or lora_B, alpha,
    diff or diff_b (added to weight or bias), set_weight, or a factor of a LoHa or LoKr (hada_..., lokr_...,
    as LyCORIS calls them)."""

    layer: str
    kind: str


def part_of(name: str) -> Part | None:
    """The place of a tensor of this name, None where it names no change of a layer."""
    plain = unwrapped(name)
    if found := _PAIR.search(plain):
        kind = "lora_" + (found["letter"] or ("A" if found["way"] == "down" else "B"))
    elif found := _FURTHER.search(plain):
        kind = _SAME.get(found[1], found[1])
    else:
        return None
    return Part(layer_of(plain[: found.start()]), kind)


def unwrapped(name: str) -> str:
    """The name without what training wrappers put before it."""
    name, before = name.replace("_orig_mod.", ""), None
    while name != before:
        before = name
        for prefix in (*_WRAPPED, *_FLAT):
            name = name.removeprefix(prefix)
    return name


def layer_of(name: str) -> str:
    """A layer in the base's own names; as it is, where nobody calls it so."""
    flat = _flat(name)
    if block := _BLOCK.fullmatch(flat):
        inside = _BY_FLAT_INSIDE.get(block[2])
        return name if inside is None else f"blocks.{block[1]}.{inside}"
    return _BY_FLAT_AROUND.get(flat, name)
