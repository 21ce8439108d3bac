"""CLEAR Prompt: encoded once, kept, read back; the wrong encoder refused."""

import pytest
import torch


class Clip:
    """Stands for a loaded text encoder: what ComfyUI's CLIP answers, without the weights."""

    def __init__(self, name="umt5xxl", width=4096, tokens=512, used=30):
        self.name, self.calls = name, 0
        self.embedding = torch.zeros(1, tokens, width)
        self.embedding[:, :used] = torch.randn(1, used, width, generator=torch.Generator().manual_seed(4))

    def tokenize(self, text):
        from clear_pack.clear_runtime.engines.prompt import PROMPT

        assert text == PROMPT
        return {self.name: [[(1, 1.0)]]}

    def encode_from_tokens(self, tokens):
        self.calls += 1
        return self.embedding


def test_encoded_once_and_kept(run, models):
    clip = Clip()
    ((first, extra),) = run("CLEAR_Prompt", clip=clip)[0]
    assert first.shape == (1, 512, 4096) and extra == {}
    torch.testing.assert_close(first, clip.embedding, rtol=0, atol=0)
    files = list((models / "clear").iterdir())
    assert [file.suffix for file in files] == [".safetensors"] and files[0].stat().st_size < 30 * 4096 * 4 + 1000
    ((second, _),) = run("CLEAR_Prompt")[0]
    torch.testing.assert_close(second, first, rtol=0, atol=0)
    run("CLEAR_Prompt", clip=clip)
    assert clip.calls == 1


def test_the_text_encoder_is_asked_for_only_while_nothing_is_kept(pack, run, models):
    node = pack.listed["CLEAR_Prompt"]
    assert node.check_lazy_status(clip=None) == ["clip"] and node.check_lazy_status() == []
    run("CLEAR_Prompt", clip=Clip())
    assert node.check_lazy_status(clip=None) == []


def test_shorter_and_longer_embeddings_become_512_tokens(run, models):
    ((text, _),) = run("CLEAR_Prompt", clip=Clip(tokens=40))[0]
    assert text.shape == (1, 512, 4096) and not text[:, 30:].any() and text[:, :30].any(2).all()
    next((models / "clear").iterdir()).unlink()
    ((text, _),) = run("CLEAR_Prompt", clip=Clip(tokens=600, used=600))[0]
    assert text.shape == (1, 512, 4096)


@pytest.mark.parametrize(
    "clip, words",
    [
        (Clip("t5xxl"), "another text encoder.*t5xxl"),
        (Clip("l", 768), "another text encoder"),
        (Clip(width=768), "4096"),
    ],
)
def test_another_encoder_is_refused_and_nothing_is_kept(run, models, error, clip, words):
    with pytest.raises(error, match=words):
        run("CLEAR_Prompt", clip=clip)
    assert not list((models / "clear").iterdir())


def test_with_neither_the_error_says_how_to_get_it(run, models, error):
    with pytest.raises(error, match="umt5_xxl_fp8_e4m3fn_scaled.safetensors.*type wan"):
        run("CLEAR_Prompt")


def test_a_damaged_file_is_refused(run, models, error):
    run("CLEAR_Prompt", clip=Clip())
    kept = next((models / "clear").iterdir())
    kept.write_bytes(kept.read_bytes()[:1000])
    with pytest.raises(error, match="not a complete"):
        run("CLEAR_Prompt")


SIZES = {"d_model": 32, "num_heads": 4, "d_kv": 8, "d_ff": 64, "num_layers": 2, "vocab_size": 50}
NAMES = {"token_embedding": "shared", "norm": "encoder.final_layer_norm"}
IN_BLOCK = {
    "norm1": "0.layer_norm",
    "norm2": "1.layer_norm",
    "pos_embedding.embedding": "0.SelfAttention.relative_attention_bias",
    **{f"attn.{x}": f"0.SelfAttention.{x}" for x in "qkvo"},
    "ffn.gate.0": "1.DenseReluDense.wi_0",
    "ffn.fc1": "1.DenseReluDense.wi_1",
    "ffn.fc2": "1.DenseReluDense.wo",
}


def comfy_name(name):
    """DiffSynth's name of a weight -> ComfyUI's."""
    stem = name.removesuffix(".weight")
    if not stem.startswith("blocks."):
        return NAMES[stem] + ".weight"
    block, part = stem.removeprefix("blocks.").split(".", 1)
    return f"encoder.block.{block}.layer.{IN_BLOCK[part]}.weight"


def test_what_reaches_the_model_is_what_diffsynths_prompt_embedder_makes(comfy_nodes):
    """The same small umT5 in both: 512 tokens, and zeros behind the text."""
    from comfy.text_encoders.wan import UMT5XXlModel
    from diffsynth.models.wan_video_text_encoder import WanTextEncoder

    torch.manual_seed(3)
    theirs = WanTextEncoder(vocab=50, dim=32, dim_attn=32, dim_ffn=64, num_heads=4, num_layers=2).eval()
    ours = UMT5XXlModel(
        device="cpu", dtype=torch.float32, model_options={"model_name": "small", "small_model_config": SIZES}
    )
    named = {comfy_name(name): value + 0.3 * torch.randn_like(value) for name, value in theirs.state_dict().items()}
    ours.transformer.load_state_dict(named)
    theirs.load_state_dict({name: named[comfy_name(name)] for name in theirs.state_dict()})
    ids = torch.tensor([[7, 12, 33, 5, 41, 1] + [0] * 506])
    with torch.inference_mode():
        wanted = theirs(ids, (ids > 0).long())
        wanted[:, 6:] = 0
        got, *_ = ours.encode_token_weights([[(int(i), 1.0) for i in ids[0]]])
    assert got.shape == wanted.shape == (1, 512, 32) and wanted[:, :6].abs().mean() > 0.1
    assert (got.float() - wanted).abs().max() < 1e-4
