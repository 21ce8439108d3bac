"""A window that goes on from what the window before has painted, in the frames that they share."""

import pytest
import torch
from toy_parts import PoolCodec, video, white

from clear_runtime.engines.clear import ClearEngine
from clear_runtime.engines.minimax import MiniMaxEngine
from clear_runtime.engines.nano.limits import InPieces
from clear_runtime.engines.options import EULER, UNIPC, EngineOptions
from clear_runtime.engines.sampling import Known, sample
from clear_runtime.engines.schedule import latent_noise, sigmas
from clear_runtime.engines.unipc import unipc_sigmas
from clear_runtime.errors import ClearError
from clear_runtime.frames.windows import kept
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove

MEAN, SPREAD = 0.45, 0.15


def plain(x, sigma):
    """The exact flow of videos that are of one colour each, drawn anew for each: what a network does that paints
    whatever comes to its mind, the same in all frames that it sees."""
    shown, signal = x[0, 0].numel(), 1 - sigma
    gain = signal / (signal**2 + sigma**2 / SPREAD**2 / shown)
    clean = MEAN + gain * (x.mean((2, 3, 4), keepdim=True) - signal * MEAN)
    return (x - clean) / sigma


class Plain:
    """A Denoiser along that flow, which remembers what it was told to be known."""

    def __init__(self):
        self.known = []

    def __call__(self, noise, control, sigmas, on_step=None, known=None):
        self.known.append(known)
        return sample(plain, noise, sigmas, EULER, known, on_step)


@pytest.mark.parametrize("sampler, levels", [(EULER, sigmas(5)), (UNIPC, unipc_sigmas(6, 3.0))])
def test_where_all_is_known_what_comes_out_is_what_went_in(sampler, levels):
    latents, noise = (
        torch.randn(1, 16, 5, 4, 6, generator=torch.Generator().manual_seed(0)),
        latent_noise(0, 0, 5, 4, 6),
    )
    flow = lambda x, sigma: torch.sin(5 * x) - sigma
    out = sample(flow, noise, levels, sampler, Known(latents, 5))
    torch.testing.assert_close(out, latents, rtol=0, atol=1e-5)
    # and a network that is right about what it is shown gives it back too, where it is not simply kept
    right = lambda x, sigma: (x - latents) / sigma
    out = sample(right, noise, levels, sampler, Known(latents, 0))
    torch.testing.assert_close(out, latents, rtol=0, atol=1e-5)


def test_what_is_known_stands_where_the_flow_leads_to_it_at_every_step():
    latents, noise, seen = torch.randn(1, 16, 3, 4, 6), torch.randn(1, 16, 5, 4, 6), []
    flow = lambda x, sigma: seen.append((sigma, x[:, :, :3])) or torch.sin(x)
    out = sample(flow, noise, sigmas(4), EULER, Known(latents, 2))
    for sigma, first in seen:
        torch.testing.assert_close(first, (1 - sigma) * latents + sigma * noise[:, :, :3])
    assert len(seen) == 4 and torch.equal(out[:, :, :2], latents[:, :, :2])
    assert not torch.allclose(out[:, :, 2], latents[:, :, 2]), "it comes back as the network makes it"
    free = sample(lambda x, sigma: torch.sin(x), noise, sigmas(4))
    torch.testing.assert_close(out[:, :, 3:], free[:, :, 3:])  # a flow that looks at no other frame goes as it went


def test_the_rest_is_made_to_match():
    latents, noise = torch.full((1, 16, 3, 24, 36), 0.9), latent_noise(0, 0, 5, 24, 36)
    alone, gone_on = sample(plain, noise, sigmas(8)), sample(plain, noise, sigmas(8), EULER, Known(latents, 2))
    assert (gone_on[:, :, 3:] - 0.9).abs().mean() < 0.3 * (alone[:, :, 3:] - 0.9).abs().mean()


def painted(frames, denoiser, make=ClearEngine, **options):
    """All frames, in windows of 17 that share 9."""
    asked = RemoveOptions.of(
        **{"window": 17, "overlap": 9, "steps": 8, "second_look": False, "mask_from": "prior", **options}
    )
    engine = make(PoolCodec(), denoiser, asked.engine)
    return torch.stack([frame for frame, _ in remove(iter(frames), engine, white, asked)])


def test_flicker_across_the_borders_of_windows_falls():
    """From frame to frame 0.0084 without and 0.0018 with it, at most 0.030 and 0.011; from the first to the last frame
    0.166 and 0.083."""
    steps, drift = {}, {}
    for on in (False, True):
        seen = painted(video(53, 96, 144), Plain(), output="raw", clean_overlap=on).mean((1, 2))
        steps[on], drift[on] = (seen[1:] - seen[:-1]).abs(), (seen[-1] - seen[0]).abs().mean()
    assert steps[True].mean() < 0.4 * steps[False].mean()
    assert steps[True].max() < steps[False].max(), "no step where the shared frames end"
    assert drift[True] < 0.7 * drift[False]


@pytest.mark.parametrize("make", [ClearEngine, MiniMaxEngine])
def test_what_is_known_are_the_finished_frames_that_windows_share(make):
    denoiser, off = Plain(), Plain()
    out = painted(video(25), denoiser, make, clean_overlap=True)
    first, second = denoiser.known
    assert first is None and second.kept == 2
    assert second.latents.shape[2] == 3, "nine frames, of which the first is a latent frame by itself"
    stays = PoolCodec().encode(out[8:17])[:, :, :2]
    torch.testing.assert_close(second.latents[:, :, :2], stays)
    painted(video(25), off, make)
    assert off.known == [None, None]


def test_frames_as_they_are_are_known_too():
    source, denoiser = video(25), Plain()
    source[:17] = video(17, text=None, seed=1)
    painted(source, denoiser, clean_overlap=True, subtitles_only=False)
    (known,) = denoiser.known
    torch.testing.assert_close(known.latents, PoolCodec().encode(source[8:17]))


def test_of_shared_frames_half_the_groups_stay():
    assert [kept(count) for count in (0, 1, 5, 9, 13, 16, 17, 18)] == [0, 1, 1, 5, 5, 5, 9, 9]


def test_in_pieces_each_is_told_what_of_it_is_known():
    denoiser, known = Plain(), Known(torch.rand(1, 16, 6, 4, 6), 5)
    noise = latent_noise(0, 0, 13, 4, 6)
    out = InPieces(denoiser)(noise, noise, sigmas(2), None, known)
    told = [None if one is None else (one.latents.shape[2], one.kept) for one in denoiser.known]
    assert told == [(5, 5), (2, 1), None]
    torch.testing.assert_close(out[:, :, :5], known.latents[:, :, :5])


def test_with_one_step_it_could_see_nothing_and_says_so():
    with pytest.raises(ClearError, match="clean_overlap.*steps"):
        EngineOptions(steps=1, clean_overlap=True)
    assert not EngineOptions().clean_overlap
