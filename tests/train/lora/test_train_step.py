"""One step of Stage II against the paper's formulas, written out by hand."""

import math
from contextlib import closing
from dataclasses import replace

import pytest
import tiny_wan
import torch
from safetensors.torch import load_file
from tiny_run import SHORT, stored
from torch.distributions import Bernoulli, kl_divergence

from clear_runtime.engines.lora import read_lora
from clear_runtime.train.lora import losses
from clear_runtime.train.lora.model import Adapted
from clear_runtime.train.lora.train import train

CONTEXT = torch.randn(1, 7, 4096, generator=torch.Generator().manual_seed(4))
GAIN = torch.linspace(0.5, 1.5, 16)
OPTIONS = replace(
    SHORT,
    steps=40,
    batch=2,
    accumulate=2,
    schedule="cosine",
    weight_decay=0.3,
    checkpoint_every=1,
    example_every=100,
    average=0.9,
)


@pytest.fixture(scope="module")
def second(base, clips, tmp_path_factory):
    """The second step: what was stored before and after it, its gradients before and after they were clipped, and what
    it reported. By then the LoRA and the head are no longer zero, so every gradient is there, and alpha has moved."""
    folder, seen, clip = tmp_path_factory.mktemp("run"), [], torch.nn.utils.clip_grad_norm_

    def clipped(parameters, most):
        parameters = list(parameters)
        before = [p.grad.clone() for p in parameters]
        norm = clip(parameters, most)
        seen.append((before, [p.grad.clone() for p in parameters], most))
        return norm

    with (
        pytest.MonkeyPatch.context() as patch,
        closing(train(OPTIONS, base, clips, CONTEXT, folder, gain=GAIN)) as steps,
    ):
        patch.setattr(torch.nn.utils, "clip_grad_norm_", clipped)
        next(steps)
        before = stored(folder)
        progress = next(steps)
    after = stored(folder)
    names = list(after["learned"])
    assert len(seen) == 2 and seen[1][2] == 1.0
    return before, after, *(dict(zip(names, grads)) for grads in seen[1][:2]), progress, folder


def by_hand(base, clips, learned, k):
    """Loss and gradients of step k (counted from 0) of OPTIONS."""
    model = Adapted(base, OPTIONS.rank, checkpointing=False)
    with torch.no_grad():
        for name, parameter in model.learned().items():
            parameter.copy_(learned[name])
    alpha, total = 5 + k / 2, 0.0
    for part in range(2):
        samples = [clips[(2 * k + part) * 2 + i] for i in range(2)]
        clean, control, noise, m_prior, sigma = (torch.stack(parts) for parts in zip(*samples))
        s = sigma[:, None, None, None, None]
        velocity, m_pred = model((1 - s) * clean + s * noise, control, sigma, CONTEXT)
        error = ((velocity - (noise - clean)) ** 2 * GAIN[None, :, None, None, None]).mean(1)
        gen = ((1 + alpha * m_pred) * (error + 1e-6) ** 0.8 * error).mean()
        distill = (0.5 * (m_pred - m_prior) ** 2).mean()  # masks are never further than 1 from each other
        divergence = kl_divergence(
            Bernoulli(m_pred.clamp(1e-4, 1 - 1e-4)), Bernoulli(m_prior.clamp(1e-4, 1 - 1e-4))
        ).mean()
        loss = (gen + distill + 0.1 * (m_pred.mean() + divergence)) / 2
        loss.backward()
        total += loss.item()
    return total, {name: parameter.grad for name, parameter in model.learned().items()}


def test_a_step_s_loss_and_gradients_are_the_papers(base, clips, second):
    before, _, found, _, progress, _ = second
    loss, wanted = by_hand(base, clips, before["learned"], 1)
    assert progress.loss == pytest.approx(loss, rel=1e-4) and progress.alpha == 5.5
    assert found.keys() == wanted.keys()
    for name, gradient in wanted.items():
        assert gradient.abs().max() > 0, name
        assert torch.allclose(found[name], gradient, rtol=1e-3, atol=1e-4 * gradient.abs().max().item()), name


