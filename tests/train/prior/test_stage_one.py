"""Stage I: pseudo-labels, the four losses, and the models that train with them."""

import math

import numpy as np
import pytest
import torch

from clear_runtime.data import pseudo_labels
from clear_runtime.data.synthetic.burn import Style, burn, render
from clear_runtime.errors import ClearError
from clear_runtime.find.priors.light import LightPrior
from clear_runtime.train.prior import losses
from clear_runtime.train.prior.losses import Weights, stage_one
from clear_runtime.train.prior.stage_one import light_stage_one

HEIGHT, WIDTH = 96, 160


def pair(text="Hello there", noise=0.0, seed=0):
    """Clean and subtitled [3, H, W, 3] in 0..1 with the true mask; noise as another encoding of the subtitled one would
    have it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] / WIDTH
    clean = np.repeat(
        (np.stack([0.3 + 0.2 * np.sin(8 * x), 0.4 + 0.2 * y, 0.3 + 0.2 * np.cos(9 * y)], -1) * 255).astype(np.uint8)[
            None
        ],
        3,
        0,
    )
    track = [(0, 3, render([text], Style(size=18), WIDTH, HEIGHT, (80, 76)))] if text else []
    subtitled, mask = burn(clean, track)
    subtitled = torch.from_numpy(subtitled) / 255 + torch.from_numpy(rng.normal(0, noise, subtitled.shape)).float()
    return torch.from_numpy(clean) / 255, subtitled.clamp(0, 1), torch.from_numpy(mask)


def test_labels_are_the_letters():
    clean, subtitled, mask = pair(noise=0.01)
    found = pseudo_labels.labels(subtitled, clean) > 0
    assert (found & mask).sum() / (found | mask).sum() > 0.9
    assert pseudo_labels.worth_training(found.float()).all()


def test_labels_follow_mean_and_deviation_of_each_frame():
    clean = torch.zeros(2, 4, 5, 3)
    subtitled = clean.clone()
    subtitled[0, 0, 0] = 1.0
    subtitled[0, 1] = 0.3  # under mean + std of the frame once the corner is there
    subtitled[1, 1] = 0.3
    d = pseudo_labels.difference(subtitled, clean)
    assert d[0, 0, 0].item() == pytest.approx(math.sqrt(3))
    expected = [(frame > frame.mean() + frame.std(correction=0)).float() for frame in d]
    assert torch.equal(pseudo_labels.labels(subtitled, clean), torch.stack(expected))
    assert pseudo_labels.labels(subtitled, clean)[0].sum() == 1 and pseudo_labels.labels(subtitled, clean)[1].sum() == 5


def test_a_frame_that_differs_evenly_has_no_label():
    """Every pixel is as far away as the mean: none is further."""
    clean = torch.zeros(1, 4, 4, 3)
    subtitled = clean.clone()
    subtitled[..., 0] = 0.5
    assert not pseudo_labels.labels(subtitled, clean).any()


def test_the_deviation_is_that_of_the_frame_and_not_of_a_sample():
    """Six pixels of 0, one of 0.57, one of 1: mean 0.1963 and deviation 0.3565 make 0.5528; as a sample's it would be
    0.3811, and make 0.5774."""
    clean = torch.zeros(1, 2, 4, 3)
    subtitled = clean.clone()
    subtitled[0, 0, 0, 0], subtitled[0, 1, 1, 0] = 0.57, 1.0
    assert pseudo_labels.labels(subtitled, clean)[0].nonzero().tolist() == [[0, 0], [1, 1]]


def test_noise_alone_is_no_subtitle():
    clean, subtitled, _ = pair(text="", noise=0.015)
    assert not pseudo_labels.worth_training(pseudo_labels.labels(subtitled, clean)).any()
    assert pseudo_labels.labels(subtitled, clean, visible=0).mean() > 0.1, "what the floor is for"


def test_frames_under_the_least_share_are_left_out():
    masks = torch.zeros(2, 100, 100)
    masks[0, 0, :11], masks[1, 0, :12] = 1, 1
    assert pseudo_labels.worth_training(masks).tolist() == [False, True]


def test_ortho_is_the_squared_cosine():
    a, b = torch.randn(2, 8, 3, 4), torch.randn(2, 8, 3, 4)
    assert losses.ortho(a, 3 * a).item() == pytest.approx(1)
    across = b - a * (a * b).sum(1, keepdim=True) / a.square().sum(1, keepdim=True)
    assert losses.ortho(a, across).item() == pytest.approx(0, abs=1e-9)
    assert torch.allclose(losses.ortho(a, b), torch.cosine_similarity(a, b, dim=1).square().mean())


def test_ortho_moves_both_encoders():
    a, b = (torch.randn(2, 8, 3, 4, requires_grad=True) for _ in range(2))
    assert all(gradient.abs().max() > 1e-4 for gradient in torch.autograd.grad(losses.ortho(a, b), (a, b)))


def test_the_encoder_aims_at_one_half():
    """-0.5 log s(2) - 0.5 log(1 - s(2)) = log(1 + e^2) - 1, and nothing pulls where the discriminator cannot tell."""
    labels, blind = torch.ones(1, 1, 4, 4), torch.zeros(1, 1, 2, 2, requires_grad=True)
    told = losses.leaked(torch.full_like(blind, 2.0), labels)
    assert (
        losses.adv(torch.full_like(blind, 2.0), torch.full_like(blind, 2.0), labels) - told
    ).item() == pytest.approx(math.log(1 + math.exp(2)) - 1)
    assert torch.autograd.grad(losses.adv(blind.detach(), blind, labels), blind)[0].abs().max() == 0


def test_a_cell_with_one_marked_pixel_is_subtitle_to_the_discriminator():
    labels, knows = torch.zeros(1, 1, 16, 16), torch.full((1, 1, 2, 2), -9.0)
    labels[..., 3, 3], knows[..., 0, 0] = 1, 9
    assert losses.leaked(knows, labels).item() < 1e-3


def test_adv_settles_at_log_two_and_weighs_both_sides_alike():
    labels = torch.zeros(1, 1, 16, 16)
    labels[..., :2, :2] = 1
    blind, knows = torch.zeros(1, 1, 8, 8), torch.full((1, 1, 8, 8), -9.0)
    knows[..., 0, 0] = 9
    assert losses.leaked(blind, labels).item() == pytest.approx(math.log(2))
    assert losses.leaked(knows, labels).item() < 1e-3
    assert losses.leaked(torch.full_like(blind, -9.0), labels).item() == pytest.approx(4.5, abs=0.01), (
        "one cell in 64 counts half"
    )
    best = losses.adv(blind, blind, labels)
    assert all(best < losses.adv(blind, sure, labels) for sure in (knows, -knows)), (
        "surely wrong is as bad for the encoder as surely right"
    )


def test_the_discriminator_and_the_encoder_learn_from_their_own_half_only():
    model = light_stage_one()
    out = model(torch.rand(1, 3, 64, 64))
    reader = list(model.discriminator.parameters())
    encoder = list(model.content.parameters())
    assert all(g is None for g in torch.autograd.grad(out.leak.sum(), encoder, allow_unused=True, retain_graph=True))
    assert any(g.abs().sum() > 0 for g in torch.autograd.grad(out.leak.sum(), reader, retain_graph=True))
    assert all(
        g is None for g in torch.autograd.grad(out.confusion.sum(), reader, allow_unused=True, retain_graph=True)
    )
    assert any(g.abs().sum() > 0 for g in torch.autograd.grad(out.confusion.sum(), encoder, retain_graph=True))
    assert torch.equal(out.leak, out.confusion), "one discriminator, two gradients"


def test_region_is_small_when_right_and_finite_when_empty():
    labels = torch.zeros(2, 1, 32, 32)
    labels[0, :, 10:14, 5:25] = 1
    right = (labels * 2 - 1) * 12
    assert (
        losses.region(right, labels).item()
        < 1e-3
        < losses.region(torch.zeros_like(labels), labels).item()
        < losses.region(-right, labels).item()
    )
    assert losses.region(torch.full_like(labels, -12.0), torch.zeros_like(labels)).item() < 1e-2


def test_region_is_focal_and_dice():
    """Two pixels, the first a letter, found with p = 1/2 and 3/4. Focal (gamma 2): 0.5^2 log 2 + 0.75^2 log 4 = 0.9531
    over one positive. Dice: 1 - (2 * 0.5 + 20) / (1.25 + 1 + 20) = 0.0562."""
    logits, labels = torch.tensor([0.0, math.log(3)]).view(1, 1, 1, 2), torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    assert losses.dice(logits, labels).item() == pytest.approx(0.0561798, abs=1e-6)
    assert losses.region(logits, labels).item() == pytest.approx(0.9530774 + 0.0561798, abs=1e-6)


def test_the_frame_is_rebuilt_from_the_content_alone():
    model = light_stage_one()
    out = model(torch.rand(1, 3, 64, 64))
    of_the_prior, of_the_content = (list(part.parameters()) for part in (model.prior, model.content))
    assert all(
        g is None
        for g in torch.autograd.grad(out.reconstruction.sum(), of_the_prior, allow_unused=True, retain_graph=True)
    )
    assert all(g.abs().sum() > 0 for g in torch.autograd.grad(out.reconstruction.sum(), of_the_content))


def test_the_sum_has_the_papers_weights():
    model, frames, labels = light_stage_one(), torch.rand(1, 3, 64, 64), (torch.rand(1, 1, 64, 64) > 0.9).float()
    out = model(frames)
    total, terms = stage_one(out, labels, frames)
    assert total.item() == pytest.approx(
        (terms["ortho"] + 0.5 * terms["adv"] + terms["region"] + 0.1 * terms["recon"]).item(), rel=1e-5
    )
    assert stage_one(out, labels, frames, Weights(0, 0, 1, 0))[0].item() == pytest.approx(terms["region"].item())


def test_the_mask_never_sees_the_content_branch():
    model = light_stage_one()
    out = model(torch.rand(1, 3, 64, 64))
    grads = torch.autograd.grad(out.logits.sum(), list(model.content.parameters()), allow_unused=True)
    assert all(g is None for g in grads)
    assert out.f_sub.shape == out.f_content.shape == (1, 72, 8, 8) and out.reconstruction.shape == (1, 3, 64, 64)


def test_the_light_priors_halves_are_the_whole():
    prior, frames = LightPrior().eval(), torch.rand(1, 3, 64, 96)
    assert torch.equal(prior(frames), prior.decode(prior.encode(frames)))
    assert [tuple(f.shape[-2:]) for f in prior.encode(frames)] == [(32, 48), (16, 24), (8, 12), (4, 6), (2, 3)]


@pytest.mark.slow
def test_a_hundred_steps_find_the_letters_of_one_pair():
    torch.manual_seed(0)
    clean, subtitled, mask = pair(noise=0.01)
    model = light_stage_one()
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
    labels = pseudo_labels.labels(subtitled, clean)[:1, None]
    x, y = subtitled[:1].permute(0, 3, 1, 2), clean[:1].permute(0, 3, 1, 2)
    history = []
    for _ in range(100):
        total, terms = stage_one(model(x), labels, y)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        history.append({k: v.item() for k, v in terms.items()})
    assert history[-1]["region"] < 0.2 * history[0]["region"] and history[-1]["recon"] < 0.5 * history[0]["recon"]
    assert history[-1]["ortho"] < history[0]["ortho"]
    found = model.prior(x)[0, 0] > 0
    assert (found & mask[0]).sum() / (found | mask[0]).sum() > 0.85


def test_no_torchvision_is_said(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    from clear_runtime.find.priors.resnet import resnet50

    with pytest.raises(ClearError, match="torchvision.*light prior"):
        resnet50()
