"""Stage II's terms: what each rewards, and where gradients go."""

import math
from dataclasses import replace

import pytest
import torch

from clear_runtime.train.lora import losses
from clear_runtime.train.lora.losses import RECIPES, Recipe


def grids(seed=0, shape=(2, 3, 4, 6)):
    generator = torch.Generator().manual_seed(seed)
    error = torch.rand(shape, generator=generator)
    m_pred, m_prior = (torch.rand(shape, generator=generator) for _ in range(2))
    return error, m_pred.requires_grad_(), m_prior


def test_alpha_is_a_triangle_between_5_and_15_with_a_period_of_40_steps():
    wave = [losses.alpha(k) for k in range(81)]
    assert wave[0] == wave[40] == wave[80] == 5 and wave[20] == wave[60] == 15
    assert wave[10] == wave[30] == 10
    assert all(abs(a - b) == pytest.approx(0.5) for a, b in zip(wave, wave[1:]))


def test_the_error_of_a_position_is_the_mean_square_over_channels_weighed_by_their_gain():
    velocity, target = torch.zeros(1, 2, 1, 1, 1), torch.tensor([1.0, 3.0]).view(1, 2, 1, 1, 1)
    assert losses.eps_gen(velocity, target).item() == pytest.approx((1 + 9) / 2)
    assert losses.eps_gen(velocity, target, torch.tensor([1.5, 0.5])).item() == pytest.approx((1.5 + 4.5) / 2)


def test_the_weight_follows_the_papers_formula():
    error, mask = torch.tensor([0.25]), torch.tensor([0.5])
    assert losses.weight(error, mask, 10.0).item() == pytest.approx((1 + 10 * 0.5) * (0.25 + 1e-6) ** 0.8)


def test_the_prediction_is_not_detached_from_the_generation_loss():
    error, m_pred, m_prior = grids()
    losses.gen(error, m_pred, m_prior, 10.0).backward()
    assert (m_pred.grad > 0).all()  # where the model errs more, a larger M_pred costs more
    harder = error > error.median()
    assert m_pred.grad[harder].mean() > 3 * m_pred.grad[~harder].mean()


@pytest.mark.parametrize("name", ["lora only", "focal prior", "distillation"])
def test_recipes_before_adaptation_keep_the_prediction_out_of_the_generation_loss(name):
    error, m_pred, m_prior = grids()
    value = losses.gen(error.requires_grad_(), m_pred, m_prior, 10.0, RECIPES[name])
    value.backward()
    assert m_pred.grad is None and error.grad is not None


def test_each_recipe_adds_one_part_to_the_one_before():
    rows = [RECIPES[name] for name in ("lora only", "focal prior", "distillation", "adaptation", "paper")]
    assert rows[0].weighting == "none" and rows[1].weighting == "prior" and rows[2].weighting == "predicted"
    assert [r.distill for r in rows] == [0, 0, 1, 1, 1] and [r.sparse for r in rows] == [0, 0, 0, 0, 0.1]
    assert [r.detached for r in rows[2:]] == [True, False, False] and rows[-1] == Recipe()


def test_without_the_focal_factor_the_mask_alone_weighs():
    error, m_pred, m_prior = grids()
    assert losses.gen(error, m_pred, m_prior, 10.0, RECIPES["prior"]).item() == pytest.approx(
        ((1 + 10 * m_prior) * error).mean().item()
    )
    whole, without = RECIPES["paper"], RECIPES["paper, not focal"]
    assert replace(without, gamma=whole.gamma) == whole


def test_lora_only_is_plain_flow_matching():
    error, m_pred, m_prior = grids()
    total, terms = losses.stage_two(error, m_pred, m_prior, 10.0, RECIPES["lora only"])
    assert (
        total.item() == pytest.approx(error.mean().item()) and terms["distill"] > 0
    )  # reported, though it does not count


def test_distillation_is_smooth_l1_and_zero_for_the_prior_itself():
    assert losses.distill(torch.full((1, 1, 2, 2), 0.8), torch.full((1, 1, 2, 2), 0.2)).item() == pytest.approx(
        0.5 * 0.6**2
    )
    _, _, m_prior = grids()
    assert losses.distill(m_prior, m_prior).item() == 0