def test_gradients_are_shortened_to_1(second):
    _, _, before, after, _, _ = second
    norm = torch.stack([gradient.norm() for gradient in before.values()]).norm().item()
    assert norm > 1.2, "there is something to shorten"
    for name, gradient in before.items():
        assert torch.allclose(after[name], gradient * min(1.0, 1 / norm), rtol=1e-4)


def test_a_step_is_adamw_s_with_the_schedule_s_rate_and_the_weight_decay(second):
    before, after, _, gradients, progress, _ = second
    rate = OPTIONS.rate * 1.0 * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * 1 / 40)))  # after a warm-up of two steps
    assert progress.rate == pytest.approx(rate) and rate < OPTIONS.rate
    parameters = {name: torch.nn.Parameter(value.clone()) for name, value in before["learned"].items()}
    adam = torch.optim.AdamW(parameters.values(), weight_decay=0.3)
    adam.load_state_dict({**before["optimiser"], "param_groups": adam.state_dict()["param_groups"]})
    for name, parameter in parameters.items():
        parameter.grad = gradients[name]
    adam.param_groups[0]["lr"] = progress.rate
    adam.step()
    assert all(
        torch.allclose(parameter, after["learned"][name], rtol=1e-6, atol=1e-9)
        for name, parameter in parameters.items()
    )


def test_the_file_holds_the_moving_average(second):
    before, after, *_, folder = second
    written, differs = read_lora(folder / "lora.safetensors"), 0
    for name, value in after["learned"].items():
        average = before["average"]["values"][name].lerp(
            value, 1 - 2 / 12
        )  # young averages move faster than their decay
        assert torch.allclose(after["average"]["values"][name], average, atol=1e-7)
        if name in written:
            assert torch.equal(written[name], after["average"]["values"][name].half())
            differs += not torch.equal(written[name], value.half())
    assert differs == len(written)
    head = load_file(folder / "occlusion_head.safetensors")
    assert head and all(torch.equal(head[name], after["average"]["values"][f"head.{name}"]) for name in head)


def test_the_mask_alone_teaches_the_lora(base):
    """M_pred is not detached from the activations that the head reads: L_gen moves the LoRA through it, with the flow's
    error held still."""
    model = Adapted(base, 4, start=tiny_wan.lora_state(base), checkpointing=False)
    torch.nn.init.normal_(model.head.leave.weight)
    noise, control, context = tiny_wan.window(frames=1)
    velocity, m_pred = model(noise, control, torch.tensor([0.7]), context)
    losses.gen(losses.eps_gen(velocity.detach(), noise), m_pred, torch.zeros_like(m_pred), 10.0).backward()
    reached = {
        name
        for name, parameter in model.lora().items()
        if parameter.grad is not None and parameter.grad.abs().max() > 0
    }
    assert reached == set(model.lora()), "the head reads the last of the two blocks"


@pytest.mark.parametrize(
    "recipe, weight",
    [
        ("lora only", lambda e, m: 1.0),
        ("focal prior", lambda e, m: (1 + 5 * m) * (e + 1e-6) ** 0.8),
        ("prior", lambda e, m: 1 + 5 * m),
    ],
)
def test_a_run_trains_by_its_recipe(base, clips, tmp_path, recipe, weight):
    with closing(train(replace(SHORT, recipe=recipe), base, clips, CONTEXT, tmp_path)) as steps:
        first = next(steps)
    sample = clips[0]
    model = Adapted(base, 4, checkpointing=False)  # a LoRA that has not learned changes nothing
    with torch.no_grad():
        velocity, _ = model(
            ((1 - sample.sigma) * sample.clean + sample.sigma * sample.noise)[None],
            sample.control[None],
            sample.sigma[None],
            CONTEXT,
        )
    error = (velocity - (sample.noise - sample.clean)[None]).square().mean(1)
    assert first.loss == pytest.approx((weight(error, sample.m_prior[None]) * error).mean().item(), rel=1e-4)
