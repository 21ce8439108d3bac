"""The network that Stage II trains: what learns, what stays, and that it is DiffSynth's Wan."""

import gc
import weakref

import pytest
import tiny_wan
import torch

from clear_runtime.engines import lora as lora_files
from clear_runtime.engines.denoiser import DiffSynthDenoiser, own_attention
from clear_runtime.engines.lora import read_lora
from clear_runtime.engines.schedule import sigmas
from clear_runtime.errors import ClearError
from clear_runtime.train.lora import losses
from clear_runtime.train.lora.model import Adapted, save
from clear_runtime.train.lora.options import TARGETS


@pytest.fixture(scope="module")
def base():
    return tiny_wan.wan_state()


def adapted(base, **options):
    torch.manual_seed(0)
    model = Adapted(base, **{"rank": 4, "checkpointing": False, **options})
    with torch.no_grad():  # a LoRA that does something
        for parameter in model.lora().values():
            parameter.normal_(0, 0.05)
    return model


def inputs(seed=3):
    noise, control, context = tiny_wan.window(seed=seed)
    return noise, control, torch.tensor([0.7]), context


def test_only_the_lora_and_the_head_learn_in_ten_modules_a_block(base):
    model = adapted(base)
    learning = {name for name, p in model.named_parameters() if p.requires_grad}
    assert all(".lora_" in name or name.startswith("head.") for name in learning) and len(learning) == len(
        model.learned()
    )
    assert len(lora_files.modules(model.lora())) == 10 * 2
    assert not any("k_img" in name or "v_img" in name for name in learning)


def test_the_share_of_the_lora_is_counted(base):
    model = adapted(base, rank=8)
    lora = sum(8 * (a + b) for _, (a, b) in ((n, base[f"{n}.weight"].shape) for n in lora_files.modules(model.lora())))
    assert model.share == pytest.approx(lora / (lora + sum(v.numel() for v in base.values())))


def test_the_frozen_weights_are_the_given_ones_and_no_copy(base):
    model = adapted(base)
    own = {p.data_ptr() for p in model.wan.parameters()}
    assert all(value.data_ptr() in own for value in base.values())
    before = {name: value.clone() for name, value in base.items()}
    velocity, m_pred = model(*inputs())
    (velocity.square().mean() + m_pred.mean()).backward()
    torch.optim.AdamW(model.learned().values(), 0.1).step()
    assert all(torch.equal(base[name], before[name]) for name in base)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_reach_the_head_from_the_generation_loss(base, checkpointing):
    model = adapted(base, checkpointing=checkpointing)
    torch.nn.init.normal_(model.head.leave.weight)
    noisy, control, sigma, context = inputs()
    velocity, m_pred = model(noisy, control, sigma, context)
    losses.gen(losses.eps_gen(velocity, noisy), m_pred, torch.zeros_like(m_pred), 10.0).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.head.parameters())
    before_the_head = [p.grad.abs().max() for name, p in model.lora().items() if name.startswith("blocks.0.self_attn")]
    assert all(g > 0 for g in before_the_head)


def test_computing_blocks_again_changes_nothing(base):
    results = []
    for checkpointing in (False, True):
        model = adapted(base, checkpointing=checkpointing)
        velocity, m_pred = model(*inputs())
        (velocity.square().mean() + m_pred.square().mean()).backward()
        results.append([velocity, m_pred, *(p.grad for p in model.lora().values())])
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(*results))


def test_the_head_reads_the_block_it_was_told_to(base):
    predictions = []
    for middle in (0, 1):
        model = adapted(base, middle=middle)
        torch.manual_seed(1)
        torch.nn.init.normal_(model.head.leave.weight)
        predictions.append(model(*inputs())[1])
    assert not torch.allclose(*predictions, atol=1e-3)
    with pytest.raises(ClearError, match="no block 9: this model has blocks 0 to 1"):
        adapted(base, middle=9)


def test_what_is_saved_gives_the_same_frames_through_the_denoiser(base, tmp_path):
    """The LoRA file, read again and injected by PEFT, against the network that was trained: a whole sampling."""
    model = adapted(base).eval()
    save(tmp_path, model)
    noise, control, context = tiny_wan.window()
    denoised = DiffSynthDenoiser.from_state(
        base, context, {k: v.float() for k, v in read_lora(tmp_path / "lora.safetensors").items()}
    )(noise, control, sigmas(3))
    with torch.no_grad():
        for parameter in model.lora().values():
            parameter.copy_(parameter.half().float())  # the file is in half precision
        x, levels = noise, sigmas(3).tolist()
        for now, then in zip(levels, levels[1:]):
            x = x + (then - now) * model(x, control, torch.tensor([now]), context)[0]
    assert torch.allclose(x, denoised, atol=1e-5)
    assert (tmp_path / "occlusion_head.safetensors").exists()