def test_sparsity_is_the_mean_mask_plus_a_divergence_that_is_zero_for_the_prior_and_finite_at_the_ends():
    _, _, m_prior = grids()
    assert losses.sparse(m_prior, m_prior).item() == pytest.approx(m_prior.mean().item(), abs=1e-3)
    ones, zeros = torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    assert torch.isfinite(losses.sparse(ones, zeros)) and losses.sparse(ones, zeros) > losses.sparse(zeros, zeros) + 1


def test_the_divergence_is_that_of_two_coins_from_the_prediction_to_the_prior():
    p, q = torch.tensor([[[[0.3, 0.05, 0.9]]]]), torch.tensor([[[[0.8, 0.6, 0.2]]]])
    bernoulli = torch.distributions.Bernoulli
    wanted = torch.distributions.kl_divergence(bernoulli(p), bernoulli(q))
    assert losses.sparse(p, q).item() == pytest.approx((p.mean() + wanted.mean()).item(), rel=1e-5)
    assert losses.sparse(q, p).item() - q.mean().item() != pytest.approx(wanted.mean().item(), rel=0.05), (
        "it is not the same both ways"
    )


def test_the_focal_factor_has_a_gradient_too():
    error = torch.tensor([0.25], requires_grad=True)
    losses.gen(error, torch.tensor([0.5]), torch.tensor([0.0]), 10.0).backward()
    e = 0.25 + 1e-6
    assert error.grad.item() == pytest.approx(6 * (e**0.8 + 0.8 * 0.25 * e**-0.2), rel=1e-5)


def literally_released(velocity, target, soft, a, factor, sigma):
    """What the released weights were trained by, position by position, in double precision and in Python's numbers."""
    n, channels, t, h, w = velocity.shape
    base = 0.0
    for i in range(n):
        for f in range(t):
            for y in range(h):
                for x in range(w):
                    apart = [(velocity[i, c, f, y, x] - target[i, c, f, y, x]).item() for c in range(channels)]
                    e = sum(d * d for d in apart) / channels
                    hard = 1.0 if soft[i, f, y, x] > 0.5 else 0.0
                    base += e * min(20.0, max(0.1, (1 + a * hard) * (e + 1e-6) ** 1.5))
    base /= n * t * h * w
    scales = []
    for scale in (1, 4, 8, 16):
        if t > scale:
            pairs = []
            for f in range(t - scale):
                step = velocity[:, :, f] - velocity[:, :, f + scale]
                pairs.append((step**2 + 1e-3**2).sqrt().mean().item() / scale)
            scales.append(sum(pairs) / len(pairs))
    levels = [5 * (u / 1000) / (1 + 4 * (u / 1000)) for u in range(1000, 0, -1)]
    bell = [math.exp(-2 * ((1000 * level - 500) / 1000) ** 2) for level in levels]
    lowered = [value - min(bell) for value in bell]
    counts = [value * 1000 / sum(lowered) for value in lowered]
    near = [counts[min(range(1000), key=lambda k: abs(levels[k] - s))] for s in sigma.tolist()]
    return (base + factor * sum(scales) / len(scales)) * sum(near) / len(near)


