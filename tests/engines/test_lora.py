"""LoRA files in every style that occurs load to the same tensors; what is not a whole LoRA is refused in words."""

import os
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from clear_runtime.engines import lora
from clear_runtime.errors import ClearError

MODULES = [
    f"blocks.{i}.{name}" for i in range(2) for name in ("self_attn.q", "self_attn.o", "cross_attn.k", "ffn.0", "ffn.2")
]


@pytest.fixture
def state():
    generator = torch.Generator().manual_seed(7)
    out = {}
    for module in MODULES:
        out[f"{module}.lora_A.weight"] = torch.randn(4, 12, generator=generator)
        out[f"{module}.lora_B.weight"] = torch.randn(10, 4, generator=generator)
    return out


def same(left, right):
    assert sorted(left) == sorted(right)
    for name in left:
        torch.testing.assert_close(left[name], right[name], rtol=0, atol=0)


PREFIXES = [
    "",
    "pipe.dit.",
    "module.",
    "_orig_mod.",
    "diffusion_model.",
    "base_model.model.",
    "module._orig_mod.pipe.dit.",
    "base_model.model.diffusion_model.",
]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("container", ["safetensors", "bare", "model_state_dict", "dit_state_dict"])
@pytest.mark.parametrize("adapter", [".default", ""])
def test_every_style_loads_to_the_same_tensors(tmp_path, state, prefix, container, adapter):
    named = {prefix + name.removesuffix(".weight") + adapter + ".weight": value for name, value in state.items()}
    if container == "safetensors":
        path = tmp_path / "clear.safetensors"
        save_file(named, path)
    else:
        path = tmp_path / "clear.pt"
        torch.save(named if container == "bare" else {container: named, "temporal_loss_weight": 0.1}, path)
    same(lora.read_lora(path), state)


@pytest.mark.parametrize("flat", [False, True])
def test_down_and_up_names_with_alpha(tmp_path, state, flat):
    named, scale = {}, 0.5
    for module in lora.modules(state):
        stem = "lora_unet_" + module.replace(".", "_") if flat else "diffusion_model." + module
        named[stem + ".lora_down.weight"], named[stem + ".lora_up.weight"] = (
            state[module + ".lora_A.weight"],
            state[module + ".lora_B.weight"],
        )
        named[stem + ".alpha"] = torch.tensor(scale * 4)
    save_file(named, tmp_path / "x.safetensors")
    same(lora.read_lora(tmp_path / "x.safetensors"), {k: v * scale if "lora_B" in k else v for k, v in state.items()})


def test_the_name_of_the_file_does_not_decide_its_format(tmp_path, state):
    save_file(state, tmp_path / "a.pt")
    torch.save(state, tmp_path / "b.safetensors")
    same(lora.read_lora(tmp_path / "a.pt"), lora.read_lora(tmp_path / "b.safetensors"))


names = st.lists(
    st.sampled_from(["self_attn.q", "self_attn.k", "cross_attn.v", "ffn.0", "ffn.2", "cross_attn.o"]),
    min_size=1,
    max_size=6,
    unique=True,
)


@settings(max_examples=60, deadline=None)
@given(names, st.integers(1, 30), st.integers(1, 5), st.randoms(use_true_random=False))
def test_names_survive_a_round_trip(chosen, block, size, rng: random.Random):
    state = {}
    for name in chosen:
        state[f"blocks.{block}.{name}.lora_A.weight"] = torch.full((size, 3), rng.random())
        state[f"blocks.{block}.{name}.lora_B.weight"] = torch.full((2, size), rng.random())
    same(lora.normalise(lora.to_comfy(state)), state)
    same(lora.normalise(lora.to_peft(state)), state)
    same(lora.normalise({"model_state_dict": lora.to_peft(state, "clear")}), state)
    assert lora.rank(state) == size and len(lora.modules(state)) == len(chosen)
    further = {name.replace(f"blocks.{block}.", f"blocks.{block + 1}."): value for name, value in state.items()}
    assert lora.targets(state) == lora.targets({**state, **further}) == tuple(chosen)


