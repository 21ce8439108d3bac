"""The bundled prior marks subtitles of any frame size, and nothing where there is none."""

import numpy as np
import pytest
import torch

from clear_runtime.data.synthetic.burn import Style, burn, render
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.find.priors.light import LightPrior
from clear_runtime.find.priors.predict import Prior


@pytest.fixture(scope="module")
def prior():
    return load_prior()


def hills(frames, height, width):
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    picture = np.stack(
        [0.4 + 0.3 * np.sin(9 * x + 4 * y), 0.5 + 0.2 * np.sin(6 * y), 0.5 + 0.3 * np.cos(7 * x * y)], -1
    )
    return np.repeat((picture * 255).astype(np.uint8)[None], frames, 0)


@pytest.mark.parametrize(
    "height,width", [(352, 640), (240, 432), (720, 1280), (640, 360)], ids=["640x352", "432x240", "720p", "portrait"]
)
def test_marks_the_letters(prior, height, width):
    clean = hills(2, height, width)
    size = round(max(height, width) * 0.035)
    subtitled, mask = burn(
        clean, [(0, 2, render(["Nobody saw it coming."], Style(size=size), width, height, (width / 2, height * 0.86)))]
    )
    found = prior(torch.from_numpy(subtitled) / 255) > 0.5
    truth = torch.from_numpy(mask)
    assert (found & truth).sum() / (found | truth).sum() > 0.65
    assert (found & truth).sum() / truth.sum() > 0.95


def test_marks_nothing_in_an_empty_frame(prior):
    assert (prior(torch.from_numpy(hills(2, 352, 640)) / 255) > 0.5).float().mean() < 0.001


def test_only_what_the_network_sees_goes_to_its_device(prior, monkeypatch):
    moved = []
    move = torch.Tensor.to
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *a, **k: (moved.append(self.shape), move(self, *a, **k))[1])
    prior(torch.rand(1, 1080, 1920, 3))
    assert moved == [(1, 3, 360, 640)]


class Half(torch.nn.Module):
    """Sure of the left half of a frame, and of its right half that it is none."""

    BYTES_PER_PIXEL = 1

    def forward(self, frames):
        sign = torch.where(torch.arange(frames.shape[-1]) < frames.shape[-1] // 2, 20.0, -20.0)
        return sign.expand(len(frames), 1, *frames.shape[-2:])


def test_masks_of_large_frames_come_back_with_soft_edges():
    """Scaled by 4: a cell's value stands at its middle, and between two cells it changes evenly."""
    edge = Prior(Half(), long_side=64)(torch.rand(1, 128, 256, 3))[0, 64, 124:132]
    assert edge.tolist() == pytest.approx([1, 1, 0.875, 0.625, 0.375, 0.125, 0, 0], abs=1e-5)


def test_gives_masks_at_the_frames_own_size_for_any_size():
    prior = Prior(LightPrior())
    for height, width in ((1, 1), (37, 53), (1081, 70)):
        masks = prior(torch.rand(3, height, width, 3).half())
        assert (
            masks.shape == (3, height, width) and masks.dtype == torch.float32 and masks.min() >= 0 and masks.max() <= 1
        )
    assert prior(torch.rand(0, 8, 8, 3)).shape == (0, 8, 8)
