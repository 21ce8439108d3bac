"""A whole removal with the bundled model on the device, against the CPU's."""

import pytest
import torch
from tiny_clips import STYLE
from tiny_pairs import clip

from clear_runtime.engines.denoiser import DiffSynthDenoiser
from clear_runtime.engines.nano import load
from clear_runtime.engines.nano.engine import nano_engine
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove

OPTIONS = dict(window=9, overlap=1, steps=1)
BOUNDS = {torch.float32: 1e-3, torch.bfloat16: 2e-2, torch.float16: 1e-2}


@pytest.fixture(scope="module")
def frames():
    subtitled = clip(13, "Rain falls here", seed=1, height=96, width=192, style=STYLE)[1]
    return torch.from_numpy(subtitled).float() / 255


def cleaned(frames, device, dtype, **options):
    asked = RemoveOptions.of(**{**OPTIONS, **options})
    half = lambda state: {name: value.float() for name, value in state.items()}
    denoiser = DiffSynthDenoiser.from_state(
        half(load.transformer_state_dict()),
        load.prompt_embedding(),
        half(load.lora_state()),
        dtype=dtype,
        device=device,
    )
    engine = nano_engine(load.load_bundled_codec(device), denoiser, asked.engine)
    pairs = list(remove(iter(frames), engine, load_prior(device=device), asked))
    return torch.stack([frame.cpu() for frame, _ in pairs]), torch.stack([mask.cpu() for _, mask in pairs])


@pytest.fixture(scope="module")
def references(frames):
    return {control: cleaned(frames, "cpu", torch.float32, control=control) for control in ("prefilled", "as is")}


@pytest.mark.parametrize("control", ("prefilled", "as is"))
def test_removal(frames, references, device, dtype, near, control):
    there, mask = references[control]
    assert mask.any() and not torch.equal(there, frames)
    out, found = cleaned(frames, device, dtype, control=control)
    near(out, there, BOUNDS[dtype])
    assert (found != mask).float().mean() < 1e-3


def test_removal_of_frames_on_the_device(frames, references, device, near):
    out, _ = cleaned(frames.to(device), device, torch.float32, control="prefilled")
    near(out, references["prefilled"][0], BOUNDS[torch.float32])