def test_written_file_reads_back_and_leaves_nothing_beside_it(tmp_path, state):
    lora.write_lora(tmp_path / "sub" / "out.safetensors", state, {"rank": "4"})
    same(lora.read_lora(tmp_path / "sub" / "out.safetensors"), state)
    assert os.listdir(tmp_path / "sub") == ["out.safetensors"]
    (tmp_path / "any").touch()
    assert (tmp_path / "sub" / "out.safetensors").stat().st_mode == (
        tmp_path / "any"
    ).stat().st_mode  # others may read it as any new file


def test_a_disk_that_does_not_take_the_file_is_named_and_nothing_half_written_stays(tmp_path, state, monkeypatch):
    def full(tensors, filename, metadata=None):
        with open(filename, "wb") as file:
            file.write(b"half")
        raise OSError(28, "No space left on device")

    (tmp_path / "out.safetensors").write_bytes(b"the one before")
    monkeypatch.setattr("clear_runtime.checkpoint.save_file", full)
    with pytest.raises(ClearError, match="out.safetensors could not be written.*No space"):
        lora.write_lora(tmp_path / "out.safetensors", state)
    assert (
        os.listdir(tmp_path) == ["out.safetensors"] and (tmp_path / "out.safetensors").read_bytes() == b"the one before"
    )


class Bomb:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, state):
    target = tmp_path / "was_run"
    torch.save({"model_state_dict": state, "extra": Bomb(target)}, tmp_path / "bad.pt")
    with pytest.raises(ClearError, match="safetensors"):
        lora.read_lora(tmp_path / "bad.pt")
    assert not target.exists()
    torch.load(
        tmp_path / "bad.pt", weights_only=False
    )  # the bomb is live: the refusal above is what kept it from going off
    assert target.exists()


@pytest.mark.parametrize("kind", ["safetensors", "pt"])
@pytest.mark.parametrize("keep", [0.02, 0.5, 0.98])
def test_a_truncated_file_is_refused(tmp_path, state, kind, keep):
    whole = tmp_path / f"whole.{kind}"
    save_file(state, whole) if kind == "safetensors" else torch.save(state, whole)
    content = whole.read_bytes()
    (tmp_path / "cut").write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(ClearError, match="[Dd]ownload|safetensors"):
        lora.read_lora(tmp_path / "cut")


@pytest.mark.parametrize(
    "content, words",
    [
        ({}, "no LoRA tensors"),
        ({"blocks.0.self_attn.q.weight": torch.zeros(4, 4)}, "no LoRA tensors"),
        ({"blocks.0.ffn.0.lora_A.weight": torch.zeros(2, 4)}, "one half"),
        (
            {
                "blocks.0.ffn.0.alpha": torch.tensor(4.0),
                "blocks.1.ffn.0.lora_A.weight": torch.zeros(2, 4),
                "blocks.1.ffn.0.lora_B.weight": torch.zeros(4, 2),
            },
            "alpha",
        ),
        (
            {"blocks.0.ffn.0.lora_A.weight": torch.zeros(2, 4), "blocks.0.ffn.0.lora_B.weight": torch.zeros(4, 3)},
            "shapes",
        ),
        (
            {
                "blocks.0.ffn.0.lora_A.weight": torch.full((2, 4), float("nan")),
                "blocks.0.ffn.0.lora_B.weight": torch.zeros(4, 2),
            },
            "NaN",
        ),
        (
            {"blocks.0.ffn.0.lora_magnitude_vector.weight": torch.zeros(4)},
            "not understood.*nor DoRA, whose norm ComfyUI",
        ),
        ({"blocks.0.ffn.0.lora_mid.weight": torch.zeros(4)}, "names that are not understood"),
    ],
)
def test_what_is_not_a_whole_lora_is_refused_in_words(content, words):
    with pytest.raises(ClearError, match=words):
        lora.normalise(content)


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2, torch.float64])
def test_number_formats_that_nothing_computes_in_become_float32(state, dtype):
    narrow = {name: value.to(dtype) for name, value in state.items()}
    same(lora.normalise(narrow), {name: value.float() for name, value in narrow.items()})


