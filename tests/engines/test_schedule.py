"""Sigmas and noise."""

import pytest
import torch

from clear_runtime.engines.schedule import latent_noise, sigmas
from clear_runtime.errors import ClearError


def test_five_steps_are_the_ones_clear_was_trained_with():
    assert sigmas(5).tolist() == pytest.approx([1, 5 * 0.8 / 4.2, 5 * 0.6 / 3.4, 5 * 0.4 / 2.6, 5 * 0.2 / 1.8, 0])


def test_sigmas_equal_diffsynths():
    flow_match = pytest.importorskip("diffsynth.diffusion.flow_match")
    for steps in (1, 5, 50):
        theirs, _ = flow_match.FlowMatchScheduler.set_timesteps_wan(steps, shift=5.0)
        assert torch.equal(sigmas(steps)[:-1], theirs)
        assert sigmas(steps)[-1] == 0


def test_shift_one_is_even():
    assert torch.equal(sigmas(4, shift=1.0), torch.linspace(1, 0, 5))


@pytest.mark.parametrize("steps, shift", [(0, 5.0), (-1, 5.0), (5, 0.0), (5, float("nan"))])
def test_schedules_that_mean_nothing_are_refused(steps, shift):
    with pytest.raises(ClearError):
        sigmas(steps, shift)


def test_the_same_latent_frame_has_the_same_noise_in_every_window():
    whole = latent_noise(7, 0, 12, 6, 10)
    assert whole.shape == (1, 16, 12, 6, 10) and whole.dtype == torch.float32
    assert torch.equal(latent_noise(7, 5, 3, 6, 10), whole[:, :, 5:8])


def test_every_frame_and_seed_has_its_own_noise():
    seeds = [0, 1, 2**32, 2**32 + 1, 2**63, 2**64 - 1]  # ComfyUI's seeds have 64 bits
    frames = torch.cat([latent_noise(seed, 0, 8, 8, 8) for seed in seeds], 2)[0].transpose(0, 1).flatten(1)
    closeness = torch.corrcoef(frames) - torch.eye(len(frames))
    assert closeness.abs().max() < 0.2  # 1,024 independent values: a correlation of 0.2 is six standard deviations


def test_noise_is_standard_normal():
    noise = latent_noise(3, 100, 4, 60, 104)
    assert abs(noise.mean()) < 0.005 and abs(noise.std() - 1) < 0.005


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds_outside_64_bits_are_refused(seed):
    with pytest.raises(ClearError, match=str(seed)):
        latent_noise(seed, 0, 1, 4, 4)