def test_a_lora_file_is_where_training_may_start(base, tmp_path):
    model = adapted(base, rank=3)
    save(tmp_path, model)
    again = Adapted(
        base, start={k: v.float() for k, v in read_lora(tmp_path / "lora.safetensors").items()}, checkpointing=False
    )
    assert again.lora().keys() == model.lora().keys()
    assert all(torch.equal(again.lora()[name], p.half().float()) for name, p in model.lora().items())
    assert all(p.requires_grad for p in again.lora().values())


def test_targets_may_be_chosen_and_must_exist(base):
    assert len(lora_files.modules(adapted(base, targets=("q", "k")).lora())) == 4 * 2
    with pytest.raises(ClearError, match="No layer inside the model's blocks ends in gate"):
        adapted(base, targets=("q", "gate"))
    assert TARGETS == ("q", "k", "v", "o", "ffn.0", "ffn.2")


def test_a_base_that_cannot_take_a_control_is_refused():
    with pytest.raises(ClearError, match="16 input channels"):
        Adapted(tiny_wan.wan_state(channels=16))


def test_half_precision_keeps_the_lora_in_full(base):
    model = adapted({name: value.bfloat16() for name, value in base.items()}, dtype=torch.bfloat16)
    assert {p.dtype for p in model.learned().values()} == {torch.float32}
    velocity, m_pred = model(*inputs())
    assert velocity.dtype == m_pred.dtype == torch.float32
    exact = adapted(base)(*inputs())[0]
    assert (velocity - exact).abs().mean() < 0.05 * exact.abs().mean()


@pytest.mark.parametrize("checkpointing", [False, True])
def test_inputs_that_stay_in_half_precision_change_no_bit(base, checkpointing):
    results, half = [], {name: value.bfloat16() for name, value in base.items()}
    for cast in (False, True):
        model = adapted(half, dtype=torch.bfloat16, checkpointing=checkpointing)
        layers = [module for module in model.wan.modules() if hasattr(module, "cast_input_dtype_enabled")]
        assert len(layers) == 20 and not any(layer.cast_input_dtype_enabled for layer in layers)
        for layer in layers:
            layer.cast_input_dtype_enabled = cast
        velocity, m_pred = model(*inputs())
        (velocity.square().mean() + m_pred.mean()).backward()
        results.append([velocity, m_pred, *(p.grad for p in model.learned().values())])
    assert all(torch.equal(a, b) for a, b in zip(*results))


def test_a_lora_to_train_on_from_is_not_rounded_to_the_bases_format(base):
    start = tiny_wan.lora_state(base)
    model = Adapted({name: value.bfloat16() for name, value in base.items()}, start=start, dtype=torch.bfloat16)
    assert all(torch.equal(model.lora()[name], value) for name, value in start.items())
    with torch.no_grad():
        next(iter(model.lora().values())).zero_()
    assert all(value.any() for value in start.values()), "the file's own tensors stay as they are"


@pytest.mark.parametrize("checkpointing", [False, True])
def test_nothing_of_it_stays_in_memory_when_it_is_let_go(base, checkpointing):
    gc.collect()
    gc.disable()  # a cycle would wait for the collector, on a GPU with all its weights
    try:
        model = adapted(base, checkpointing=checkpointing)
        velocity, m_pred = model(*inputs())
        (velocity.mean() + m_pred.mean()).backward()
        held = weakref.ref(model), weakref.ref(model.wan)
        del model, velocity, m_pred
        assert [one() for one in held] == [None, None]
    finally:
        gc.enable()


def test_half_precision_does_not_round_the_timestep(base, monkeypatch):
    from diffsynth.models import wan_video_dit
    from diffsynth.pipelines import wan_video

    seen = []
    real = wan_video_dit.sinusoidal_embedding_1d
    monkeypatch.setattr(
        wan_video, "sinusoidal_embedding_1d", lambda dim, position: seen.append(position.item()) or real(dim, position)
    )
    model = adapted({name: value.bfloat16() for name, value in base.items()}, dtype=torch.bfloat16)
    noisy, control, _, context = inputs()
    model(noisy, control, torch.tensor([0.5556]), context)
    assert seen == [pytest.approx(555.6)]


@pytest.mark.parametrize("package", ["SAGE_ATTN_AVAILABLE", "FLASH_ATTN_2_AVAILABLE", "FLASH_ATTN_3_AVAILABLE"])
def test_attention_without_a_gradient_is_not_trained_through(base, monkeypatch, package):
    from types import SimpleNamespace

    from diffsynth.models import wan_video_dit

    calls = []

    def fast(q, *rest):  # what such packages do: no gradient
        calls.append(1)
        return torch.zeros_like(q).detach()

    monkeypatch.setattr(wan_video_dit, package, True)
    monkeypatch.setattr(wan_video_dit, "sageattn", fast, raising=False)
    for name in ("flash_attn", "flash_attn_interface"):
        monkeypatch.setattr(wan_video_dit, name, SimpleNamespace(flash_attn_func=fast), raising=False)
    model = adapted(base, checkpointing=True)
    with own_attention():
        velocity, _ = model(*inputs())
        velocity.square().mean().backward()
    assert not calls and all(p.grad.abs().max() > 0 for p in model.lora().values())
    model(*inputs())
    assert calls, "outside, DiffSynth is as it was"
