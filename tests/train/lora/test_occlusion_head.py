"""The occlusion head."""

import pytest
import torch

from clear_runtime.train.lora import losses
from clear_runtime.train.lora.occlusion_head import BOUND, HIDDEN, RARE, OcclusionHead


def test_the_head_is_a_3x3_and_a_1x1_convolution_that_start_at_a_small_share():
    head = OcclusionHead(32)
    assert [tuple(p.shape) for p in head.parameters()] == [(HIDDEN, 32, 3, 3), (HIDDEN,), (1, HIDDEN, 1, 1), (1,)]
    mask = head(torch.randn(2, 3 * 4 * 5, 32), (3, 8, 10))
    assert mask.shape == (2, 3, 8, 10) and torch.allclose(mask, torch.full_like(mask, RARE), atol=1e-4)


def test_tokens_keep_their_place():
    head = OcclusionHead(16)
    torch.nn.init.normal_(head.leave.weight)
    tokens = torch.zeros(1, 2 * 4 * 6, 16)
    changed = tokens.clone()
    changed[0, 24 + 1 * 6 + 4] = torch.randn(16)  # frame 1, row 1, column 4
    difference = (head(changed, (2, 8, 12)) - head(tokens, (2, 8, 12)))[0].abs()
    assert difference[0].max() == 0
    rows, columns = (difference[1] > 1e-6).nonzero().T
    assert (
        rows.max() <= 2 * 2 + 2 and columns.min() >= 2 * 3 - 1
    )  # the token and its neighbours, two cells each, and interpolation


def test_the_head_can_learn_a_mask():
    torch.manual_seed(0)
    head, tokens = OcclusionHead(16), torch.randn(1, 1 * 6 * 6, 16)
    wanted = (tokens[..., 0].view(1, 1, 6, 6) > 0).float().repeat_interleave(2, 2).repeat_interleave(2, 3)
    optimiser = torch.optim.Adam(head.parameters(), 0.02)
    first = None
    for _ in range(60):
        loss = torch.nn.functional.binary_cross_entropy(head(tokens, (1, 12, 12)), wanted)
        first = first or loss.item()
        optimiser.zero_grad(), loss.backward(), optimiser.step()
    assert loss.item() < 0.4 * first


def test_a_mask_that_the_error_drove_to_nothing_comes_back_when_the_error_has_fallen():
    torch.manual_seed(0)
    head, tokens = OcclusionHead(16), torch.randn(1, 1 * 6 * 6, 16)
    m_prior = (tokens[..., 0].view(1, 1, 6, 6) > 0.8).float().repeat_interleave(2, 2).repeat_interleave(2, 3)
    optimiser = torch.optim.Adam(head.parameters(), 0.02)

    def learn(error, steps):
        for _ in range(steps):
            m_pred = head(tokens, (1, 12, 12))
            total, _ = losses.stage_two(torch.full_like(m_pred, error), m_pred, m_prior, 10.0)
            optimiser.zero_grad(), total.backward(), optimiser.step()
        return m_pred.detach()

    assert learn(1.0, 60).max() < 0.02, "it costs most where the subtitle is"
    back = learn(0.01, 60)
    assert back[m_prior > 0.5].mean() > 0.7 and back[m_prior < 0.5].mean() < 0.2


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_logits_beyond_their_bound_are_led_back_and_never_further(side):
    head, tokens = OcclusionHead(16), torch.randn(1, 1 * 2 * 2, 16)
    torch.nn.init.constant_(head.leave.bias, side * 9)
    for wanted in (-1.0, 1.0):
        head.zero_grad()
        mask = head(tokens, (1, 4, 4))
        assert torch.allclose(mask, torch.tensor(side * BOUND).sigmoid())
        (-wanted * mask).sum().backward()
        assert (head.leave.bias.grad.item() != 0) == (wanted != side)
