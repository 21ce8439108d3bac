"""Metrics against values worked out by hand or by a slow, direct formula."""

import math

import numpy as np
import pytest
import torch

from clear_runtime import metrics
from clear_runtime.errors import ClearError


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(3)
    reference = torch.rand(3, 16, 20, 3, generator=generator)
    return (reference + 0.1 * torch.randn(reference.shape, generator=generator)).clamp(0, 1), reference


@pytest.fixture
def band():
    mask = torch.zeros(3, 16, 20)
    mask[:, 10:14, 4:16] = 1
    return mask


def test_psnr_of_a_constant_error():
    reference = torch.full((2, 4, 4, 3), 0.5)
    assert metrics.psnr(reference + 0.1, reference) == pytest.approx(20.0, abs=1e-4)
    assert metrics.psnr(reference, reference) == math.inf


def test_masked_psnr_sees_only_the_mask(pair, band):
    result, reference = pair
    expected = 10 * np.log10(1 / np.mean((result - reference).numpy()[:, 10:14, 4:16].astype(np.float64) ** 2))
    assert metrics.masked_psnr(result, reference, band) == pytest.approx(expected, abs=1e-6)
    far = result.clone()
    far[:, :5] = 0
    assert metrics.masked_psnr(far, reference, band) == pytest.approx(expected, abs=1e-6)
    near = result.clone()
    near[:, 11] = 0
    assert metrics.masked_psnr(near, reference, band) < expected - 1


def test_flicker_ignores_what_stands_still_and_counts_what_moves(pair, band):
    _, reference = pair
    assert metrics.flicker(reference + 0.2, reference, band) == pytest.approx(0, abs=1e-6)
    blinking = reference.clone()
    blinking[1] += 0.2  # up by 0.2 in one pair of frames, down by 0.2 in the other
    assert metrics.flicker(blinking, reference, band) == pytest.approx(0.2, abs=1e-6)
    first = torch.arange(len(reference) - 1) == 0
    dark = blinking.clone()
    dark[2:] += 0.2  # up in the first pair of frames alone
    assert metrics.flicker(dark, reference, band, first) == pytest.approx(0.2, abs=1e-6)
    assert metrics.flicker(dark, reference, band, ~first) == pytest.approx(0, abs=1e-6)


def test_flicker_leaves_out_pixels_that_enter_or_leave_the_mask(pair, band):
    _, reference = pair
    band[1] = 0
    with pytest.raises(ClearError, match="two frames in a row"):
        metrics.flicker(reference, reference, band)


def test_other_sizes_are_refused(pair):
    with pytest.raises(ClearError, match="same length and size"):
        metrics.psnr(pair[0][:2], pair[1])


def test_masks_that_fit_nothing_are_refused(pair):
    result, reference = pair
    with pytest.raises(ClearError, match="empty"):
        metrics.masked_psnr(result, reference, torch.zeros(3, 16, 20))
    with pytest.raises(ClearError, match="one value for each pixel"):
        metrics.masked_psnr(result, reference, torch.ones(3, 8, 20))


def test_overlap_counts_pixels_over_all_frames():
    found, true = torch.zeros(2, 4, 4, dtype=torch.bool), torch.zeros(2, 4, 4, dtype=torch.bool)
    found[0, :2], true[0, 1:3] = True, True  # 4 pixels of 12 in both
    total = metrics.Overlap().add(found, true)
    assert total.report() == {"iou": 4 / 12, "f1": 0.5, "recall": 0.5, "precision": 0.5}
    total += metrics.Overlap().add(true, true)
    assert total.report()["iou"] == 12 / 20
    assert metrics.Overlap().add(~(true | True), ~(true | True)).report()["iou"] == 0
    with pytest.raises(ClearError, match="Masks of shape"):
        total.add(found, true[:1])


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """torch's hub cache in a folder of its own, with random weights under the name of AlexNet's."""
    pytest.importorskip("lpips")
    models = pytest.importorskip("torchvision.models")
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    torch.manual_seed(0)
    state = {name: value for name, value in models.alexnet().state_dict().items() if name.startswith("features")}
    (tmp_path / "checkpoints").mkdir()
    file = tmp_path / "checkpoints" / models.AlexNet_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[1]
    torch.save(state, file)
    return file


def test_lpips_grows_with_the_error_inside_the_subtitle_alone(hub):
    generator = torch.Generator().manual_seed(5)
    reference = torch.rand(3, 80, 200, 3, generator=generator)
    mask = torch.zeros(3, 80, 200)
    mask[:2, 50:60, 90:110] = 1
    near, far, elsewhere = reference.clone(), reference.clone(), reference.clone()
    near[:, 50:60, 90:110] *= 0.9
    far[:, 50:60, 90:110] *= 0.2
    elsewhere[:, :, :40] = 0
    elsewhere[2] = 0
    distance = metrics.Lpips()
    assert distance(reference, reference, mask) == 0 == distance(elsewhere, reference, mask)
    assert 0 < distance(near, reference, mask) < distance(far, reference, mask)
    with pytest.raises(ClearError, match="empty"):
        distance(near, reference, torch.zeros(3, 80, 200))


def test_lpips_takes_the_weights_that_are_there(hub):
    """The same as the features of torchvision's own network, layer by layer."""
    from torchvision.models import alexnet

    network = alexnet()
    network.load_state_dict(torch.load(hub, weights_only=True), strict=False)
    x = torch.rand(1, 3, 64, 64)
    seen = network.features[:12](x)
    assert torch.equal(metrics.Lpips().model.net(x)[-1], seen)
    moved = hub.rename(hub.with_name("another.pth"))
    assert torch.equal(metrics.Lpips(weights=moved).model.net(x)[-1], seen)


def test_lpips_without_its_weights_says_what_is_missing(hub):
    torch.save({"features.0.weight": torch.zeros(1)}, hub)
    with pytest.raises(ClearError, match="does not hold"):
        metrics.Lpips()
    hub.write_bytes(b"half a file")
    with pytest.raises(ClearError, match="again|incomplete|whole|cut off|checkpoint"):
        metrics.Lpips()
    hub.unlink()
    with pytest.raises(ClearError, match="is not there"):
        metrics.Lpips()