def test_released_is_what_the_released_weights_were_trained_by():
    generator = torch.Generator().manual_seed(4)
    target, apart = (torch.randn(2, 3, 6, 3, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    velocity = target + apart * torch.linspace(0.1, 3, 4)  # from a small error to a large one
    soft = torch.rand(2, 6, 3, 4, generator=generator, dtype=torch.float64)
    sigma = torch.tensor([0.31, 0.9])
    error = losses.eps_gen(velocity, target)
    weights = (1 + 15 * (soft > 0.5)) * (error + 1e-6) ** 1.5
    assert weights.min() < 0.1 and weights.max() > 20, "both bounds are met"
    for a, factor in ((5.0, 0.1), (15.0, 0.03)):
        total, terms = losses.stage_two(error, soft, soft, a, RECIPES["released"], velocity, sigma, factor)
        assert total.item() == pytest.approx(literally_released(velocity, target, soft, a, factor, sigma), rel=1e-6)
        assert set(terms) == {"gen", "distill", "sparse", "temporal"}
    assert [RECIPES["released"].alpha(k) for k in (0, 5, 10, 15, 20, 21)] == [5, 10, 15, 10, 5, 6]


def test_the_released_weight_has_no_gradient_of_its_own():
    error = torch.tensor([[[[0.5, 2.0]]]], requires_grad=True)
    soft = torch.tensor([[[[0.9, 0.1]]]])
    losses.gen(error, soft, soft, 5.0, RECIPES["released"]).backward()
    expected = [(1 + 5) * (0.5 + 1e-6) ** 1.5 / 2, (2 + 1e-6) ** 1.5 / 2]
    assert error.grad.flatten().tolist() == pytest.approx(expected)


def test_a_noise_level_counts_as_in_diffsynth_s_training():
    from diffsynth.diffusion.flow_match import FlowMatchScheduler  # an optional package, and a slow one

    theirs = FlowMatchScheduler("Wan")
    theirs.set_timesteps(1000, training=True)
    sigma = torch.tensor([1.0, 0.97, 0.8, 0.5, 0.2, 0.0])
    for level, ours in zip(sigma, losses.level_weight(sigma)):
        assert ours.item() == pytest.approx(theirs.training_weight(1000 * level).item(), abs=2e-3)


def test_an_example_of_one_latent_frame_has_no_differences():
    assert losses.temporal(torch.randn(1, 3, 1, 2, 2)).item() == 0
    still = torch.randn(1, 3, 1, 2, 2).expand(-1, -1, 9, -1, -1)
    assert losses.temporal(still).item() == pytest.approx(1e-3 * (1 + 1 / 4 + 1 / 8) / 3)


def test_feedback_raises_the_mask_where_the_error_is_above_the_mean_and_lowers_it_elsewhere():
    """The formula's own gradient raises it nowhere: descent goes against it, and it is positive everywhere."""
    error, m_pred, m_prior = grids()
    losses.gen(error, m_pred, m_prior, 10.0, RECIPES["paper"]).backward()
    papers, m_pred.grad = m_pred.grad.clone(), None
    value = losses.gen(error, m_pred, m_prior, 10.0, RECIPES["feedback"])
    assert value.item() == pytest.approx(losses.gen(error, m_pred, m_prior, 10.0).item()), "the loss itself is the same"
    value.backward()
    for own, theirs in zip(m_pred.grad, papers):
        assert (theirs > 0).all() and own.mean().abs() < 1e-7
        assert torch.equal(own < 0, theirs > theirs.mean())


def test_variants_of_the_paper_let_the_mask_live():
    error, m_pred, m_prior = grids()
    losses.gen(error.requires_grad_(), m_pred, m_prior, 10.0, RECIPES["paper, detached"]).backward()
    assert m_pred.grad is None
    ramped = RECIPES["paper, ramped"]
    assert ramped.alpha(0) == 0 and ramped.alpha(100) == 0.5 * losses.alpha(100, 20) and ramped.alpha(210) == 15
    wanted = m_pred.abs().mean() + 0.5 * (losses.sparse(m_pred, m_prior) - m_pred.abs().mean())
    _, terms = losses.stage_two(error, m_pred, m_prior, 5.0, ramped)
    assert terms["sparse"].item() == pytest.approx(wanted.item())


def test_alpha_is_the_step_s():
    error, m_pred, m_prior = torch.tensor([1.0]), torch.tensor([0.5]), torch.tensor([0.25])
    for a in (5.0, 15.0):
        assert losses.stage_two(error, m_pred, m_prior, a)[1]["gen"].item() == pytest.approx(1 + 0.5 * a, rel=1e-5)
        assert losses.gen(error, m_pred, m_prior, a, RECIPES["focal prior"]).item() == pytest.approx(
            1 + 0.25 * a, rel=1e-5
        )


def test_the_whole_is_the_sum_with_the_papers_factors():
    error, m_pred, m_prior = grids()
    total, terms = losses.stage_two(error, m_pred, m_prior, 7.0)
    assert total.item() == pytest.approx((terms["gen"] + terms["distill"] + 0.1 * terms["sparse"]).item())