def test_halves_stay_what_they_are(state):
    for dtype in (torch.float16, torch.bfloat16):
        assert {value.dtype for value in lora.normalise({n: v.to(dtype) for n, v in state.items()}).values()} == {dtype}


DIFFUSERS = {
    "self_attn.q": "attn1.to_q",
    "self_attn.o": "attn1.to_out.0",
    "cross_attn.k": "attn2.to_k",
    "cross_attn.v_img": "attn2.add_v_proj",
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
}


@pytest.mark.parametrize("own, theirs", DIFFUSERS.items())
@pytest.mark.parametrize(
    "style",
    [
        "transformer.blocks.3.{dots}.lora_A.weight",
        "transformer.blocks.3.{dots}.lora_A",
        "lora_unet_blocks_3_{flat}.lora_down.weight",
        "lora_unet__blocks_3_{flat}.lora_down.weight",
        "lora_transformer_blocks_3_{flat}.lora_A.default.weight",
        "lycoris_blocks_3_{flat}.lora_down.weight",
        "diffusion_model.blocks_3.{dots}.lora.down.weight",
        "lora_unet_blocks.3.{flat}.lora_down.weight",
    ],
)
def test_trainers_names_are_the_bases_own(own, theirs, style):
    for name in (own, theirs):
        content = {}
        for side, other, shape in (("A", "down", (2, 12)), ("B", "up", (10, 2))):
            key = style.format(dots=name, flat=name.replace(".", "_"))
            content[key.replace("lora_A", f"lora_{side}").replace("down", other)] = torch.ones(shape)
        assert lora.modules(lora.normalise(content)) == [f"blocks.3.{own}"]


def test_layers_around_the_blocks_and_unknown_ones_keep_their_names():
    pair = lambda name: {f"{name}.lora_A.weight": torch.ones(2, 3), f"{name}.lora_B.weight": torch.ones(4, 2)}
    for name, own in (
        ("lora_unet_text_embedding_0", "text_embedding.0"),
        ("transformer.condition_embedder.time_proj", "time_projection.1"),
        ("proj_out", "head.head"),
        ("double_blocks.3.img_mod.lin", "double_blocks.3.img_mod.lin"),
    ):
        assert lora.modules(lora.normalise(pair(name))) == [own]


@pytest.mark.parametrize(
    "alpha, words",
    [
        (torch.tensor(float("nan")), "alpha of blocks.0.self_attn.q is nan"),
        (torch.tensor([1.0, 2.0]), r"is a tensor of shape \[2\], where one number is needed"),
        ("four", "is four, where one number"),
        (None, "is None, where one number"),
    ],
)
def test_an_alpha_that_is_no_number_is_refused(state, alpha, words):
    with pytest.raises(ClearError, match=words):
        lora.normalise({**state, "blocks.0.self_attn.q.alpha": alpha})


@pytest.mark.parametrize(
    "alpha", [torch.tensor([2.0]), torch.tensor(2, dtype=torch.int64), 2, torch.tensor(2.0).half()]
)
def test_an_alpha_may_be_written_in_many_ways(state, alpha):
    name = "blocks.0.self_attn.q"
    read = lora.normalise({**state, f"{name}.alpha": alpha})
    torch.testing.assert_close(read[f"{name}.lora_B.weight"], state[f"{name}.lora_B.weight"] * 2 / 4)


def test_rank_0_and_whole_numbers_are_refused_for_what_they_are(state):
    empty = {"blocks.0.ffn.0.lora_A.weight": torch.zeros(0, 4), "blocks.0.ffn.0.lora_B.weight": torch.zeros(4, 0)}
    with pytest.raises(ClearError, match="the pair of blocks.0.ffn.0 has rank 0"):
        lora.normalise({**state, **empty, "blocks.0.ffn.0.alpha": torch.tensor(1.0)})
    with pytest.raises(ClearError, match="are int8, so the file is quantised"):
        lora.normalise({name: value.to(torch.int8) for name, value in state.items()})


