"""MiniMax-Remover as an engine: what it is shown, where it paints, and its sampler."""

import json
from pathlib import Path

import pytest
import torch
from toy_parts import FakeDenoiser, PoolCodec, video, white

from clear_runtime.engines.minimax import MiniMaxEngine, widened
from clear_runtime.engines.options import EULER, UNIPC, EngineOptions, MiniMaxOptions
from clear_runtime.engines.sampling import sample
from clear_runtime.engines.unipc import UniPC, unipc_sigmas
from clear_runtime.errors import ClearError
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove

RECORDED = json.loads((Path(__file__).parent / "unipc.json").read_text())
"""What diffusers' UniPC makes of a known flow: scripts/record_minimax.py."""


def painted(frames, result=lambda noise, control: control[:, :16], subtitle=None, own=MiniMaxOptions(), **options):
    """All frames and masks, and what the codec and the denoiser were given."""
    asked = RemoveOptions.of(**{"window": 9, "overlap": 1, "steps": 2, "grow": 2, "second_look": False, **options})
    codec, denoiser = PoolCodec(), FakeDenoiser(result)
    engine = MiniMaxEngine(codec, denoiser, asked.engine, own)
    frames_and_masks = list(remove(iter(frames), engine, white, asked, subtitle=subtitle))
    out, masks = (torch.stack(each) for each in zip(*frames_and_masks))
    return out, masks, codec, denoiser


@pytest.fixture(autouse=True)
def noise_is_any_level(monkeypatch):
    """The toy denoiser asks for levels from 1; UniPC's begin just under it."""
    monkeypatch.setattr(FakeDenoiser, "__call__", _any_level)


def _any_level(self, noise, control, sigmas, on_step=None, known=None):
    assert control.shape[1] == 32 and noise.shape[1] == 16 and noise.shape[2:] == control.shape[2:]
    self.calls.append((noise, control, sigmas))
    for i in range(len(sigmas) - 1):
        on_step(i + 1, len(sigmas) - 1)
    return self.result(noise, control)


@pytest.mark.parametrize("shift, steps", [(1.0, 2), (3.0, 6), (3.0, 1), (5.0, 12)])
def test_unipc_makes_what_diffusers_makes(shift, steps):
    want = next(one for one in RECORDED["runs"] if (one["shift"], one["steps"]) == (shift, steps))
    sigmas, x, step = unipc_sigmas(steps, shift), torch.tensor(RECORDED["noise"]), UniPC()
    torch.testing.assert_close(sigmas, torch.tensor(want["sigmas"]), rtol=0, atol=1e-6)
    for sigma, following, there in zip(sigmas.tolist(), sigmas.tolist()[1:], want["latents"]):
        x = step(x, torch.sin(3 * x + sigma) - 0.3 * x, sigma, following)
        torch.testing.assert_close(x, torch.tensor(there), rtol=0, atol=1e-5)


