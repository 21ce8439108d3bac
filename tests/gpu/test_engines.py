"""Every network on the device against the CPU's float32, in each kind of number."""

import pytest
import tiny_wan
import torch

from clear_runtime.engines import schedule
from clear_runtime.engines.denoiser import DiffSynthDenoiser
from clear_runtime.engines.diffsynth_codec import DiffSynthCodec
from clear_runtime.engines.nano import load
from clear_runtime.engines.options import UNIPC
from clear_runtime.engines.sampling import sample
from clear_runtime.engines.unipc import unipc_sigmas
from clear_runtime.fill.network import FillNet, Painter
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.find.priors.paper import PaperPrior
from clear_runtime.find.priors.predict import Prior

BOUNDS = {torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 2e-2}
"""Relative errors: one forward pass or a few, in these numbers."""
BOUND_OF_MASKS = 1e-3


@pytest.fixture(scope="module")
def wan():
    return tiny_wan.wan_state()


@pytest.mark.parametrize("lora", (False, True))
def test_denoiser(wan, device, dtype, near, lora):
    change = tiny_wan.lora_state(wan) if lora else None
    noise, control, context = tiny_wan.window()
    make = lambda **options: DiffSynthDenoiser.from_state(wan, context, change, **options)
    reference = make()(noise, control, schedule.sigmas(5))
    out = make(dtype=dtype, device=device)(noise, control, schedule.sigmas(5))
    assert out.device.type == "cpu" and out.dtype == torch.float32
    near(out, reference, BOUNDS[dtype])


def test_denoiser_takes_latents_of_the_device(wan, device, near):
    noise, control, context = tiny_wan.window()
    reference = DiffSynthDenoiser.from_state(wan, context)(noise, control, schedule.sigmas(2))
    denoiser = DiffSynthDenoiser.from_state(wan, context, device=device)
    near(denoiser(noise.to(device), control.to(device), schedule.sigmas(2)), reference, BOUNDS[torch.float32])


def test_wan_codec(device, dtype, near):
    state, frames = tiny_wan.vae_state(), torch.rand(9, 32, 48, 3)
    there = DiffSynthCodec.from_state(state)
    latents = there.encode(frames)
    here = DiffSynthCodec.from_state(state, dtype, device)
    near(here.encode(frames), latents, BOUNDS[dtype], "encode")
    near(here.decode(latents), there.decode(latents), BOUNDS[dtype], "decode")


def test_nano_codec(device, near):
    frames = torch.rand(9, 32, 48, 3)
    there, here = load.load_bundled_codec(), load.load_bundled_codec(device)
    latents = there.encode(frames)
    near(here.encode(frames), latents, BOUNDS[torch.float32], "encode")
    near(here.decode(latents), there.decode(latents), BOUNDS[torch.float32], "decode")


def float32_prior(device="cpu"):
    """Some CPUs have a faster kind of number."""
    prior = load_prior(device=device)
    prior.halved = False
    return prior


def test_light_prior(device, near):
    frames = torch.rand(3, 90, 150, 3)
    near(float32_prior(device)(frames), float32_prior()(frames), BOUND_OF_MASKS)


def test_light_prior_of_frames_on_the_device(device, near):
    frames = torch.rand(2, 400, 700, 3)
    near(float32_prior(device)(frames.to(device)), float32_prior()(frames), BOUND_OF_MASKS)


def test_paper_prior(device, near):
    torch.manual_seed(0)
    model, frames = PaperPrior(), torch.rand(1, 64, 96, 3)
    reference = Prior(model)(frames)
    near(Prior(model, device)(frames), reference, BOUND_OF_MASKS)


def test_unipc(device, dtype, near):
    noise, levels = torch.randn(1, 16, 3, 8, 12, generator=torch.Generator().manual_seed(0)), unipc_sigmas(6, 3.0)
    flow = lambda x, sigma: torch.sin(3 * x + sigma) - 0.3 * x
    reference = sample(flow, noise, levels, UNIPC)
    out = sample(flow, noise.to(device, dtype), levels, UNIPC)
    assert out.device.type == device.type
    near(out, reference, BOUNDS[dtype])


def test_fill_network(device, near):
    torch.manual_seed(0)
    net, smooth = FillNet(), torch.rand(2, 3, 45, 70)
    torch.nn.init.normal_(net.leave.weight, std=0.1)
    known = torch.rand(2, 1, 45, 70) > 0.3
    there = Painter(net)(smooth, known)
    here = Painter(net.to(device))(smooth.to(device), known.to(device))
    near(here, there, BOUNDS[torch.bfloat16])
    assert torch.equal(here.cpu()[known.expand_as(smooth)], smooth[known.expand_as(smooth)])