FURTHER = {
    "blocks.0.ffn.0.diff_b": (10,),
    "blocks.0.norm3.diff": (12,),
    "blocks.0.self_attn.norm_q.w_norm": (12,),
    "blocks.1.ffn.0.hada_w1_a": (10, 2),
    "blocks.1.ffn.0.hada_w1_b": (2, 12),
    "blocks.1.ffn.0.hada_w2_a": (10, 2),
    "blocks.1.ffn.0.hada_w2_b": (2, 12),
    "blocks.1.ffn.0.alpha": (),
    "blocks.1.ffn.2.lokr_w1": (2, 3),
    "blocks.1.ffn.2.lokr_w2_a": (5, 1),
    "blocks.1.ffn.2.lokr_w2_b": (1, 4),
}


def further():
    return {name: torch.ones(shape) for name, shape in FURTHER.items()}


def test_what_is_no_pair_is_read_for_comfyui_and_refused_in_words_elsewhere(state):
    state = {name: value for name, value in state.items() if not name.startswith("blocks.1.ffn")}
    with pytest.raises(ClearError, match=r"holds 11 tensors beside LoRA pairs.*diff_b.*Apply CLEAR LoRA apply them"):
        lora.normalise({**state, **further()})
    read = lora.normalise({**state, **further()}, pairs_only=False)
    assert set(read) - set(state) == {name.replace("w_norm", "diff") for name in FURTHER}
    shapes = {f"{module}.weight": (10, 12) for module in MODULES} | {
        "blocks.0.ffn.0.bias": (10,),
        "blocks.0.norm3.weight": (12,),
        "blocks.0.self_attn.norm_q.weight": (12,),
        "blocks.1.ffn.0.weight": (10, 12),
        "blocks.1.ffn.2.weight": (10, 12),
    }
    lora.require_fit(read, shapes)
    for name, size in (("blocks.1.ffn.2.weight", (10, 13)), ("blocks.0.ffn.0.bias", (11,))):
        with pytest.raises(ClearError, match="1 of its 13 .*have another size"):
            lora.require_fit(read, {**shapes, name: size})


@pytest.mark.parametrize(
    "lacking, words",
    [
        ("blocks.1.ffn.0.hada_w2_b", r"factors of blocks\.1\.ffn\.0 \(hada_w1_a, .*\) are not one whole"),
        ("blocks.1.ffn.2.lokr_w2_a", r"factors of blocks\.1\.ffn\.2 .* are not one whole"),
    ],
)
def test_factors_that_are_not_whole_are_refused(lacking, words):
    content = further()
    del content[lacking]
    with pytest.raises(ClearError, match=words):
        lora.normalise(content, pairs_only=False)


def test_kinds_that_nobody_applies_are_named():
    with pytest.raises(ClearError, match=r"not understood \(blocks.0.ffn.0.oft_blocks\).*OFT"):
        lora.normalise({"blocks.0.ffn.0.oft_blocks": torch.zeros(2, 4, 4)}, pairs_only=False)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ClearError, match="nothing.safetensors"):
        lora.read_lora(tmp_path / "nothing.safetensors")


def test_fit_counts_what_does_not_fit(state):
    shapes = {f"{module}.weight": (10, 12) for module in MODULES}
    lora.require_fit(state, shapes)
    del shapes["blocks.0.ffn.0.weight"]
    shapes["blocks.1.ffn.0.weight"] = (10, 13)
    shapes["blocks.1.ffn.2.weight"] = (11, 12)
    with pytest.raises(
        ClearError,
        match=r"3 of its 10 layers.*1 name a layer.*blocks\.0\.ffn\.0.*2 have another size.*10x12 in the LoRA, 10x13",
    ):
        lora.require_fit(state, shapes)


def test_a_file_that_was_read_is_let_go(tmp_path):
    """A mapped file cannot be replaced on Windows. Its tensors would see what is written over it here."""
    path = tmp_path / "a.safetensors"
    state = {
        f"blocks.0.ffn.0.lora_{side}.weight": torch.ones(shape) for side, shape in (("A", (4, 64)), ("B", (64, 4)))
    }
    lora.write_lora(path, state)
    read = lora.read_lora(path)
    with path.open("r+b") as file:  # the same file, not a new one under its name
        file.seek(-64, 2)
        file.write(b"\x7f" * 64)
    assert all(torch.equal(read[name], value) for name, value in state.items())