@pytest.mark.parametrize("sampler", [EULER, UNIPC])
def test_a_sampler_follows_a_straight_flow_to_its_end(sampler):
    clean, noise = torch.randn(2, 1, 16, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    sigmas, seen = unipc_sigmas(6, 3.0), []
    begun = (1 - sigmas[0]) * clean + sigmas[0] * noise
    flow = lambda x, sigma: seen.append(sigma) or noise - clean
    made = sample(flow, begun, sigmas, sampler)
    torch.testing.assert_close(made, clean, rtol=0, atol=1e-5)
    assert seen == sigmas[:-1].tolist()


def test_unipc_comes_closer_than_euler_in_as_many_steps():
    def flow(x, sigma):
        """Of latents that are normal around 0.3 with a deviation of 0.5: the exact one."""
        gain = (1 - sigma) * 0.25 / ((1 - sigma) ** 2 * 0.25 + sigma**2)
        return (x - 0.3 - gain * (x - (1 - sigma) * 0.3)) / sigma

    noise = torch.randn(1, 16, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    sigmas = unipc_sigmas(12, 1.0)
    truth = sample(flow, noise, unipc_sigmas(1000, 1.0), EULER)
    far = {name: (sample(flow, noise, sigmas, name) - truth).abs().mean() for name in (EULER, UNIPC)}
    assert far[UNIPC] < 0.5 * far[EULER]


def test_it_is_shown_grey_holes_and_where_they_are():
    frames = video(9)
    _, _, codec, denoiser = painted(frames, own=MiniMaxOptions(dilate=0))
    ((noise, control, _),) = denoiser.calls
    grey, holes = codec.decode(control[:, :16]), codec.decode(control[:, 16:])
    hole = torch.zeros(24, 36, dtype=torch.bool)
    hole[12:19, 6:30] = True  # the white bar, grown by 2
    inside, outside = (slice(14, 16), slice(8, 28)), (slice(0, 10), slice(0, 36))
    assert (grey[:, inside[0], inside[1]] == 0.5).all() and (holes[:, inside[0], inside[1]] == 1).all()
    assert (holes[:, outside[0], outside[1]] == 0).all()
    torch.testing.assert_close(
        grey[:, outside[0], outside[1]], codec.decode(codec.encode(frames))[:, outside[0], outside[1]]
    )
    assert holes.mean().item() == pytest.approx(hole.float().mean().item(), abs=0.03)


def test_only_the_subtitle_is_replaced_and_every_frame_comes_back():
    frames = video(22)
    out, masks, _, _ = painted(frames)
    assert out.shape == frames.shape and torch.equal(out[masks == 0], frames[masks == 0])
    assert (out[:, 14:17, 8:28] < 0.99).any(-1).all(), "the white letters are gone"


def test_the_users_mask_is_a_hole_too():
    frames, own = video(9, text=None), torch.zeros(1, 24, 36)
    own[:, 4:10, 4:16] = 1
    out, masks, _, denoiser = painted(frames, subtitle=own)
    assert len(denoiser.calls) == 1 and masks[:, 4:10, 4:16].all() and not masks[:, 18:].any()
    assert torch.equal(out[masks == 0], frames[masks == 0])


def test_windows_without_a_hole_are_not_sampled():
    frames = video(25)
    frames[8:] = video(17, text=None, seed=1)  # the second window begins with the ninth frame
    _, _, _, denoiser = painted(frames, overlap=0, subtitles_only=False)
    assert len(denoiser.calls) == 1
    # its whole picture was asked for, and it has none of its own where there is nothing to paint
    out, _, _, denoiser = painted(frames, overlap=0, subtitles_only=False, output="raw")
    assert len(denoiser.calls) == 1 and torch.equal(out[12:], frames[12:])


def test_the_same_frame_has_the_same_noise_in_every_window():
    frames = video(17)
    _, _, _, denoiser = painted(frames, overlap=5, seed=3)
    (first, _, _), (second, _, _), *_ = denoiser.calls
    assert torch.equal(first[:, :, 1:], second[:, :, :2])


@pytest.mark.parametrize("sampler, first", [(UNIPC, 0.99966), (EULER, 1.0)])
def test_the_levels_are_its_samplers_bent_by_the_shift(sampler, first):
    _, _, _, denoiser = painted(video(5), own=MiniMaxOptions(sampler=sampler, shift=3), steps=6)
    ((_, _, sigmas),) = denoiser.calls
    assert len(sigmas) == 7 and sigmas[-1] == 0 and sigmas[0].item() == pytest.approx(first, abs=1e-4)
    assert sigmas[3].item() == pytest.approx(0.75, abs=1e-3), "halfway, 3 * .5 / (1 + 2 * .5)"


def test_holes_spread_as_scipy_spreads_them():
    ndimage = pytest.importorskip("scipy.ndimage")
    holes = torch.rand(3, 40, 60, generator=torch.Generator().manual_seed(0)) > 0.995
    for times in (1, 6, 16):
        theirs = [torch.from_numpy(ndimage.binary_dilation(one.numpy(), iterations=times)) for one in holes]
        assert torch.equal(widened(holes, times), torch.stack(theirs))
    assert torch.equal(widened(holes, 0), holes)


def test_it_cannot_say_what_it_changed_and_says_so_before_any_work():
    frames = video(9)
    with pytest.raises(ClearError, match="mask_from"):
        painted(frames, mask_from="difference", region="whole frame")


@pytest.mark.parametrize("wrong", [{"sampler": "heun"}, {"shift": 0.0}, {"shift": float("inf")}, {"dilate": -1}])
def test_options_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ClearError, match=next(iter(wrong))):
        MiniMaxOptions(**wrong)


def test_another_vae_is_refused():
    codec = PoolCodec()
    codec.temporal = 8
    with pytest.raises(ClearError, match="8 frames"):
        MiniMaxEngine(codec, FakeDenoiser(), EngineOptions())
